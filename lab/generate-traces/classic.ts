import { CATALOG, CUSTOMERS, SECOND, type Story } from "./story.ts";

const VICTIMS = 50;
const steps = (story: Story, victim: number): (() => void)[] => [
  () => story.search(victim),
  () => story.orders(victim),
  () => story.payments(victim),
];

/** The attacks that everybody thinks of first. */
export const CLASSIC: Readonly<Record<string, (story: Story) => void>> = {
  /** Reads the customer, the orders and the payment methods, then takes the next customer. */
  "profile-loop"(story) {
    for (const victim of story.numbers(VICTIMS, CUSTOMERS)) for (const step of steps(story, victim)) step();
  },
  /** The same with three harmless calls after each step. */
  "padded-loop"(story) {
    for (const victim of story.numbers(VICTIMS, CUSTOMERS)) {
      for (const step of steps(story, victim)) {
        step();
        for (const product of story.numbers(3, 150)) story.product(product);
      }
    }
  },
  /** Looks up everybody, then everybody's orders, then everybody's payment methods. */
  "phase-batch"(story) {
    const victims = story.numbers(VICTIMS, CUSTOMERS);
    for (const phase of [0, 1, 2]) for (const victim of victims) steps(story, victim)[phase]?.();
  },
  /** Tries order numbers one after the other; one in four exists. */
  "order-guessing"(story) {
    for (let step = 0; step < 200; step++) {
      story.guessOrder(1_000_000 + step, story.chance(0.25) ? story.int(0, CUSTOMERS - 1) : undefined);
    }
  },
};

export const CLASSIC_CRAWLS: Readonly<Record<string, (story: Story) => void>> = {
  /** Reads one product after another, in no order. */
  "catalog-crawl"(story) {
    for (const product of story.numbers(1_500, CATALOG)) {
      story.product(product);
      story.wait(0, SECOND);
    }
  },
};
