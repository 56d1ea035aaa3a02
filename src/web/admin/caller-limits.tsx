import type { Overview } from "../../caller/overview.ts";
import type { Bucket } from "../../caller/audit/records.ts";
import type { Limit } from "../../policy/schema.ts";
import { Ago, At, Chip } from "./elements.tsx";
import { number } from "./units.ts";

const BUCKET_NAMES: Record<Bucket, string> = { calls: "Calls", discovery: "Lists and handshakes" };

/** The rate limits of a caller and how much of each is used now. */
export function RateLimits({ overview, limits }: { overview: Overview; limits: Record<Bucket, Limit> }) {
  return (
    <ul class="meters">
      {overview.budget.map(({ bucket, used }) => (
        <li>
          <span id={`budget-${bucket}`}>
            {BUCKET_NAMES[bucket]}: {number(used)} of {number(limits[bucket].max)} in{" "}
            {number(limits[bucket].window_s)} s
          </span>
          <meter
            aria-labelledby={`budget-${bucket}`}
            max={limits[bucket].max}
            high={limits[bucket].max * 0.8}
            value={used}
          />
        </li>
      ))}
    </ul>
  );
}

/** The block, taint and allowances of a caller. */
export function Restrictions({ overview, now }: { overview: Overview; now: number }) {
  const { block, taint, releases } = overview;
  return (
    <ul class="plain-list">
      <li>
        {block === null ? (
          <Chip tone="good">no block</Chip>
        ) : (
          <>
            <Chip tone="high">blocked</Chip> by {block.rule} until <At at={block.until} />
          </>
        )}
      </li>
      <li>
        {taint === null ? (
          <Chip tone="good">not tainted</Chip>
        ) : (
          <>
            <Chip tone="medium">tainted</Chip> by text like an instruction, <Ago at={taint.at} now={now} />,
            in call {number(taint.attempt)}
          </>
        )}
      </li>
      {releases.map(({ rule, until, allowance }) => (
        <li>
          <Chip tone="low">allowed</Chip> past {rule}, {number(allowance)} more, until <At at={until} />
        </li>
      ))}
    </ul>
  );
}
