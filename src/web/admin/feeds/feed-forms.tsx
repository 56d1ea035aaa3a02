import { PRESET_NAMES } from "../../../catalog/import/read/presets/index.ts";
import { CheckboxField, FormProblem, SelectField, TextField } from "../form-fields.tsx";
import { NOT_SENT, type Sent } from "../form-values.ts";
import { FEEDS } from "./paths.ts";

const KINDS: Readonly<Record<(typeof PRESET_NAMES)[number], string>> = {
  shopify: "Shopify export",
  woocommerce: "WooCommerce export",
  google: "Google Merchant feed",
  acp: "ACP feed",
  plain: "This catalog's own columns",
};

/** The fields that a feed and a file share. */
function ReadFields(field: { sent: Sent; form: string }) {
  return (
    <>
      <SelectField
        {...field}
        name="from"
        label="Kind"
        choices={[
          ["", "Find out by its columns"],
          ...PRESET_NAMES.map((name) => [name, KINDS[name]] as const),
        ]}
      />
      <TextField
        {...field}
        name="currency"
        label="Currency (optional)"
        max={3}
        hint="For prices that name no currency, such as EUR."
      />
      <CheckboxField
        {...field}
        name="choices"
        label="Products"
        choices={[
          ["remove_missing", "Discontinue products that it lacks"],
          ["quarantine", "Keep out texts like instructions"],
        ]}
        ticked={[]}
      />
    </>
  );
}

/** Sends a file in pieces (public/assets/upload.js). `max` is in MiB. */
export function UploadForm({ max }: { max: number }) {
  return (
    <form id="upload" method="post" action={`${FEEDS}/uploads`}>
      <p class="field">
        <label for="upload-file">File</label>
        <input
          id="upload-file"
          name="file"
          type="file"
          required
          data-max={max}
          accept=".csv,.tsv,.json,.jsonl,.ndjson,.xml,.rss,.atom,.gz,.txt"
        />
        <small class="quiet">
          CSV, TSV, JSON or XML, gzipped or not, up to {max} MiB. Nothing changes until you apply it.
        </small>
      </p>
      <ReadFields sent={NOT_SENT} form="upload" />
      <div class="actions">
        <button class="main">Send the file</button>
      </div>
      <p id="upload-state" role="status" />
    </form>
  );
}

export function FeedForm({ sent }: { sent: Sent }) {
  const field = { sent, form: "feed" };
  return (
    <form method="post" action={FEEDS}>
      <FormProblem sent={sent} />
      <TextField
        {...field}
        name="url"
        label="Address"
        max={2000}
        isRequired
        hint="https. Its query and password are stored encrypted and never shown."
      />
      <SelectField
        {...field}
        name="every_minutes"
        label="How often"
        choices={[
          ["360", "Every 6 hours"],
          ["60", "Every hour"],
          ["1440", "Every day"],
        ]}
      />
      <ReadFields {...field} />
      <div class="actions">
        <button class="main">Add the feed</button>
      </div>
    </form>
  );
}
