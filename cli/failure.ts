/**
 * Says why a command failed: on standard error, and for a program that asked for JSON also as `{"error":{"message"}}` on standard
 * output. The caller sets the exit code.
 */
export function sayFailure(error: unknown, shown = messageOf(error)): void {
  console.error(shown);
  if (process.argv.includes("--json")) console.log(JSON.stringify({ error: { message: messageOf(error) } }));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
