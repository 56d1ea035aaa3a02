/** Vocabulary of the sample catalog. */
export interface Kind {
  category: string;
  noun: string;
  /** In cents. */
  price: readonly [low: number, high: number];
  traits: Readonly<Record<string, readonly string[]>>;
}

const listOf = (text: string): string[] => text.split(" / ");

export const brands = listOf(
  "Northwind / Lumera / Kestrel / Oakline / Voltway / Brightmoor / Harbor & Pine / Tidewell / Calder / Fernhill / Zephyr / Ironbark / Marlowe / Quillon / Solace / Drift & Co",
);

export const adjectives = listOf(
  "Classic / Compact / Everyday / Premium / Essential / Slim / Rugged / Modern / Foldable / Lightweight / Pro / Eco / Travel / Studio / Deluxe / Mini",
);

const COLOURS = "Black / White / Navy / Sage Green / Sand / Charcoal / Coral / Sky Blue";

/** A line for each category; below it, a line for each kind of product with its price and traits. */
const KINDS = `
Electronics
  Wireless Mouse | 1999-8999 | colour: colours | connection: Bluetooth / 2.4 GHz
  Mechanical Keyboard | 5999-17999 | layout: US / UK / ISO DE | switches: linear / tactile
  Bluetooth Speaker | 2999-19999 | colour: colours | battery life: 10 h / 18 h / 24 h
  Noise Cancelling Headphones | 7999-34999 | colour: colours | fit: over-ear / on-ear
  USB-C Hub | 2499-9999 | ports: 5 / 7 / 11 | power: 60 W / 100 W
  27-inch Monitor | 17999-64999 | resolution: 1920 x 1080 / 2560 x 1440 / 3840 x 2160 | panel: IPS / VA
Clothing
  Cotton Shirt | 2499-7999 | colour: colours | size: S / M / L / XL
  Merino Sweater | 5999-14999 | colour: colours | size: S / M / L / XL
  Rain Jacket | 4999-19999 | colour: colours | size: S / M / L / XL | waterproof: 10,000 mm / 20,000 mm
  Running Socks | 899-2499 | colour: colours | size: 36-39 / 40-43 / 44-47
Home & Kitchen
  Chef's Knife | 2999-15999 | blade: 15 cm / 20 cm | steel: German / Damascus
  Cast Iron Pan | 2499-11999 | diameter: 24 cm / 28 cm / 30 cm
  Coffee Grinder | 3999-24999 | burr: steel / ceramic | power: manual / electric
  Linen Bedding Set | 6999-22999 | colour: colours | size: single / double / king
  Floor Lamp | 4999-24999 | colour: colours | bulb: E27 / LED
Office
  Standing Desk | 24999-89999 | top: oak / walnut / white | width: 120 cm / 140 cm / 160 cm
  Desk Organizer | 1499-4999 | material: bamboo / steel / felt
  Ergonomic Chair | 14999-79999 | colour: colours | arms: fixed / adjustable
  Fountain Pen | 1999-18999 | nib: fine / medium / broad
  Notebook A5 | 799-2999 | ruling: dotted / lined / plain | colour: colours
Sports & Outdoors
  Yoga Mat | 1999-8999 | colour: colours | thickness: 4 mm / 6 mm
  Trekking Poles | 3999-15999 | material: aluminium / carbon
  Two-Person Tent | 9999-49999 | season: 3 / 4 | weight: 1.4 kg / 1.9 kg
  Insulated Bottle | 1499-4999 | colour: colours | volume: 500 ml / 750 ml / 1 l
Toys & Games
  Wooden Train Set | 2999-11999 | pieces: 40 / 80 / 120 | age: 3+ / 5+
  Strategy Board Game | 2499-7999 | players: 2-4 / 2-6 | age: 10+ / 12+
  Jigsaw Puzzle | 999-3999 | pieces: 500 / 1000 / 2000
Garden
  Pruning Shears | 1499-6999 | type: bypass / anvil
  Raised Garden Bed | 4999-18999 | material: cedar / steel
  Watering Can | 1299-5999 | volume: 5 l / 9 l | colour: colours
`;

/** The kinds of products by category, in the order of the table. */
export const kinds: ReadonlyMap<string, readonly Kind[]> = Map.groupBy(
  readKinds(),
  ({ category }) => category,
);

function* readKinds(): Generator<Kind> {
  let category = "";
  for (const line of KINDS.split("\n").filter(Boolean)) {
    if (line.startsWith("  ")) {
      const [noun = "", price = "", ...traits] = line.trim().split(" | ");
      const [low = 0, high = 0] = price.split("-").map(Number);
      yield { category, noun, price: [low, high], traits: Object.fromEntries(traits.map(readTrait)) };
    } else category = line;
  }
}

function readTrait(text: string): [name: string, values: string[]] {
  const [name = "", values = ""] = text.split(": ");
  return [name, listOf(values === "colours" ? COLOURS : values)];
}
