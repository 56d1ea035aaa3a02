import type { Source } from "./open-source.ts";

/** Loaded for a terminal alone. */
const bars = process.stderr.isTTY ? await import("cli-progress") : undefined;

export interface Progress {
  /** Shows that `done` things are finished. */
  update(done: number): void;
  stop(): void;
}

const LINE_EVERY_MS = 2_000;

/**
 * Shows progress on standard error: a bar with rate and remaining time on a terminal, else a line every two
 * seconds.
 */
export function showProgress(source: Source, what: string, things = "products"): Progress {
  const started = Date.now();
  const rate = (done: number) => Math.round((done * 1000) / Math.max(1, Date.now() - started));
  if (bars !== undefined && source.size !== undefined) {
    const bar = new bars.SingleBar(
      {
        format: `${what} {bar} {percentage}% | {done} ${things} | {rate}/s | {eta_formatted} left`,
        stream: process.stderr,
        etaBuffer: 50,
      },
      bars.Presets.shades_classic,
    );
    bar.start(source.size, 0, { done: 0, rate: 0 });
    return {
      update: (done) =>
        bar.update(source.taken(), {
          done: done.toLocaleString("en"),
          rate: rate(done).toLocaleString("en"),
        }),
      stop: () => bar.stop(),
    };
  }
  // The wait for the first row is no progress.
  let printed: number | undefined;
  return {
    update(done) {
      printed ??= Date.now();
      if (Date.now() - printed < LINE_EVERY_MS) return;
      printed = Date.now();
      const share = source.size === undefined ? "" : `${Math.round((100 * source.taken()) / source.size)}%, `;
      process.stderr.write(
        `${what}: ${share}${done.toLocaleString("en")} ${things}, ${rate(done).toLocaleString("en")}/s\n`,
      );
    },
    stop() {},
  };
}
