import catalog from "../../migrations/0001_catalog.sql";
import imports from "../../migrations/0002_import.sql";

/** Every file of migrations/, in order; a test compares the list with the folder. */
export const migrations: readonly { name: string; sql: string }[] = [
  { name: "0001_catalog.sql", sql: catalog },
  { name: "0002_import.sql", sql: imports },
];
