import {
  alignNames,
  type Catalog,
  type CatalogDifference,
  compareCatalogs,
  planDifference,
  readCatalog,
} from "../../catalog/index.ts";
import { SafetyError } from "../../errors/index.ts";
import type { RenameDescription as Rename } from "../../schema/index.ts";
import type { Shadow, ShadowDatabase } from "../../shadow/index.ts";
import { readMigrationsIfAny } from "../folder.ts";
import { nextFileName, writeMigrationFile } from "../make-file.ts";
import { type MigrationFile, parseMigrationFile } from "../migration-file.ts";
import { buildFromStatements, replayFile, replayMigrations } from "../replay.ts";
import {
  applicableRenames,
  describeRename,
  followingFunctions,
  likelyRenames,
  notedRenames,
  renameSql,
} from "./rename.ts";
import { lossText, mayFail, renderMigration, type TwoWayPlan } from "./render-migration.ts";

/** What a migration is generated from. */
export interface GenerateOptions {
  /** Absolute path of the folder. It may be empty or missing: the first migration then holds the whole schema. */
  readonly folder: string;
  /** What it does, in words: `add_due_dates`. */
  readonly name: string;
  readonly schemaName: string;
  /** The declared schema as SQL for an empty database: `project.renderSchema()`. */
  readonly declared: readonly string[];
  readonly shadow: Shadow;
  /** Hints of the schema (`renamedFrom`); those that do not fit any more are passed over. */
  readonly renames?: readonly Rename[] | undefined;
  /** Renames asked for; each must fit. */
  readonly renameFlags?: readonly Rename[] | undefined;
  /** Drops and adds what looks like a rename instead of refusing. @default false */
  readonly acceptDrops?: boolean | undefined;
  /** Gives the text without writing the file. @default false */
  readonly dryRun?: boolean | undefined;
}

/** What was generated. */
export interface GeneratedMigration {
  /** The folder leaves what the schema declares: nothing was written. */
  readonly isEmpty: boolean;
  /** Absolute path of the file; undefined in a dry run, and when nothing was written. */
  readonly file: string | undefined;
  readonly fileName: string | undefined;
  readonly text: string;
  /** What `up` deletes for good, such as `tasks.due_date (data)`. */
  readonly losesUp: readonly string[];
  /** What `down` would delete for good. */
  readonly losesDown: readonly string[];
  /** Rows that would make `up` fail, and what it leaves to be done by hand, in sentences. */
  readonly upMayFail: readonly string[];
  /** Rows that would make `down` fail, in sentences. */
  readonly downMayFail: readonly string[];
  /** What `down` cannot undo, in sentences. */
  readonly irreversible: readonly string[];
  readonly findings: readonly GenerateFinding[];
}

/** Why a migration was not written: applied, it does not lead where it should. */
export interface GenerateFinding {
  readonly rule: "up-differs" | "down-differs";
  readonly level: "error";
  readonly object: string;
  readonly why: string;
  readonly fix: string;
}

/**
 * Writes the migration that brings what the folder builds to what the schema declares, and its way back. Both ends
 * are real: the folder is replayed on a shadow database, the schema's own DDL is run on another, and the difference
 * of the two catalogs, each way, is the file. Before it is written it is run up and down on a copy, and both
 * catalogs must be met; otherwise nothing is written and `findings` says where they differ.
 *
 * @throws {MIGRATION_INVALID} {MIGRATION_FAILED} when the folder cannot be replayed, or a rename fits nothing.
 * @throws {SAFETY_REFUSED} when something that looks like a rename would be dropped and added again.
 */
export async function generateMigration(options: GenerateOptions): Promise<GeneratedMigration> {
  const { shadow, folder, schemaName, declared } = options;
  const files = await readMigrationsIfAny(folder);
  const databases: ShadowDatabase[] = [];
  const keep = (database: ShadowDatabase): ShadowDatabase => {
    databases.push(database);
    return database;
  };
  try {
    const past = keep(await replayMigrations(shadow, files, schemaName));
    const wish = keep(await buildFromStatements(shadow, declared, schemaName));
    const [before, after] = [await read(past, schemaName), await read(wish, schemaName)];
    if (compareCatalogs(before, after).length === 0) return NOTHING;
    const trial = keep(await past.clone());
    const renames = applicableRenames(before, after, options.renames ?? [], options.renameFlags ?? []);
    const { renamed, ways } = await rename(past, before, renames, schemaName);
    if (options.acceptDrops !== true) refuseLikelyRenames(renamed, after);
    const plan = planBothWays(renamed, after, [...ways, ...notedRenames(renamed, after, renames)]);
    const fileName = nextFileName(files, options.name);
    const text = renderMigration(plan);
    const file = parseMigrationFile(fileName, Buffer.from(text));
    const findings = await tryOut(options, trial, file, before, after);
    const isWritten = findings.length === 0 && options.dryRun !== true;
    return {
      isEmpty: false,
      file: isWritten ? await writeMigrationFile(folder, fileName, text) : undefined,
      fileName,
      text,
      losesUp: plan.up.losses.map(lossText),
      losesDown: plan.down.losses.map(lossText),
      upMayFail: mayFail(plan.up),
      downMayFail: plan.down.mayFail,
      irreversible: plan.down.irreversible,
      findings,
    };
  } finally {
    for (const database of databases) await database.drop();
  }
}

