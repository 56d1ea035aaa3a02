import { CATALOG, CUSTOMERS, HOUR, MINUTE, SECOND, type Story } from "./story.ts";

export type Take = (story: Story, victim: number) => void;
const findPerson: Take = (story, victim) => story.search(victim);
const findByName: Take = (story, victim) => story.searchByName(victim);
const orders: Take = (story, victim) => story.orders(victim);
const payments: Take = (story, victim) => story.payments(victim);
const BY_ID: readonly Take[] = [(story, victim) => story.customer(victim), orders, payments];
const WAYS: readonly Take[] = [findPerson, ...BY_ID];
/** The steps of the attacks that everybody thinks of first, and how many people they are about. */
const STEPS: readonly Take[] = [findPerson, orders, payments];
const VICTIMS = 50;
const profile: Take = (story, victim) => {
  for (const take of story.shuffled(WAYS)) take(story, victim);
};

/** Takes victims one after another, with a pause between them. */
function loop(story: Story, victims: number, pause: [number, number], take: Take): void {
  for (const victim of story.numbers(victims, CUSTOMERS)) {
    take(story, victim);
    story.wait(...pause);
  }
}

/** Finds the victim first, then reads what everybody reads. */
const afterFinding =
  (find: Take): Take =>
  (story, victim) => {
    find(story, victim);
    story.orders(victim);
    story.payments(victim);
  };

