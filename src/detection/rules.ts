import * as z from "zod";
import { CALL_KINDS, DATA_CLASSES, PERSONAL_CLASSES } from "./labels.ts";
import { DAY, windowSchema } from "./window.ts";

export const MODES = ["off", "shadow", "enforce"] as const;
/** From mild to strict. `flag` lets the call run; the other three stop it. */
export const RULE_VERDICTS = ["flag", "throttle", "confirm", "block"] as const;

const count = z.int().min(0).max(1_000_000_000);
const limits = <Limit extends z.ZodType>(limit: Limit) =>
  z.array(limit).min(1).max(4).describe("Checked in order; the first limit that is exceeded is reported");
const personal = z.array(z.enum(PERSONAL_CLASSES)).min(1);
const classes = z.array(z.enum(DATA_CLASSES)).min(1).describe("Calls whose answers may hold any of these");

const peopleLimit = z.strictObject({
  window: windowSchema,
  max: count.describe("This many people are allowed, one more is not"),
});
const exactPeopleLimit = peopleLimit.refine(({ window }) => window <= DAY, {
  message: "This kind of rule looks back 24h at most",
  path: ["window"],
});
const countLimit = z.strictObject({
  window: windowSchema,
  max: count.describe("This much is allowed, more is not"),
});

const sizeLimit = z
  .strictObject({
    window: windowSchema.optional().describe("How far back to look; absent: at the call alone"),
    units: count.optional().describe("Units added or removed, both counted"),
    removed: count.optional().describe("Units removed, less those added of the same product elsewhere"),
    skus: count.optional().describe("Products changed, again for each call"),
    emptied: count
      .optional()
      .describe("Products that lost nine tenths or more of their units where they were changed"),
    of_catalog: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Allows this part of the catalog's products to be emptied, if that is more than `emptied`"),
    others: count.optional().describe("Reservations of other callers that were released"),
    of_stock: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Part of all units in stock that was removed: 0.1 is a tenth"),
    share: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Part of the named stock that the call itself removes: 0.5 is half"),
  })
  .refine(
    ({ units, removed, skus, emptied, others }) =>
      [units, removed, skus, emptied, others].some((each) => each !== undefined),
    {
      message: "Name units, removed, skus, emptied or others",
    },
  )
  .describe("Everything that the limit names must be exceeded");

const base = {
  id: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, "Use lower case letters, digits and hyphens")
    .describe("Names the rule in the audit and in incidents"),
  version: z.int().min(1).describe("Raise it with every change: a new version starts counting from zero"),
  mode: z.enum(MODES).describe("off: not checked. shadow: only recorded. enforce: recorded and enforced"),
  verdict: z
    .enum(RULE_VERDICTS)
    .describe(
      "flag: recorded. throttle: refused for now. confirm: a person must agree. block: refused, and all that follows",
    ),
  roles: z.array(z.string().min(1)).min(1).optional().describe("Callers with any of these; absent: everyone"),
  except_roles: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Callers with none of these; absent: everyone whom `roles` names"),
  about: z.string().max(500).optional().describe("Why the rule exists, for readers"),
};

