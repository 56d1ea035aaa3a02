import { ensureMigrated } from "../database/migrate.ts";
import { logSurprise } from "../telemetry/log.ts";
import type { DeliveryLife } from "./delivery-life.ts";
import { newId } from "./feed-client.ts";
import { type Delivery, restartAt } from "./feed-state.ts";
import { DeliveryError, fetchFeed } from "./fetch-feed.ts";
import { ImportJob } from "./import-job.ts";
import type { KeptState } from "./kept-state.ts";
import { isAdminNow } from "./owner.ts";
import { DatabaseFailed, type Progress, runImport } from "./run-import.ts";
import { openUrl } from "./sealed-url.ts";
import { StorageFailed, type StoredBytes } from "./stored-bytes.ts";

/** The work on deliveries: fetches a file, then imports it over several wakes. Nothing begins unless an admin wants it. */
export class DeliveryWork {
  readonly #env: Env;
  readonly #kept: KeptState;
  readonly #bytes: StoredBytes;
  readonly #life: DeliveryLife;
  readonly #run = newId();
  #job: ImportJob | undefined;
  /** How far the delivery is that is worked on. */
  progress: Progress | undefined;

  constructor(env: Env, kept: KeptState, bytes: StoredBytes, life: DeliveryLife) {
    this.#env = env;
    this.#kept = kept;
    this.#bytes = bytes;
    this.#life = life;
  }

  /** Ends the import that is running. */
  stop(): void {
    this.#job?.stop();
    this.#job = undefined;
  }

  /** Does what is due: fetches, or lets an import go on for one wake. */
  async step(now: number): Promise<void> {
    if (this.#kept.present === undefined) return;
    this.#life.keepTime(newId(), now);
    const { current, createdBy } = this.#kept.must;
    if (current === null || current.dueAt > now || current.phase === "receiving") return;
    const who = current.approvedBy ?? createdBy;
    if (!(await isAdminNow(this.#env.DB, who))) {
      this.stop();
      this.#life.orphaned(current, who, now);
    } else if (current.phase === "fetching") await this.#fetch(current);
    else if (current.phase === "reading") await this.#read(current);
  }

  async #fetch(current: Delivery): Promise<void> {
    const { sealedUrl, id, applied, held } = this.#kept.must;
    try {
      const url = await openUrl(sealedUrl ?? "", this.#env, id);
      // A delivery that failed or waits is fetched again, whatever its server says of the applied one.
      const known = current.fetches === 0 && held === null ? (applied?.validators ?? null) : null;
      const fetched = await fetchFeed(url, known, {
        ...this.#bytes.writer(current.id),
        max: this.#bytes.max,
        onProgress: (done, all) => (this.progress = { step: "fetching", done, all: all ?? undefined }),
      });
      const now = Date.now();
      if (!this.#kept.isCurrent(current)) return;
      const isApplied = fetched.status === "unchanged" || fetched.digest === applied?.digest;
      if (isApplied || fetched.digest === this.#kept.must.held?.digest) {
        this.#life.unchanged(current, now, { isApplied });
        return;
      }
      const { digest, validators } = fetched;
      this.#kept.set({
        current: { ...current, phase: "reading", dueAt: now, digest, validators },
        checkedAt: now,
      });
      this.#life.noteFeed(now);
    } catch (error) {
      if (error instanceof StorageFailed) {
        logSurprise(error.cause, { what: "a feed's file" });
        this.#life.failed(current, "The file was fetched, but could not be stored in R2.", Date.now());
      } else if (error instanceof DeliveryError) this.#life.failed(current, error.message, Date.now());
      else throw error;
    }
  }

  /** Lets the import of a delivery go on for one wake. */
  async #read(current: Delivery): Promise<void> {
    if (this.#job?.delivery !== current.id) {
      // Counted before it begins, because an import that resets the object each time must end.
      const counted = { ...current, starts: current.starts + 1 };
      this.#kept.set({ current: counted });
      if (restartAt(counted, 0) === undefined) {
        this.#life.giveUp(counted, "The import was interrupted too often.", Date.now());
        return;
      }
      this.#job = this.#begin(counted);
    }
    const job = this.#job;
    const result = await job.wake();
    if (result !== undefined && this.#job === job) this.#job = undefined;
    const latest = this.#kept.present?.current;
    if (latest == null) return;
    const now = Date.now();
    if (result === undefined) this.#kept.set({ current: { ...latest, dueAt: now } });
    else if (latest.id === job.delivery) this.#life.wasRead(latest, result, now);
  }

  #begin(current: Delivery): ImportJob {
    const { id, options, kind, applied, name } = this.#kept.must;
    this.progress = undefined;
    return new ImportJob(current.id, async (pace) => {
      await ensureMigrated(this.#env.DB).catch((cause: unknown) => {
        throw new DatabaseFailed("D1 could not be asked for its migrations.", { cause });
      });
      return runImport({
        input: this.#bytes.input(current.id, fileName(name), {
          step: (ask) => pace.run("bytes", 0, ask),
          onRead: (bytes) => pace.take("bytes", bytes),
        }),
        options,
        db: this.#env.DB,
        pace,
        run: this.#run,
        version: JSON.stringify([id, current.id, options]),
        rowsBefore: applied?.rows ?? null,
        isUpload: kind === "upload",
        approvedBy: current.approvedBy,
        name,
        onProgress: (progress) => (this.progress = progress),
      });
    });
  }
}

/** The last part of a path, whose extension tells the format. */
const fileName = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
