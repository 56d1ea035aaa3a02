/** A flag of a command. */
export interface Flag {
  /** Its long name, without dashes. */
  name: string;
  /** Whether a word can be its value; absent if it takes none. */
  accepts?: (word: string) => boolean;
  /** It takes all words that follow. */
  isVariadic?: boolean;
}

/**
 * Returns a sentence with the line to type if npm took flags for itself: `npm run deploy --dry-run` without
 * `--` starts the script without its flag, and leaves the flag in the environment. Undefined if none is lost.
 * `words` are the arguments that npm handed on.
 */
export function lostFlags(
  flags: readonly Flag[],
  words: readonly string[],
  env: Record<string, string | undefined>,
): string | undefined {
  const script = env["npm_lifecycle_event"];
  const lost = flags.flatMap((flag) => {
    const value = env[`npm_config_${flag.name.replaceAll("-", "_")}`];
    return value === undefined || value === "" || value === "false" ? [] : [{ ...flag, value }];
  });
  if (script === undefined || lost.length === 0) return undefined;
  const names = lost.map(({ name }) => `--${name}`).join(", ");
  const again = script === "test" ? "npm test --" : `npm run ${script} --`;
  return `npm keeps ${names} for itself, so nothing was done. Put -- before your words: ${again} ${lineOf(lost, words)}`;
}

/** The words to type after `--`, or … if the environment does not tell where they belong. */
function lineOf(lost: readonly (Flag & { value: string })[], words: readonly string[]): string {
  // npm takes `--port 3000` as a flag without a value, and hands the value on as a word.
  const [parted, ...others] = lost.filter(({ accepts, value }) => accepts !== undefined && value === "true");
  const whole = lost
    .filter((flag) => flag !== parted)
    .map(({ name, accepts, value }) => `--${name}${accepts === undefined ? "" : `=${quoted(value)}`}`);
  if (parted === undefined) return [...words.map(quoted), ...whole].join(" ");
  const values = parted.isVariadic === true ? words : words.filter((word) => parted.accepts?.(word));
  if (others.length > 0 || (values.length !== 1 && parted.isVariadic !== true)) return "…";
  const rest = words.filter((word) => !values.includes(word));
  return [...rest.map(quoted), ...whole, `--${parted.name}`, ...values.map(quoted)].join(" ");
}

const quoted = (word: string): string => (/^[\w./:@=-]+$/.test(word) ? word : `"${word}"`);
