import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { inflate } from "@sparticuz/chromium";
import { type Browser, type LaunchOptions, chromium } from "playwright-core";
import * as z from "zod";

/** A browser, or a sentence that says why there is none. */
export type Launched = { browser: Browser } | { missing: string };

/** Options that stop the browser's own network requests. */
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Places where Chromium is installed; Playwright does not look there. */
const CHROMIUM = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/snap/bin/chromium",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** Unpacks the browser from npm before any test runs, because that may take longer than a test's timeout. */
export default async function setup(): Promise<void> {
  if (npmBrowserRuns()) await unpack();
}

/**
 * Launches the browser from npm where it runs (Linux x64 with glibc), else an installed Chrome, Edge or
 * Chromium. Throws if npm's browser should start but does not, and there is no other.
 */
export async function launchBrowser(): Promise<Launched> {
  const installed: LaunchOptions[] = [
    ...["chrome", "msedge"].map((channel) => ({ channel })),
    ...CHROMIUM.filter((path) => existsSync(path)).map((executablePath) => ({ executablePath })),
  ];
  const failures: unknown[] = [];
  const candidates = npmBrowserRuns() ? [unpackedFromNpm, ...installed] : installed;
  for (const candidate of candidates) {
    try {
      const options = typeof candidate === "function" ? await candidate() : candidate;
      return { browser: await chromium.launch({ ...options, args: ARGS }) };
    } catch (error) {
      failures.push(error);
    }
  }
  if (npmBrowserRuns()) throw failures[0];
  return {
    missing: `there is no browser: npm brings one for Linux x64 alone, and no Chrome, Edge or Chromium is installed on this ${process.platform} ${process.arch}`,
  };
}

const reportSchema = z.object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) });

function npmBrowserRuns(): boolean {
  if (process.platform !== "linux" || process.arch !== "x64") return false;
  return reportSchema.parse(process.report.getReport()).header.glibcVersionRuntime !== undefined;
}

/** The browser of @sparticuz/chromium, which includes the libraries and the font that a bare system lacks. */
async function unpackedFromNpm(): Promise<LaunchOptions> {
  const folder = await unpack();
  return {
    executablePath: join(folder, "chromium"),
    env: {
      ...process.env,
      // Under LANG=C its ICU reports a language that Intl rejects.
      LC_ALL: "en_US.UTF-8",
      LD_LIBRARY_PATH: join(folder, "al2023/lib"),
      FONTCONFIG_FILE: join(folder, "fonts.conf"),
    },
  };
}

const PACKAGE = resolve("node_modules/@sparticuz/chromium");
const CACHE = resolve("node_modules/.cache");

/**
 * Unpacks it once per version, whole or not at all, because several test files may start at the same time.
 */
async function unpack(): Promise<string> {
  const text = await readFile(join(PACKAGE, "package.json"), "utf8");
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(text));
  const folder = join(CACHE, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(`${folder}-`);
  try {
    await inflateInto(draft);
    await writeFile(join(draft, "fonts.conf"), fontsConf(folder));
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** The package unpacks into the temporary folder, whose name it reads before its first await. */
async function inflateInto(folder: string): Promise<void> {
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  const parts = ["chromium.br", "al2023.tar.br", "fonts.tar.br"].map((part) =>
    inflate(join(PACKAGE, "bin", part)),
  );
  if (before === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before;
  await Promise.all(parts);
}

/** The package's own configuration names /tmp/fonts, wherever it was unpacked. */
const fontsConf = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, "fonts")}</dir>
  <cachedir>${join(folder, "fonts-cache")}</cachedir>
</fontconfig>
`;