/** Thefts of people's data with a support agent's credentials. */
export const ATTACKS: Readonly<Record<string, (story: Story) => void>> = {
  /** Reads the customer, the orders and the payment methods, then takes the next customer. */
  "profile-loop"(story) {
    for (const victim of story.numbers(VICTIMS, CUSTOMERS)) for (const take of STEPS) take(story, victim);
  },
  /** The same with three harmless calls after each step. */
  "padded-loop"(story) {
    for (const victim of story.numbers(VICTIMS, CUSTOMERS)) {
      for (const take of STEPS) {
        take(story, victim);
        for (const product of story.numbers(3, 150)) story.product(product);
      }
    }
  },
  /** Looks up everybody, then everybody's orders, then everybody's payment methods. */
  "phase-batch"(story) {
    const victims = story.numbers(VICTIMS, CUSTOMERS);
    for (const take of STEPS) for (const victim of victims) take(story, victim);
  },
  /** Tries order numbers one after the other; one in four exists. */
  "order-guessing"(story) {
    for (let step = 0; step < 200; step++) {
      story.guessOrder(1_000_000 + step, story.chance(0.25) ? story.int(0, CUSTOMERS - 1) : undefined);
    }
  },
  "contact-only": (story) => loop(story, 60, [0, 30 * SECOND], (_, victim) => story.customer(victim)),
  "payment-only": (story) => loop(story, 60, [0, 30 * SECOND], (_, victim) => story.payments(victim)),
  "orders-only": (story) => loop(story, 60, [0, 30 * SECOND], (_, victim) => story.order(victim)),
  /** Reads a different data class of each victim, so that no profile is ever complete. */
  "class-each": (story) =>
    loop(story, 60, [0, MINUTE], (_, victim) => story.pick(WAYS, profile)(story, victim)),
  /** Makes up to twenty harmless calls between any two. */
  "heavy-padding": (story) =>
    loop(story, 60, [0, 5 * SECOND], (_, victim) => {
      for (const take of story.shuffled(WAYS)) {
        take(story, victim);
        pad(story, story.int(0, 20));
      }
    }),
  /** Serves the agent's own three customers all the while. */
  "cover-work"(story) {
    const own = story.numbers(3, 100);
    loop(story, 60, [0, 20 * SECOND], (_, victim) => {
      for (let calls = story.int(1, 5); calls > 0; calls--) story.order(story.pick(own, 0));
      profile(story, victim + 100);
    });
  },
  /** All searches, then all orders, then all payments, six minutes apart. */
  "slow-phases"(story) {
    const victims = story.numbers(40, CUSTOMERS);
    for (const take of WAYS) {
      for (const victim of victims) {
        take(story, victim);
        story.wait(5.5 * MINUTE, 6.5 * MINUTE);
      }
    }
  },
  "every-ninety-seconds": (story) => loop(story, 60, [75 * SECOND, 80 * SECOND], profile),
  "every-four-minutes": (story) => loop(story, 60, [3.5 * MINUTE, 4 * MINUTE], profile),
  "every-twenty-minutes": (story) => loop(story, 72, [18 * MINUTE, 21 * MINUTE], profile),
  "every-forty-minutes": (story) => loop(story, 72, [38 * MINUTE, 41 * MINUTE], profile),
  /** Twenty at once, without waiting for an answer. */
  "side-by-side"(story) {
    const victims = story.numbers(60, CUSTOMERS);
    for (let from = 0; from < victims.length; from += 20) {
      story.together(() =>
        victims.slice(from, from + 20).forEach((victim) => story.pick(WAYS, profile)(story, victim)),
      );
      story.wait(SECOND, MINUTE);
    }
  },
  /** Lists people by common names. */
  "search-harvest"(story) {
    for (let search = 0; search < 30; search++) {
      story.searchMany(`name ${search}`, story.numbers(story.int(3, 40), CUSTOMERS));
      story.wait(0, 5 * MINUTE);
    }
  },
  /**
   * Asks, at the limit, which of many strangers are customers; each question is between two about people
   * already read.
   */
  "who-is-a-customer"(story) {
    const known = story.numbers(7, CUSTOMERS);
    for (const victim of known) story.customer(victim);
    for (let question = 0; question < 40; question++) {
      story.customer(story.pick(known, 0));
      if (story.chance(0.5)) story.search(story.int(0, CUSTOMERS - 1));
      else story.searchMiss();
      story.customer(story.pick(known, 0));
    }
  },
  /** Closes every open ticket with a word. */
  "bulk-closing"(story) {
    for (const ticket of story.numbers(60, 400)) {
      story.close(ticket);
      story.wait(0, 20 * SECOND);
    }
  },
  /** Tries customer numbers one after the other, up, down or in strides; some don't exist. */
  "customer-enumeration"(story) {
    const stride = story.pick([1, -1, 3, 7, 16, 40, -25], 1);
    const density = story.pick([0.1, 0.3, 0.6, 1], 1);
    const tool = story.pick(["get_customer", "get_customer_orders", "get_payment_methods"], "get_customer");
    for (let step = 0; step < 300; step++)
      story.guessCustomer(tool, 50_000 + step * stride, story.chance(density));
  },
  /** Tries order numbers in the same way. */
  "order-crawl"(story) {
    const stride = story.pick([1, -1, 2, 5, 16, 33, -20], 1);
    const density = story.pick([0.05, 0.3, 0.6, 1], 1);
    for (let step = 0; step < 300; step++) {
      story.guessOrder(
        4_000_000 + step * stride,
        story.chance(density) ? story.int(0, CUSTOMERS - 1) : undefined,
      );
      story.wait(0, 20 * SECOND);
    }
  },
  /** Knows the limits of ten minutes and an hour and stays below them, but does not know the daily limit. */
  "below-the-hour": (story) => loop(story, 60, [5 * MINUTE, 5.2 * MINUTE], profile),
  /** Takes seven in ten minutes, then waits for the hour to pass. */
  "bursts-of-seven"(story) {
    for (let burst = 0; burst < 12; burst++) {
      loop(story, 7, [10 * SECOND, 20 * SECOND], profile);
      story.wait(HOUR);
    }
  },
  /** Knows the limits of all people: thirty a day, twelve an hour, seven in ten minutes, for three days. */
  "below-every-limit": (story) => loop(story, 90, [49 * MINUTE, 50 * MINUTE], profile),
  /** Has a stolen list of email addresses and stays below the limits of all people. */
  "email-list": (story) => loop(story, 90, [49 * MINUTE, 50 * MINUTE], afterFinding(findPerson)),
  /** Has a stolen list of names with postcodes. MISSED. */
  "name-list": (story) => loop(story, 90, [49 * MINUTE, 50 * MINUTE], afterFinding(findByName)),
  /** Looks up each victim after the first reading, by what that reading showed. */
  "explained-afterwards": (story) =>
    loop(story, 60, [6 * MINUTE, 7 * MINUTE], (_, victim) => {
      story.customer(victim);
      story.searchByName(victim);
      story.orders(victim);
    }),
  /** An agent obeys a ticket that lists email addresses, and looks up each. */
  "list-in-a-ticket"(story) {
    const [writer = 0, ...victims] = story.numbers(60, CUSTOMERS);
    story.ticket(writer, { assigned: true, others: victims });
    for (const victim of victims) {
      story.search(victim);
      story.payments(victim);
      story.wait(MINUTE);
    }
  },
  /** One of twenty accounts, five victims each. Seen alone it is honest work; lab company plays them together. */
  "many-accounts": (story) => loop(story, 5, [0, 30 * SECOND], profile),
  /** One victim an hour for two days. */
  "victim-an-hour": (story) => loop(story, 48, [HOUR - MINUTE, HOUR], profile),
};

