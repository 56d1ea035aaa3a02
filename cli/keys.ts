// keys: manages access keys, on this machine or on a deployed server.

import { keyDays, roleNames } from "./arguments.ts";
import { CODE_VARIABLE } from "./admin/client.ts";
import { adminCommand } from "./admin/console.ts";
import { KEY_END, keyLimits } from "./admin/lists.ts";

const admin = adminCommand("keys");
admin.program.description("Manage access keys. Secrets are shown once, and not stored.");
admin.listing("/keys", ["id", "user", "label", ["only", keyLimits], "last_used_at", KEY_END]);
admin.program
  .command("create")
  .description("Make a key, and show it once.")
  .requiredOption("--user <id>", "the user of the key")
  .requiredOption("--label <label>", "the purpose of the key")
  .option("--roles <role...>", "limit the key to these of the user's roles", roleNames)
  .option("--days <number>", "days until it expires", keyDays)
  .option("--require-signature", "refuse unsigned requests with this key (docs/signing.md)")
  .action(
    (options: { user: string; label: string; roles?: string[]; days?: number; requireSignature?: boolean }) =>
      admin.send("POST", "/keys", {
        user: options.user,
        label: options.label,
        roles: options.roles,
        expires_in_days: options.days,
        signature: options.requireSignature === true ? "required" : "optional",
        recovery_code: process.env[CODE_VARIABLE],
      }),
  );
admin.revoking("/keys");

await admin.run();
