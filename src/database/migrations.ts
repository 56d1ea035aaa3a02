import catalog from "../../migrations/0001_catalog.sql";
import search from "../../migrations/0002_search.sql";
import imports from "../../migrations/0003_import.sql";
import identity from "../../migrations/0004_identity.sql";
import audit from "../../migrations/0005_audit.sql";
import support from "../../migrations/0006_support.sql";
import signingKeys from "../../migrations/0007_signing_keys.sql";
import signOn from "../../migrations/0008_sign_on.sql";
import incidents from "../../migrations/0010_incidents.sql";
import spokenRules from "../../migrations/0011_spoken_rules.sql";
import retention from "../../migrations/0012_retention.sql";
import incidentRequest from "../../migrations/0013_incident_request.sql";
import lineage from "../../migrations/0014_lineage.sql";
import mostlyRefused from "../../migrations/0015_mostly_refused.sql";
import operatorLists from "../../migrations/0016_operator_lists.sql";
import vocabulary from "../../migrations/0017_vocabulary.sql";
import anchorSeals from "../../migrations/0018_anchor_seals.sql";
import wordCounts from "../../migrations/0019_word_counts.sql";
import products from "../../migrations/0020_products.sql";

/** Every file of migrations/, in order; a test compares the list with the folder. */
export const migrations: readonly { name: string; sql: string }[] = [
  { name: "0001_catalog.sql", sql: catalog },
  { name: "0002_search.sql", sql: search },
  { name: "0003_import.sql", sql: imports },
  { name: "0004_identity.sql", sql: identity },
  { name: "0005_audit.sql", sql: audit },
  { name: "0006_support.sql", sql: support },
  { name: "0007_signing_keys.sql", sql: signingKeys },
  { name: "0008_sign_on.sql", sql: signOn },
  { name: "0010_incidents.sql", sql: incidents },
  { name: "0011_spoken_rules.sql", sql: spokenRules },
  { name: "0012_retention.sql", sql: retention },
  { name: "0013_incident_request.sql", sql: incidentRequest },
  { name: "0014_lineage.sql", sql: lineage },
  { name: "0015_mostly_refused.sql", sql: mostlyRefused },
  { name: "0016_operator_lists.sql", sql: operatorLists },
  { name: "0017_vocabulary.sql", sql: vocabulary },
  { name: "0018_anchor_seals.sql", sql: anchorSeals },
  { name: "0019_word_counts.sql", sql: wordCounts },
  { name: "0020_products.sql", sql: products },
];
