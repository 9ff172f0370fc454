import {
  type Catalog,
  type CatalogDifference,
  compareCatalogs,
  planDifference,
  readCatalog,
} from "../../catalog/index.ts";
import type { Connection } from "../../driver/index.ts";
import { isConnectionError, MigrationError, PlinthError, SafetyError } from "../../errors/index.ts";
import type { RenameDescription } from "../../schema/index.ts";
import { withoutRightsOf } from "../drift/comparable.ts";
import { applicableRenames, describeRename, likelyRenames, renameSql } from "../generate/rename.ts";
import { lossText } from "../generate/render-migration.ts";
import { interrupted } from "../interruption.ts";
import type { Section } from "../migration-file.ts";
import { planPhases, statementsOf } from "../phases.ts";
import { concurrentLockTimeout, type SessionPins, usualLockTimeout } from "../session.ts";
import { sqlstateOf } from "../sqlstate.ts";
import { parseStatements } from "../statements.ts";

/** A live database that may be reshaped, and how carefully. */
export interface Ground {
  /** Pinned to the schema, under the runners' lock. */
  readonly connection: Connection;
  readonly pins: SessionPins;
  /** Whose rights are kept by `roles sync`, and no business of a schema's. */
  readonly roles: readonly string[];
  readonly acceptLoss: boolean;
  /** What to do instead of losing something. */
  readonly advice: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What was done to reach a catalog, or would be. */
export interface Reshaping {
  readonly statements: readonly string[];
  /** `tasks.due_date (data)` */
  readonly losses: readonly string[];
}

/** Names that changed, so that a rename is not taken for a drop. */
export interface Renames {
  /** Of the schema; those that do not fit any more are passed over. */
  readonly hints: readonly RenameDescription[];
  /** Asked for; each must fit. */
  readonly flags: readonly RenameDescription[];
}

const NO_RENAMES: Renames = { hints: [], flags: [] };

/** What the schema holds, as far as a schema decides it. */
export async function readOwn(
  connection: Connection,
  schemaName: string,
  roles: readonly string[],
): Promise<Catalog> {
  return withoutRightsOf(await readCatalog(connection, schemaName), new Set(roles), roles.length > 0);
}

/**
 * What turns the live schema into `wish` and keeps the rows: a plain difference, without the steps a busy table needs.
 *
 * @throws {SAFETY_REFUSED} when something would be lost and that was not accepted; nothing was changed.
 */
export async function planReshaping(
  ground: Ground,
  wish: Catalog,
  renames: Renames = NO_RENAMES,
): Promise<Reshaping> {
  const { connection, pins, dryRun, roles } = ground;
  const live = await readOwn(connection, pins.schemaName, roles);
  if (compareCatalogs(live, wish).length === 0) return { statements: [], losses: [] };
  const renaming = applicableRenames(live, wish, renames.hints, renames.flags).map(
    (one) => renameSql(one).up,
  );
  const renamed = renaming.length === 0 ? live : await readRenamed(ground, renaming);
  const plan = planDifference(renamed, wish, { online: false });
  const losses = plan.losses.map(lossText);
  if (!ground.acceptLoss && !dryRun) refuseLosses(ground, losses, renamed, wish);
  return { statements: [...renaming, ...plan.statements], losses };
}

/**
 * Runs what was planned. What is interrupted half way is found by the next difference, so nothing is recorded.
 *
 * @throws {MIGRATION_FAILED} with the statement that failed, or what is still different at the end.
 */
export async function runReshaping(ground: Ground, wish: Catalog, { statements }: Reshaping): Promise<void> {
  await runAll(ground, statements);
  refuseDifferences(
    compareCatalogs(await readOwn(ground.connection, ground.pins.schemaName, ground.roles), wish),
  );
}

/** What the catalog will be after the renames: the server says it, as views and checks follow by themselves. */
async function readRenamed(
  { connection, pins, roles }: Ground,
  renaming: readonly string[],
): Promise<Catalog> {
  await connection.script("begin");
  try {
    for (const text of renaming) await connection.script(text);
    return await readOwn(connection, pins.schemaName, roles);
  } finally {
    if (connection.isOpen) await connection.script("rollback");
  }
}

/** In phases, as a migration would run: a new value of an enum is usable only after its transaction. */
async function runAll(ground: Ground, texts: readonly string[]): Promise<void> {
  if (texts.length === 0) return;
  const { connection } = ground;
  const section: Section = {
    text: texts.map((text) => `${text}\n;\n`).join(""),
    firstLine: 1,
    isTransactional: true,
  };
  const statements = await parseStatements({ fileName: "migrate dev" }, section);
  for (const phase of planPhases(section, statements)) {
    const isTransaction = phase.kind === "transaction";
    await connection.script(isTransaction ? "begin" : concurrentLockTimeout(ground.pins));
    for (const statement of statementsOf(phase)) {
      try {
        if (ground.signal?.aborted === true) throw interrupted("migrate dev changed the database");
        await connection.script(statement.text);
      } catch (error) {
        if (isTransaction && connection.isOpen) await connection.script("rollback");
        throw failureOf(ground, statement.text, error);
      }
    }
    await connection.script(isTransaction ? "commit" : usualLockTimeout(ground.pins));
  }
}

function failureOf({ signal }: Ground, text: string, error: unknown): unknown {
  if (signal?.aborted === true) return interrupted("migrate dev changed the database");
  if (!(error instanceof PlinthError) || isServerLost(error)) return error;
  return new MigrationError(
    "MIGRATION_FAILED",
    `migrate dev: ${error.summary}\n  ${text.replaceAll("\n", "\n  ")}`,
    {
      sqlstate: sqlstateOf(error),
      hint: "The rows that are there stand in its way. Change them or the schema, and run plinth migrate dev again.",
      cause: error,
    },
  );
}

/** As a plain boolean: a type guard would leave nothing of the class for the lines that follow. */
function isServerLost(error: unknown): boolean {
  return isConnectionError(error);
}

function refuseLosses({ advice }: Ground, losses: readonly string[], live: Catalog, wish: Catalog): void {
  if (losses.length === 0) return;
  const [rename] = likelyRenames(live, wish);
  const hint =
    rename === undefined
      ? advice
      : `If it is a rename: --rename ${describeRename(rename)} (or renamedFrom in the schema). ${advice}`;
  throw new SafetyError(`the database would lose what nothing brings back\n${indented(losses)}`, { hint });
}

function refuseDifferences(differences: readonly CatalogDifference[]): void {
  if (differences.length === 0) return;
  const lines = differences
    .slice(0, 10)
    .map(
      ({ kind, name, left = "nothing", right = "nothing" }) =>
        `${kind} ${name}: is ${left}, should be ${right}`,
    );
  throw new MigrationError(
    "MIGRATION_FAILED",
    `the database is not yet what it should be\n${indented(lines)}`,
    {
      hint: "Make these changes by hand and run plinth migrate dev again, and report the schema that led here.",
    },
  );
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line.replaceAll("\n", "\n  ")}`).join("\n");
}