/** Thefts of the catalog. */
export const CRAWLS: Readonly<Record<string, (story: Story) => void>> = {
  /** Reads one product after another, in no order. */
  "catalog-crawl"(story) {
    for (const product of story.numbers(1_500, CATALOG)) {
      story.product(product);
      story.wait(0, SECOND);
    }
  },
  "catalog-by-search"(story) {
    const size = story.pick([10, 20, 50], 10);
    const all = story.numbers(1_000, CATALOG);
    for (let from = 0; from < all.length; from += size) {
      story.searchProducts(`page ${from}`, all.slice(from, from + size));
      story.wait(0, 30 * SECOND);
    }
  },
  "catalog-by-stock"(story) {
    for (let from = 0; from < CATALOG; from += 50) {
      story.stock(Array.from({ length: 50 }, (_, index) => from + index));
      story.wait(0, 2 * MINUTE);
    }
  },
  "catalog-slow"(story) {
    for (const product of story.numbers(400, CATALOG)) {
      story.product(product);
      story.wait(2.5 * MINUTE, 3.5 * MINUTE);
    }
  },
  "catalog-mixed"(story) {
    for (let turn = 0; turn < 200; turn++) {
      const some = story.numbers(story.int(1, 10), CATALOG);
      story.pick([() => story.searchProducts(`some ${turn}`, some), () => story.stock(some)], () => {})();
      story.wait(0, MINUTE);
    }
  },
  "catalog-guessing"(story) {
    for (let turn = 0; turn < 400; turn++) {
      if (story.chance(0.2)) story.product(story.int(0, CATALOG - 1));
      else story.productMiss(turn);
    }
  },
  /** 190 products a day for three days, below the daily and the weekly limit. MISSED within 500 products. */
  "catalog-below-the-day"(story) {
    for (const product of story.numbers(480, CATALOG)) {
      story.product(product);
      story.wait(8 * MINUTE, 8.5 * MINUTE);
    }
  },
};

function pad(story: Story, calls: number): void {
  for (let call = 0; call < calls; call++) story.product(story.int(0, 150));
}

const PACES = [
  10, 30, 60, 75, 90, 120, 180, 240, 290, 300, 360, 600, 1_200, 1_800, 2_700, 2_850, 3_000, 3_600, 5_400,
  6_000, 7_200,
];
const PACE_VICTIMS = 720;
const PACE_LONGEST = 30 * 24 * HOUR;

/** Facts that a thief has about the victims before the first call, and how each is used. */
export const VICTIM_KNOWLEDGE: readonly [string, Take][] = [
  ["ids", (story, victim) => story.pick(BY_ID, profile)(story, victim)],
  ["emails", afterFinding(findPerson)],
  ["names", afterFinding(findByName)],
];

/**
 * One victim every so many seconds, give or take a tenth, for thirty days or 720 victims, by a thief who knows ids,
 * email addresses, or names with postcodes.
 */
export const FRONTIER: Readonly<Record<string, (story: Story) => void>> = Object.fromEntries(
  VICTIM_KNOWLEDGE.flatMap(([known, take]) =>
    PACES.map((seconds) => [
      `${known}-${String(seconds).padStart(4, "0")}-s`,
      (story: Story) => {
        for (const victim of story.numbers(PACE_VICTIMS, CUSTOMERS)) {
          if (story.now > PACE_LONGEST) return;
          const begun = story.now;
          take(story, victim);
          story.now = begun + story.int(seconds * 900, seconds * 1_100);
        }
      },
    ]),
  ),
);
