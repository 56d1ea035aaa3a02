/** A flag of a command: its long name, and whether a value follows it. */
export interface Flag {
  name: string;
  takesValue: boolean;
}

/**
 * Returns a sentence with the line to type if npm took flags for itself: `npm run deploy --dry-run` without
 * `--` starts the script without its flag, and leaves the flag in the environment. Undefined if none is lost.
 */
export function lostFlags(
  flags: readonly Flag[],
  args: readonly string[],
  env: Record<string, string | undefined>,
): string | undefined {
  const script = env["npm_lifecycle_event"];
  const lost = flags.flatMap(({ name, takesValue }) => {
    const value = env[`npm_config_${name.replaceAll("-", "_")}`] ?? env[`npm_config_${name}`];
    return value === undefined || value === "" || value === "false" ? [] : [{ name, takesValue, value }];
  });
  if (script === undefined || lost.length === 0) return undefined;
  const names = lost.map(({ name }) => `--${name}`).join(", ");
  // npm reads `--port 3000` as a flag without a value, and hands on the value as a word.
  const parted = lost.filter(({ takesValue, value }) => takesValue && value === "true");
  const rest = lost
    .filter((flag) => !parted.includes(flag))
    .map(({ name, value, takesValue }) => `--${name}${takesValue ? `=${quoted(value)}` : ""}`);
  const known = parted.length === 1 && args.length === 1 ? [`--${parted[0]?.name}`] : [];
  const isClear = parted.length === known.length;
  const words = isClear ? [...known, ...args.map(quoted), ...rest] : ["…"];
  const again = script === "test" ? "npm test --" : `npm run ${script} --`;
  return `npm keeps ${names} for itself, so nothing was done. Put -- before what you typed: ${again} ${words.join(" ")}`;
}

const quoted = (word: string): string => (/^[\w./:@=-]+$/.test(word) ? word : `"${word}"`);
