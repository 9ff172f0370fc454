import {
  type Catalog,
  type CatalogDifference,
  compareCatalogs,
  type DifferencePlan,
  planDifference,
  readCatalog,
} from "../../catalog/index.ts";
import { type ConnectionTarget, connect, retarget } from "../../driver/index.ts";
import type { Shadow } from "../../shadow/index.ts";
import { baselineScopeOf } from "../adopt/baseline-file.ts";
import { leaveOut } from "../adopt/leave-out.ts";
import { readMigrations } from "../folder.ts";
import { isApplied, type LedgerRow, readLedger } from "../ledger.ts";
import type { MigrationFile } from "../migration-file.ts";
import { matchHistory } from "../plan.ts";
import { replayMigrations } from "../replay.ts";
import { describeStatus } from "../status.ts";
import { readOwners, withoutRightsOf, withVersionsOf } from "./comparable.ts";
import { rebuildOn } from "./rebuild.ts";

/** What is compared with what. */
export interface DriftOptions {
  /** The live database. It is only read. */
  readonly target: ConnectionTarget;
  /** The application's schema. */
  readonly schemaName: string;
  /** Absolute path of the folder. */
  readonly folder: string;
  /** Where the applied migrations are replayed. Best of the live server's version. */
  readonly shadow: Shadow;
  /** Whose rights are not the migrations' but kept by `roles sync`. @default nobody's */
  readonly roles?: readonly string[] | undefined;
}

/** Something that is not as the migrations made it. */
export interface DriftFinding {
  /** `drift-unchecked`: the history itself is not in order, so nothing could be compared. */
  readonly rule: "drift" | "drift-unchecked";
  readonly level: "error" | "warning";
  /** `trigger tasks.touch`, `column tasks.title`, `grant table tasks to web`. */
  readonly object: string;
  /** With the definition on both sides. */
  readonly why: string;
  readonly fix: string;
}

/** How a live database differs from its migrations. */
export interface DriftReport {
  /** How many applied migrations were replayed. */
  readonly applied: number;
  readonly findings: readonly DriftFinding[];
  /** What would bring the database back to its migrations; undefined when there is nothing to bring back. */
  readonly repair: DifferencePlan | undefined;
}

/**
 * Names every difference between a live database and what its applied migrations make: a changed column, a dropped
 * index or policy, a disabled trigger, a table nobody wrote a migration for. Which ones are applied says the ledger;
 * pending ones do not count. Every schema is compared that the migrations make something in.
 *
 * The live database is read in two or three round trips and nothing is written to it. Replaying costs what the
 * migrations cost on empty tables.
 *
 * @throws {MIGRATION_FAILED} when an applied migration does not run on the shadow server.
 * @throws {MIGRATION_INVALID} for a folder or file that cannot be read.
 *
 * @example
 * ```ts
 * const { findings, repair } = await findDrift({ target, schemaName: "tracker", folder: "/app/migrations", shadow });
 * findings[0]; // { rule: "drift", object: "index tasks_due_date_idx", why: "the database does not have it, …", … }
 * repair?.statements; // ["create index concurrently tasks_due_date_idx on tasks (due_date)"]
 * ```
 */
export async function findDrift(options: DriftOptions): Promise<DriftReport> {
  const { target, schemaName, folder, shadow, roles = [] } = options;
  const files = await readMigrations(folder);
  const session = { statementTimeoutMs: 0, lockTimeoutMs: 0 };
  const connection = await connect(retarget(target, { session }));
  try {
    const rows = await readLedger(connection, schemaName);
    const history = matchHistory(files, rows);
    const [wrong] = describeStatus(schemaName, history).findings;
    if (wrong !== undefined) return unchecked(`${wrong.object}: ${wrong.why}`, wrong.fix);
    const applied = history.files.flatMap(({ file, row }) =>
      row !== undefined && isApplied(row) ? [file] : [],
    );
    const scope = baselineScopeOf(applied);
    const { catalog: made, owners } = await replay(shadow, applied, schemaName);
    const schemas = scope.isWholeDatabase ? "all" : schemasOf(made);
    const live = leaveOut(await readCatalog(connection, schemaName, { schemas }), scope.tables);
    const liveOwners = await readOwners(connection, [schemaName, ...schemasOf(live)]);
    if (!isSame(rows, await readLedger(connection, schemaName))) {
      return unchecked("a migration ran meanwhile", "Ask again.");
    }
    const asWritten = live.serverVersion === made.serverVersion ? live : await rebuildOn(shadow, live);
    const keptRoles = new Set([...owners, ...liveOwners, ...roles]);
    const isSynced = liveOwners.some((owner) => roles.includes(owner));
    return reportOf(
      applied.length,
      withoutRightsOf(asWritten, keptRoles, isSynced),
      withoutRightsOf(withVersionsOf(made, asWritten), keptRoles, isSynced),
    );
  } finally {
    await connection.close();
  }
}

/** What the migrations make of an empty database, and who owns it there. */
async function replay(
  shadow: Shadow,
  files: readonly MigrationFile[],
  schemaName: string,
): Promise<{ readonly catalog: Catalog; readonly owners: readonly string[] }> {
  const database = await replayMigrations(shadow, files, schemaName);
  try {
    return await database.use(async (connection) => {
      const catalog = await readCatalog(connection, schemaName, { schemas: "all" });
      return { catalog, owners: await readOwners(connection, [schemaName, ...schemasOf(catalog)]) };
    });
  } finally {
    await database.drop();
  }
}

/** Where the migrations make something, besides home. */
function schemasOf({ objects }: Catalog): readonly string[] {
  const own = objects.map((object) => (object.kind === "schema" ? object.name : object.schema));
  return [...new Set(own.filter((schema) => schema !== undefined))];
}

function isSame(one: readonly LedgerRow[], other: readonly LedgerRow[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function unchecked(why: string, fix: string): DriftReport {
  const finding: DriftFinding = {
    rule: "drift-unchecked",
    level: "warning",
    object: "ledger",
    why: `nothing was compared, because the history is not in order: ${why}`,
    fix,
  };
  return { applied: 0, findings: [finding], repair: undefined };
}

function reportOf(applied: number, live: Catalog, made: Catalog): DriftReport {
  const differences = compareCatalogs(live, made);
  return {
    applied,
    findings: differences.map(findingOf),
    repair: differences.length === 0 ? undefined : planDifference(live, made, { online: true }),
  };
}

function findingOf({ kind, name, left, right }: CatalogDifference): DriftFinding {
  return {
    rule: "drift",
    level: "error",
    object: `${kind} ${name}`,
    why: whyOf(left, right),
    fix: left?.endsWith(SUSPENDED) === true && right?.endsWith(SUSPENDED) !== true ? RESUME : DECIDE,
  };
}

const DECIDE = "Undo it with the SQL of the report, or keep it by a migration: plinth make migration NAME";

/** No comparison of schemas brings triggers of the server's own back. */
const SUSPENDED = "(its triggers are disabled)";
const RESUME =
  "alter table … enable trigger all, on its table and on the one it refers to; rows that came in meanwhile were not checked";

function whyOf(live: string | undefined, made: string | undefined): string {
  if (live === undefined) return `the database does not have it, and the migrations make\n    ${made}`;
  if (made === undefined) return `no migration makes it, and the database has\n    ${live}`;
  return `the database has\n    ${live}\n  where the migrations make\n    ${made}`;
}
