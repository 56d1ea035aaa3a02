import { CATALOG, CUSTOMERS, HOUR, MINUTE, SECOND, type Story } from "./story.ts";

/** Honest work. Each function tells a whole trace; the caller is a support agent unless it says otherwise. */
export const BENIGN: Readonly<Record<string, (story: Story) => void>> = {
  /** Eight hours, a customer every eight to twelve minutes, half of them back from earlier. */
  "full-day": (story) => desk(story, { hours: 8, gap: [8 * MINUTE, 12 * MINUTE], back: 0.5 }),
  /**
   * Eight hours, a customer every nine minutes, hardly any twice: more people than the daily limit.
   * INTERRUPTED.
   */
  "crowded-day": (story) => desk(story, { hours: 8, gap: [8 * MINUTE, 10 * MINUTE], back: 0.05 }),
  /** Twelve hours, few customers. */
  "night-shift": (story) => desk(story, { hours: 12, gap: [20 * MINUTE, 50 * MINUTE], back: 0.1 }),
  /** Two hours, a customer every five and a half minutes. */
  "brisk-hours": (story) => desk(story, { hours: 2, gap: [5.3 * MINUTE, 6 * MINUTE], back: 0.15 }),
  /** A customer takes up to half an hour, with pauses between the calls. */
  "long-handling": (story) =>
    desk(story, { hours: 8, gap: [12 * MINUTE, 30 * MINUTE], back: 0.2, pause: [MINUTE, 4 * MINUTE] }),
  /** Six customers within ten minutes in the morning, then a calm day. */
  "queue-clearing"(story) {
    desk(story, { hours: 9.5 / 60, gap: [90 * SECOND, 100 * SECOND], back: 0 });
    story.wait(40 * MINUTE, HOUR);
    desk(story, { hours: 7, gap: [18 * MINUTE, 40 * MINUTE], back: 0.2 });
  },
  /** Always the order of the classic exfiltration: customer, orders, payment methods. */
  "refund-desk"(story) {
    for (const customer of story.numbers(27, CUSTOMERS)) {
      story.find(customer);
      story.orders(customer);
      story.payments(customer);
      story.wait(10 * MINUTE, 17 * MINUTE);
    }
  },
  /** Three chats at a time; everybody is found by email. */
  "chat-desk"(story) {
    for (let round = 0; round < 9; round++) {
      const open = story.numbers(3, CUSTOMERS);
      open.forEach(story.search);
      for (let turn = 0; turn < 12; turn++) {
        step(story, story.pick(open, 0));
        story.wait(MINUTE, 3 * MINUTE);
      }
      story.wait(15 * MINUTE, 25 * MINUTE);
    }
  },
  /** A third of the searches find nobody. */
  "typing-badly": (story) =>
    desk(story, { hours: 6, gap: [10 * MINUTE, 20 * MINUTE], back: 0.2, misses: 0.33 }),
  /** A software agent: one to six customers in a row, seconds each, calls side by side. */
  "fast-agent"(story) {
    for (const customer of story.numbers(story.int(1, 6), CUSTOMERS)) {
      story.find(customer);
      story.together(() => {
        story.customer(customer);
        story.payments(customer);
        for (let order = 0; order < 4; order++) story.order(customer, order);
      });
      story.wait(SECOND, 20 * SECOND);
    }
  },
  /** One customer with many orders, all read. */
  "large-account"(story) {
    const [customer = 0] = story.numbers(1, CUSTOMERS);
    story.find(customer);
    for (let block = 0; block < 6; block++) {
      story.together(() => {
        for (let order = 0; order < 12; order++) story.order(customer, block * 12 + order);
      });
      story.wait(20 * SECOND, MINUTE);
    }
  },
  /** Works on 18 to 24 tickets that are assigned to the agent. */
  "own-tickets": (story) => tickets(story, true),
  /** The same desk without assignments. INTERRUPTED. */
  "unassigned-tickets": (story) => tickets(story, false),
  /** A day of 20 customers, of whom half come back the next day. */
  "second-day"(story) {
    const yesterday = story.numbers(20, CUSTOMERS);
    for (const customers of [yesterday, [...yesterday.slice(10), ...story.numbers(10, CUSTOMERS)]]) {
      for (const customer of customers) {
        story.find(customer);
        story.customer(customer);
        story.orders(customer);
        story.wait(18 * MINUTE, 26 * MINUTE);
      }
      story.wait(16 * HOUR);
    }
  },
};

/** Shoppers and stock keepers. */
export const BENIGN_SHOPPERS: Readonly<Record<string, (story: Story) => void>> = {
  /** Fourteen searches, and a look at a third of the results, mostly popular ones. */
  "heavy-browsing"(story) {
    const shelf = story.int(0, CATALOG - 200);
    for (let search = 0; search < 14; search++) {
      const found = story.numbers(10, 120).map((each) => shelf + each);
      story.searchProducts(`wish ${search}`, found);
      for (const product of found) if (story.chance(0.33)) story.product(product);
      story.wait(10 * SECOND, 2 * MINUTE);
    }
  },
  /** The same 150 products every half hour, fifty at a time, their numbers side by side. */
  "stock-check"(story) {
    const first = story.int(0, CATALOG - 200);
    const shelf = Array.from({ length: 150 }, (_, index) => first + index);
    for (let round = 0; round < 12; round++) {
      story.together(() => {
        for (let from = 0; from < shelf.length; from += 50) story.stock(shelf.slice(from, from + 50));
      });
      story.wait(30 * MINUTE);
    }
  },
  /** Compares a whole page of products at once, side by side. */
  "fast-comparison"(story) {
    for (let round = 0; round < 4; round++) {
      const found = story.numbers(20, CATALOG);
      story.searchProducts(`compare ${round}`, found);
      story.together(() => found.forEach(story.product));
      story.wait(2 * SECOND, 10 * SECOND);
    }
  },
};

interface Rhythm {
  hours: number;
  /** Milliseconds from one customer to the next. */
  gap: [number, number];
  /** Share of customers who return. */
  back: number;
  /** Milliseconds between the calls about a customer. */
  pause?: [number, number];
  /** Share of searches that find nobody at first. */
  misses?: number;
}

function desk(story: Story, { hours, gap, back, pause = [0, 5 * SECOND], misses = 0.08 }: Rhythm): void {
  const end = story.now + hours * HOUR;
  const seen: number[] = [];
  while (story.now < end) {
    const begun = story.now;
    const customer =
      seen.length > 0 && story.chance(back) ? story.pick(seen, 0) : story.int(0, CUSTOMERS - 1);
    seen.push(customer);
    if (story.chance(misses)) story.searchMiss();
    story.find(customer);
    for (let calls = story.int(2, 8); calls > 0; calls--) {
      story.wait(...pause);
      step(story, customer);
    }
    story.now = Math.max(story.now, begun + story.int(...gap));
  }
}

/** Reads one ticket after another, and what its customer bought. */
function tickets(story: Story, assigned: boolean): void {
  for (const customer of story.numbers(story.int(18, 24), CUSTOMERS)) {
    story.ticket(customer, { assigned });
    story.customer(customer);
    story.orders(customer);
    story.close(customer);
    story.wait(12 * MINUTE, 24 * MINUTE);
  }
}

/** Does one task for a customer. */
function step(story: Story, customer: number): void {
  const kind = story.int(0, 9);
  if (kind < 2) story.customer(customer);
  else if (kind < 4) story.payments(customer);
  else if (kind < 5) story.orders(customer);
  else if (kind < 8) story.order(customer);
  else if (kind < 9) story.product(story.int(0, 60));
  else story.categories();
}