const NOTHING: GeneratedMigration = Object.freeze({
  isEmpty: true,
  file: undefined,
  fileName: undefined,
  text: "",
  losesUp: [],
  losesDown: [],
  upMayFail: [],
  downMayFail: [],
  irreversible: [],
  findings: [],
});

function read(database: ShadowDatabase, schemaName: string): Promise<Catalog> {
  return database.use((connection) => readCatalog(connection, schemaName));
}

/** A statement and its way back. */
interface Way {
  readonly up: string;
  readonly down: string;
}

/** The server renames: what a name stands in (views, checks, policies) follows by itself, and is read again. */
function rename(
  database: ShadowDatabase,
  before: Catalog,
  renames: readonly Rename[],
  schemaName: string,
): Promise<{ readonly renamed: Catalog; readonly ways: readonly Way[] }> {
  const named = renames.map(renameSql);
  if (named.length === 0) return Promise.resolve({ renamed: before, ways: [] });
  return database.use(async (connection) => {
    await connection.query({
      text: "select set_config('search_path', quote_ident($1), false)",
      values: [schemaName],
    });
    for (const { up } of named) await connection.script(up);
    const renamed = await readCatalog(connection, schemaName);
    const following = followingFunctions(renamed, renames);
    if (following.length === 0) return { renamed, ways: named };
    for (const { up } of following) await connection.script(up);
    return { renamed: await readCatalog(connection, schemaName), ways: [...named, ...following] };
  });
}

function planBothWays(past: Catalog, wish: Catalog, ways: readonly Way[]): TwoWayPlan {
  const up = planDifference(past, wish, { online: true });
  // A name the server made up is on the database as the past has it: the way back has to call it that.
  const down = planDifference(alignNames(wish, past), past, { online: true });
  return {
    up: { ...up, statements: [...ways.map((way) => way.up), ...up.statements] },
    down: { ...down, statements: [...down.statements, ...ways.toReversed().map((way) => way.down)] },
  };
}

function tryOut(
  { shadow, schemaName }: GenerateOptions,
  trial: ShadowDatabase,
  file: MigrationFile,
  before: Catalog,
  after: Catalog,
): Promise<readonly GenerateFinding[]> {
  return trial.use(async (connection) => {
    const ground = { shadow, connection, schemaName };
    await replayFile(ground, file, "up");
    const up = compareCatalogs(await readCatalog(connection, schemaName), after);
    if (file.down === undefined || up.length > 0) return up.map((one) => findingOf("up-differs", one));
    await replayFile(ground, file, "down");
    const down = compareCatalogs(await readCatalog(connection, schemaName), before);
    return down.map((one) => findingOf("down-differs", one));
  });
}

function findingOf(rule: GenerateFinding["rule"], difference: CatalogDifference): GenerateFinding {
  const { kind, name, left = "nothing", right = "nothing" } = difference;
  const wanted = rule === "up-differs" ? "the schema declares" : "there was";
  return {
    rule,
    level: "error",
    object: `${kind} ${name}`,
    why: `the generated ${rule === "up-differs" ? "up" : "down"} would leave\n    ${left}\n  where ${wanted}\n    ${right}`,
    fix: "Write this migration by hand (plinth make migration NAME), and report the schema that led here.",
  };
}

function refuseLikelyRenames(past: Catalog, wish: Catalog): void {
  const likely = likelyRenames(past, wish);
  const [first] = likely;
  if (first === undefined) return;
  const lines = likely.map(({ kind, of, from, to }) => {
    const name = of === undefined ? from : `${of}.${from}`;
    return `  ${kind} ${name} is gone and ${to} is new`;
  });
  throw new SafetyError(`is this a rename? Dropping and adding loses the data\n${lines.join("\n")}`, {
    hint: `If it is: --rename ${describeRename(first)} (or renamedFrom in the schema). If it is not: --accept-drops.`,
  });
}
