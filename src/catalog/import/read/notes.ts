import type { LeftOut } from "./rows.ts";

/** A sentence about a file. `flag` is the flag of the command that changes that. */
export interface Sentence {
  text: string;
  flag?: string;
}

/** A sentence as the command prints it. */
export const withFlag = ({ text, flag }: Sentence): string =>
  flag === undefined ? text : `${text.replace(/\.$/, "")} (${flag} changes that).`;

/** A file that can't be read as it is. The message is `text`, and then says which flag of the command helps. */
export class ForCommand extends Error {
  readonly text: string;

  constructor(text: string, flag: string) {
    super(`${text}${text.includes("\n") ? "\n" : " "}${flag}`);
    this.text = text;
  }
}

/** Changes that an import made to rows, and rows that it did not take, so that nothing happens without a word. */
const MESSAGES = {
  skusMissing: "had no usable SKU and got one made of its handle or ID, and its options",
  skusRepeated: "shared a SKU with others and got one made of its handle or ID, and its options",
  negativeStock: "had a negative stock, which counts as 0",
  zeroPrice: "had a price of 0, which shoppers see",
  salesNotLower: "had a sale price that is not lower, and was imported without the sale",
  withoutCategory: "had no category and is in Uncategorized",
} as const;

type Kind = keyof typeof MESSAGES;

export class Notes {
  readonly #counts = new Map<Kind, number>();
  readonly #leftOut = new Map<LeftOut, number>();
  readonly #dropped = new Map<string, { count: number; line: number; problem: string }>();

  count(kind: Kind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  leaveOut(reason: LeftOut): void {
    this.#leftOut.set(reason, (this.#leftOut.get(reason) ?? 0) + 1);
  }

  /** Notes that a product is imported without a field, because its value was invalid. */
  drop(field: string, line: number, problem: string): void {
    const before = this.#dropped.get(field);
    this.#dropped.set(field, { line, problem, ...before, count: (before?.count ?? 0) + 1 });
  }

  /** One sentence for each kind. */
  sentences(): Sentence[] {
    const number = (value: number) => value.toLocaleString("en");
    return [
      ...[...this.#leftOut].map(([reason, count]) => ({ text: `${number(count)} × left out: ${reason}.` })),
      ...[...this.#counts].map(([kind, count]) => ({
        text: `${number(count)} × ${MESSAGES[kind]}.`,
        ...(kind === "withoutCategory" && { flag: "--set category=NAME" }),
      })),
      ...[...this.#dropped].map(([field, { count, line, problem }]) => ({
        text: `${number(count)} × imported without ${field}, first on line ${line}: ${problem}.`,
      })),
    ];
  }

  /** The counts for machines. */
  toJSON(): Record<string, number> {
    return {
      ...Object.fromEntries(this.#counts),
      ...Object.fromEntries([...this.#leftOut].map(([reason, count]) => [`left out: ${reason}`, count])),
      ...Object.fromEntries([...this.#dropped].map(([field, { count }]) => [`without ${field}`, count])),
    };
  }
}