export const ruleSchema = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: z.literal("subjects"),
      ...base,
      classes: personal
        .optional()
        .describe("Counts people if any of these were read about them; absent: any personal data"),
      unexplained: z
        .strictObject({
          emails_a_day: count.describe("This many people a day are explained by an email address alone"),
        })
        .optional()
        .describe(
          "Counts only people whom the caller did not find by details of theirs that no answer had shown it, and who have no ticket assigned to it",
        ),
      limits: limits(peopleLimit),
    })
    .refine(
      ({ unexplained, limits: all }) => unexplained === undefined || all.every(({ window }) => window <= DAY),
      {
        message: "A rule about unexplained people looks back 24h at most",
        path: ["limits"],
      },
    )
    .describe(
      "Different people whose data was first read in the window. Beyond 24h, the people of each day are added up",
    ),
  z
    .strictObject({
      kind: z.literal("profile"),
      ...base,
      classes: personal.describe("All of these about one person, in any order, with any gaps"),
      limits: limits(exactPeopleLimit),
    })
    .describe("People about whom all the classes were read in the window"),
  z
    .strictObject({
      kind: z.literal("sequence"),
      ...base,
      per: z
        .enum(["subject", "caller"])
        .describe("subject: all steps about the same person. caller: steps about anyone"),
      steps: z
        .array(
          z
            .strictObject({
              classes: z.array(z.enum(DATA_CLASSES)).min(1).optional().describe("What its answer may hold"),
              tools: z.array(z.string().min(1)).min(1).optional().describe("Which tool it is"),
              kinds: z.array(z.enum(CALL_KINDS)).min(1).optional().describe("What it does"),
            })
            .describe("A call that has one of each list given"),
        )
        .min(2)
        .max(5)
        .describe("In this order, with anything in between"),
      limits: limits(exactPeopleLimit),
    })
    .describe("People about whom the steps happened in this order in the window, with anything in between"),
  z
    .strictObject({
      kind: z.literal("budget"),
      ...base,
      classes: classes.optional(),
      except_classes: classes.optional().describe("Calls whose answers can't hold any of these"),
      kinds: z.array(z.enum(CALL_KINDS)).min(1).optional().describe("Calls that do any of these"),
      of: z.enum(["records", "bytes"]).describe("What is added up"),
      limits: limits(countLimit),
    })
    .refine(({ classes: of, kinds }) => of !== undefined || kinds !== undefined, {
      message: "Name classes or kinds",
      path: ["classes"],
    })
    .describe("Records or bytes that may be answered, or written, in the window"),
  z
    .strictObject({
      kind: z.literal("products"),
      ...base,
      spares: z
        .int()
        .min(1)
        .max(50)
        .optional()
        .describe(
          "Past the limits, calls that can answer at most this many products still run, and pages shrink to this size",
        ),
      limits: limits(
        z.strictObject({
          window: windowSchema,
          share: z.number().gt(0).max(1).describe("Share of the catalog: 0.05 is one in twenty"),
          least: count.describe("Allowed however small the catalog is"),
        }),
      ),
    })
    .describe("Different products answered or named in the window, against the size of the catalog"),
  z
    .strictObject({ kind: z.literal("adjacency"), ...base, classes, limits: limits(countLimit) })
    .describe("Ids named that lie within 16 of another one named in the window"),
  z
    .strictObject({
      kind: z.literal("misses"),
      ...base,
      classes,
      limits: limits(
        z.strictObject({
          window: windowSchema,
          max: count.describe("This many misses are allowed whatever their share"),
          share: z
            .number()
            .gt(0)
            .max(1)
            .optional()
            .describe(
              "Share of misses among all names that could miss, from which more are refused; absent: none is needed",
            ),
          ceiling: count
            .optional()
            .describe("Past this many misses more are refused, however small their share is"),
        }),
      ),
    })
    .describe("Calls in the window that asked for something that does not exist"),
  z
    .strictObject({ kind: z.literal("canary"), ...base })
    .describe("An answer held a record that no honest caller finds"),
  z
    .strictObject({
      kind: z.literal("taint"),
      ...base,
      next: z
        .array(z.enum(["write", "sink"]))
        .min(1)
        .describe("What may not follow"),
      window: windowSchema,
    })
    .describe("A write or sink after an answer whose third-party text reads like an instruction"),
  z
    .strictObject({
      kind: z.literal("size"),
      ...base,
      limits: limits(sizeLimit),
    })
    .describe("Stock that calls in the window changed, by the size that is planned before each call runs"),
  z
    .strictObject({ kind: z.literal("flooding"), ...base, limits: limits(exactPeopleLimit) })
    .describe("People pushed out of the detector's bounded memory in the window"),
]);

export type Rule = z.output<typeof ruleSchema>;
export type RuleOf<Kind extends Rule["kind"]> = Extract<Rule, { kind: Kind }>;

export const rulesSchema = z
  .array(ruleSchema)
  .max(24)
  .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, "Two rules have the same id")
  .refine((rules) => rules.filter(({ kind }) => kind === "sequence").length <= 4, "Four sequences at most");

/** Returns the key under which a rule's counts are kept. A new version starts counting from zero. */
export const ruleKey = ({ id, version }: Pick<Rule, "id" | "version">): string => `${id}@${version}`;
