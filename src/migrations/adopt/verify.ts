import {
  type Catalog,
  type CatalogDifference,
  compareCatalogs,
  planDifference,
  type ReadCatalogOptions,
  readCatalog,
} from "../../catalog/index.ts";
import type { Connection } from "../../driver/index.ts";
import type { Shadow, ShadowDatabase } from "../../shadow/index.ts";
import { buildFromStatements } from "../replay.ts";

/** Where a database and what the migrations make of an empty one part. */
export interface BaselineFinding {
  /** `baseline-written-differently`: two versions of PostgreSQL have other words for the same; it stops nothing. */
  readonly rule: "baseline-differs" | "baseline-down-differs" | "baseline-written-differently";
  readonly level: "error" | "warning";
  /** `table tasks` */
  readonly object: string;
  readonly why: string;
  readonly fix: string;
}

/** What is read of either side. */
export interface CatalogScope extends ReadCatalogOptions {
  readonly schemaName: string;
}

export function readShadow(database: ShadowDatabase, scope: CatalogScope): Promise<Catalog> {
  return database.use((connection) => readScope(connection, scope));
}

export function readScope(connection: Connection, { schemaName, schemas }: CatalogScope): Promise<Catalog> {
  return readCatalog(connection, schemaName, { schemas });
}

/** Whether nothing stands against recording. */
export function isProven(findings: readonly BaselineFinding[]): boolean {
  return findings.every(({ level }) => level !== "error");
}

/** Kinds that the server writes out of its parse tree, in words that change from version to version. */
const WRITTEN_BY_SERVER: ReadonlySet<string> = new Set([
  "view",
  "materialized view",
  "rule",
  "function",
  "procedure",
]);

/**
 * Differences as findings; none when the replay makes what the database is. On servers of two versions, what differs in
 * the server's own words only is built from the database's words on the shadow server and compared there.
 *
 * @param remedy what to do about a difference
 */
export async function findingsBetween(
  shadow: Shadow,
  {
    live,
    replayed,
    scope,
  }: { readonly live: Catalog; readonly replayed: Catalog; readonly scope: CatalogScope },
  remedy: string,
): Promise<readonly BaselineFinding[]> {
  const differences = compareCatalogs(live, replayed);
  if (live.serverVersion === replayed.serverVersion || differences.length === 0) {
    return differences.map((one) => differs(one, `${remedy} Nothing was recorded.`));
  }
  const versions = `PostgreSQL ${live.serverVersion} and ${replayed.serverVersion}`;
  const fix = `${remedy} Nothing was recorded. The servers are ${versions}: with --shadow-url, prove it on one of the database's version.`;
  const doubtful = differences.filter(
    ({ kind, left, right }) => WRITTEN_BY_SERVER.has(kind) && left !== undefined && right !== undefined,
  );
  const real = doubtful.length === 0 ? [] : await rebuiltDifferences(shadow, live, replayed, scope);
  return differences.map((one) => {
    const isReal =
      !doubtful.includes(one) || real.some(({ kind, name }) => kind === one.kind && name === one.name);
    return isReal ? differs(one, fix) : writtenDifferently(one, versions);
  });
}

/** The database's own words, as the shadow server understands them. */
async function rebuiltDifferences(
  shadow: Shadow,
  live: Catalog,
  replayed: Catalog,
  scope: CatalogScope,
): Promise<readonly CatalogDifference[]> {
  const empty = await buildFromStatements(shadow, [], scope.schemaName);
  const plan = planDifference(await readShadow(empty, scope), live, { online: false });
  await empty.drop();
  const rebuilt = await buildFromStatements(shadow, plan.statements, scope.schemaName);
  try {
    return compareCatalogs(await readShadow(rebuilt, scope), replayed);
  } finally {
    await rebuilt.drop();
  }
}

/** The same for the way down of a baseline. */
export function downFindingsBetween(empty: Catalog, undone: Catalog): readonly BaselineFinding[] {
  return compareCatalogs(empty, undone).map(({ kind, name, left = "nothing", right = "nothing" }) => ({
    rule: "baseline-down-differs",
    level: "error",
    object: `${kind} ${name}`,
    why: `an empty database has\n    ${left}\n  and its way down leaves\n    ${right}`,
    fix: "Nothing was written. Please report the object that led here.",
  }));
}

function differs(
  { kind, name, left = "nothing", right = "nothing" }: CatalogDifference,
  fix: string,
): BaselineFinding {
  return {
    rule: "baseline-differs",
    level: "error",
    object: `${kind} ${name}`,
    why: `the database has\n    ${left}\n  and the migrations make\n    ${right}`,
    fix,
  };
}

function writtenDifferently({ kind, name }: CatalogDifference, versions: string): BaselineFinding {
  return {
    rule: "baseline-written-differently",
    level: "warning",
    object: `${kind} ${name}`,
    why: `${versions} write it differently; built on one of them, both are the same`,
    fix: "Nothing to do. A shadow server of the database's version (--shadow-url) would compare it word by word.",
  };
}
