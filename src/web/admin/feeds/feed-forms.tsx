import { PRESET_NAMES } from "../../../catalog/import/read/presets/index.ts";
import { FEEDS } from "./paths.ts";

const KINDS: Readonly<Record<(typeof PRESET_NAMES)[number], string>> = {
  shopify: "Shopify export",
  woocommerce: "WooCommerce export",
  google: "Google Merchant feed",
  acp: "ACP feed",
  plain: "This catalog's own columns",
};

/** The fields that a feed and a file share. `id` keeps their ids apart on one page. */
function ReadFields({ id }: { id: string }) {
  return (
    <>
      <p class="field">
        <label for={`${id}-from`}>Kind</label>
        <select id={`${id}-from`} name="from">
          <option value="">Find out by its columns</option>
          {PRESET_NAMES.map((name) => (
            <option value={name}>{KINDS[name]}</option>
          ))}
        </select>
      </p>
      <p class="field">
        <label for={`${id}-currency`}>Currency, if the file names none</label>
        <input
          id={`${id}-currency`}
          name="currency"
          type="text"
          maxlength={3}
          placeholder="EUR"
          autocomplete="off"
        />
      </p>
      <div class="ticks">
        <label>
          <input type="checkbox" name="remove_missing" value="yes" />
          Discontinue products that it lacks
        </label>
        <label>
          <input type="checkbox" name="quarantine" value="yes" />
          Keep out texts like instructions
        </label>
      </div>
    </>
  );
}

/** Sends a file in pieces (public/assets/upload.js). */
export function UploadForm() {
  return (
    <form id="upload" method="post" action={`${FEEDS}/uploads`}>
      <p class="field">
        <label for="upload-file">File</label>
        <input
          id="upload-file"
          name="file"
          type="file"
          required
          accept=".csv,.tsv,.json,.jsonl,.ndjson,.xml,.rss,.atom,.gz,.txt"
        />
        <small class="quiet">
          CSV, TSV, JSON or XML, gzipped or not, up to 64 MiB. Nothing changes until you apply it.
        </small>
      </p>
      <ReadFields id="upload" />
      <div class="actions">
        <button class="main">Send the file</button>
      </div>
      <p id="upload-state" role="status" />
    </form>
  );
}

const EVERY = [
  [60, "Every hour"],
  [6 * 60, "Every 6 hours"],
  [24 * 60, "Every day"],
] as const;

export function FeedForm() {
  return (
    <form method="post" action={FEEDS}>
      <p class="field">
        <label for="feed-url">Address</label>
        <input
          id="feed-url"
          name="url"
          type="url"
          required
          maxlength={2000}
          autocomplete="off"
          placeholder="https://…"
        />
        <small class="quiet">https. Its query and password are stored encrypted and never shown.</small>
      </p>
      <p class="field">
        <label for="feed-every">How often</label>
        <select id="feed-every" name="every_minutes">
          {EVERY.map(([minutes, words]) => (
            <option value={String(minutes)} selected={minutes === 360}>
              {words}
            </option>
          ))}
        </select>
      </p>
      <ReadFields id="feed" />
      <div class="actions">
        <button class="main">Add the feed</button>
      </div>
    </form>
  );
}
