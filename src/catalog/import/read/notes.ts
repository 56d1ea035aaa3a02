import type { LeftOut } from "./rows.ts";

/** Changes that an import made to rows, and rows that it did not take, so that nothing happens without a word. */
const MESSAGES = {
  skusMissing: "had no SKU and got one that is made of its handle and options",
  skusRepeated: "shared a SKU with others and got one that is made of its handle and options",
  negativeStock: "had a negative stock, which counts as 0",
  withoutCategory: "had no category and is in Uncategorized (set another with --set category=NAME)",
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
  sentences(): string[] {
    const number = (value: number) => value.toLocaleString("en");
    return [
      ...[...this.#leftOut].map(([reason, count]) => `${number(count)} × left out: ${reason}.`),
      ...[...this.#counts].map(([kind, count]) => `${number(count)} × ${MESSAGES[kind]}.`),
      ...[...this.#dropped].map(
        ([field, { count, line, problem }]) =>
          `${number(count)} × imported without ${field}, first on line ${line}: ${problem}.`,
      ),
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
