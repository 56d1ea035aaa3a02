import { FILES } from "./forms/files.ts";
import type { Form } from "./forms/form.ts";
import { MEASURING } from "./forms/measuring.ts";
import { SERVING } from "./forms/serving.ts";

/**
 * How CI runs each command that the pages name. The files of test/slow/documented-commands run the forms of a group in their order
 * in a copy of the project. A documented command without a form fails test/node/documented-commands.test.ts.
 */
export const FORMS: Record<string, Form> = { ...SERVING, ...FILES, ...MEASURING };
