/** Vocabulary of the sample catalog. Prices are in cents. */
export interface Kind {
  noun: string;
  price: readonly [low: number, high: number];
  traits: Readonly<Record<string, readonly string[]>>;
}

export const brands = [
  "Northwind",
  "Lumera",
  "Kestrel",
  "Oakline",
  "Voltway",
  "Brightmoor",
  "Harbor & Pine",
  "Tidewell",
  "Calder",
  "Fernhill",
  "Zephyr",
  "Ironbark",
  "Marlowe",
  "Quillon",
  "Solace",
  "Drift & Co",
] as const;

export const adjectives = [
  "Classic",
  "Compact",
  "Everyday",
  "Premium",
  "Essential",
  "Slim",
  "Rugged",
  "Modern",
  "Foldable",
  "Lightweight",
  "Pro",
  "Eco",
  "Travel",
  "Studio",
  "Deluxe",
  "Mini",
] as const;

const colours = ["Black", "White", "Navy", "Sage Green", "Sand", "Charcoal", "Coral", "Sky Blue"];

export const kinds: Readonly<Record<string, readonly Kind[]>> = {
  Electronics: [
    {
      noun: "Wireless Mouse",
      price: [1999, 8999],
      traits: { colour: colours, connection: ["Bluetooth", "2.4 GHz"] },
    },
    {
      noun: "Mechanical Keyboard",
      price: [5999, 17999],
      traits: { layout: ["US", "UK", "ISO DE"], switches: ["linear", "tactile"] },
    },
    {
      noun: "Bluetooth Speaker",
      price: [2999, 19999],
      traits: { colour: colours, "battery life": ["10 h", "18 h", "24 h"] },
    },
    {
      noun: "Noise Cancelling Headphones",
      price: [7999, 34999],
      traits: { colour: colours, fit: ["over-ear", "on-ear"] },
    },
    { noun: "USB-C Hub", price: [2499, 9999], traits: { ports: ["5", "7", "11"], power: ["60 W", "100 W"] } },
    {
      noun: "27-inch Monitor",
      price: [17999, 64999],
      traits: { resolution: ["1920 x 1080", "2560 x 1440", "3840 x 2160"], panel: ["IPS", "VA"] },
    },
  ],
  Clothing: [
    { noun: "Cotton Shirt", price: [2499, 7999], traits: { colour: colours, size: ["S", "M", "L", "XL"] } },
    {
      noun: "Merino Sweater",
      price: [5999, 14999],
      traits: { colour: colours, size: ["S", "M", "L", "XL"] },
    },
    {
      noun: "Rain Jacket",
      price: [4999, 19999],
      traits: { colour: colours, size: ["S", "M", "L", "XL"], waterproof: ["10,000 mm", "20,000 mm"] },
    },
    {
      noun: "Running Socks",
      price: [899, 2499],
      traits: { colour: colours, size: ["36-39", "40-43", "44-47"] },
    },
  ],
  "Home & Kitchen": [
    {
      noun: "Chef's Knife",
      price: [2999, 15999],
      traits: { blade: ["15 cm", "20 cm"], steel: ["German", "Damascus"] },
    },
    { noun: "Cast Iron Pan", price: [2499, 11999], traits: { diameter: ["24 cm", "28 cm", "30 cm"] } },
    {
      noun: "Coffee Grinder",
      price: [3999, 24999],
      traits: { burr: ["steel", "ceramic"], power: ["manual", "electric"] },
    },
    {
      noun: "Linen Bedding Set",
      price: [6999, 22999],
      traits: { colour: colours, size: ["single", "double", "king"] },
    },
    { noun: "Floor Lamp", price: [4999, 24999], traits: { colour: colours, bulb: ["E27", "LED"] } },
  ],
  Office: [
    {
      noun: "Standing Desk",
      price: [24999, 89999],
      traits: { top: ["oak", "walnut", "white"], width: ["120 cm", "140 cm", "160 cm"] },
    },
    { noun: "Desk Organizer", price: [1499, 4999], traits: { material: ["bamboo", "steel", "felt"] } },
    {
      noun: "Ergonomic Chair",
      price: [14999, 79999],
      traits: { colour: colours, arms: ["fixed", "adjustable"] },
    },
    { noun: "Fountain Pen", price: [1999, 18999], traits: { nib: ["fine", "medium", "broad"] } },
    {
      noun: "Notebook A5",
      price: [799, 2999],
      traits: { ruling: ["dotted", "lined", "plain"], colour: colours },
    },
  ],
  "Sports & Outdoors": [
    { noun: "Yoga Mat", price: [1999, 8999], traits: { colour: colours, thickness: ["4 mm", "6 mm"] } },
    { noun: "Trekking Poles", price: [3999, 15999], traits: { material: ["aluminium", "carbon"] } },
    {
      noun: "Two-Person Tent",
      price: [9999, 49999],
      traits: { season: ["3", "4"], weight: ["1.4 kg", "1.9 kg"] },
    },
    {
      noun: "Insulated Bottle",
      price: [1499, 4999],
      traits: { colour: colours, volume: ["500 ml", "750 ml", "1 l"] },
    },
  ],
  "Toys & Games": [
    {
      noun: "Wooden Train Set",
      price: [2999, 11999],
      traits: { pieces: ["40", "80", "120"], age: ["3+", "5+"] },
    },
    {
      noun: "Strategy Board Game",
      price: [2499, 7999],
      traits: { players: ["2-4", "2-6"], age: ["10+", "12+"] },
    },
    { noun: "Jigsaw Puzzle", price: [999, 3999], traits: { pieces: ["500", "1000", "2000"] } },
  ],
  Garden: [
    { noun: "Pruning Shears", price: [1499, 6999], traits: { type: ["bypass", "anvil"] } },
    { noun: "Raised Garden Bed", price: [4999, 18999], traits: { material: ["cedar", "steel"] } },
    { noun: "Watering Can", price: [1299, 5999], traits: { volume: ["5 l", "9 l"], colour: colours } },
  ],
};
