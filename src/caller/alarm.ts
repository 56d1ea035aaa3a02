/** The object's one alarm. It is set for whatever is due first. */
export class Alarm {
  readonly #storage: DurableObjectStorage;
  /** Milliseconds since the epoch; null if none is set, undefined until it was read. */
  #at: number | null | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  async read(): Promise<void> {
    this.#at = await this.#storage.getAlarm();
  }

  /** Must be called when the alarm rings, which unsets it. */
  noteRung(): void {
    this.#at = null;
  }

  /** Makes the alarm ring at exactly this time; undefined unsets it. */
  ringAt(at: number | undefined): void {
    if (this.#at === (at ?? null)) return;
    this.#at = at ?? null;
    void (at === undefined ? this.#storage.deleteAlarm() : this.#storage.setAlarm(at));
  }

  /** Makes the alarm ring at a time or earlier. Setting it is a billed write, so a sooner alarm is left alone. */
  ringBy(at: number | undefined): void {
    if (at === undefined) return;
    if (typeof this.#at === "number" && this.#at <= at) return;
    this.#at = at;
    void this.#storage.setAlarm(at);
  }
}
