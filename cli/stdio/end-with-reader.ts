/** Exits with 0 on a signal, and when nobody reads the output any more. */
export function endWithReader(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(0));
  process.stdout.on("error", () => process.exit(0));
}
