import { type Counts, SEPARATOR, seriesIn } from "./counts.ts";
import { BUCKETS, type MetricName, metrics } from "./table.ts";

/** Prometheus text format 0.0.4. */
export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Writes every metric that has a sample, in the table's order.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function expose(counts: Counts, build: readonly [version: string, commit: string]): string {
  const all: Counts = { ...counts, mcp_build_info: { [build.join(SEPARATOR)]: [1] } };
  return metricNames.map((name) => family(name, all)).join("");
}

const isMetric = (name: string): name is MetricName => Object.hasOwn(metrics, name);
const metricNames = Object.keys(metrics).filter(isMetric);

function family(name: MetricName, counts: Counts): string {
  const { type, help, labels: names } = metrics[name];
  const series = seriesIn(counts, name);
  if (series.length === 0) return "";
  const samples = series.flatMap(({ labels, values }) => {
    const pairs = names.map((label, index): Pair => [label, labels[index] ?? ""]);
    return type === "histogram" ? histogram(name, pairs, values) : [sample(name, pairs, values[0] ?? 0)];
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.join("")}`;
}

function histogram(name: string, pairs: Pair[], [sum = 0, ...calls]: number[]): string[] {
  let below = 0;
  const buckets = calls.map((inside, index) => {
    below += inside;
    const end = BUCKETS[index];
    return sample(`${name}_bucket`, [...pairs, ["le", end === undefined ? "+Inf" : String(end)]], below);
  });
  return [...buckets, sample(`${name}_sum`, pairs, sum), sample(`${name}_count`, pairs, below)];
}

type Pair = [name: string, value: string];

function sample(name: string, pairs: Pair[], value: number): string {
  const labels = pairs.map(([label, text]) => `${label}="${escape(text)}"`).join(",");
  return `${name}${labels === "" ? "" : `{${labels}}`} ${value}\n`;
}

const escape = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
