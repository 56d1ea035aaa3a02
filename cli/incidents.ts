// incidents: lists incidents, with the page to decide on.

import { adminCommand } from "./admin/console.ts";
import { INCIDENT_COLUMNS, decideLines } from "./admin/lists.ts";

const admin = adminCommand("incidents");
admin.program
  .description("List incidents, those that wait for a decision first, with the page to decide on.")
  .option("--open", "only open incidents")
  .option(
    "--folded <rule>",
    "list the anonymous callers' incidents of this rule, which the list shows as one row",
  )
  .option("--all", "print all rows, not the first 100")
  .action(({ open, folded, all }: { open?: boolean; folded?: string; all?: boolean }) =>
    admin.list(
      "/incidents",
      { which: open === true ? "open" : undefined, folded },
      { all: all === true, columns: INCIDENT_COLUMNS, after: decideLines },
    ),
  );

await admin.run();
