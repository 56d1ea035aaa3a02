/// <reference lib="dom" />
import { readFile } from "node:fs/promises";
import type { Frame, Page } from "playwright-core";

const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");

/** Returns what axe finds on the open page, and whether the page scrolls sideways. */
export async function problemsOn(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return problemsFound(page);
}

/** The same for a frame whose policy allows inline scripts, and no other way to load one. */
export async function problemsIn(frame: Frame): Promise<string[]> {
  await frame.evaluate((source) => {
    if (Reflect.has(window, "axe")) return;
    const script = document.createElement("script");
    script.textContent = source;
    document.head.append(script);
  }, axe);
  return problemsFound(frame);
}

const problemsFound = (of: Pick<Page, "evaluate">): Promise<string[]> =>
  of.evaluate(async () => {
    const root = document.documentElement;
    const wide = root.scrollWidth > root.clientWidth ? [`scrolls to ${root.scrollWidth}`] : [];
    const runner: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } =
      Reflect.get(window, "axe");
    const { violations } = await runner.run();
    return [
      ...wide,
      ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
    ];
  });
