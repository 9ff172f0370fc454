import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Catalog, planDifference } from "../../catalog/index.ts";
import { MigrationError, unknownName } from "../../errors/index.ts";
import type { Shadow, ShadowDatabase } from "../../shadow/index.ts";
import { qualifiedName } from "../../sql/index.ts";
import { readMigrations } from "../folder.ts";
import { renderMigration } from "../generate/render-migration.ts";
import { compareVersions, type MigrationFile, parseFileName, parseMigrationFile } from "../migration-file.ts";
import { buildFromStatements, replayMigrations } from "../replay.ts";
import { rowsFinding, type SquashFinding, statementNotCarried } from "./findings.ts";
import { findNotCarried } from "./not-carried.ts";
import { readPositions, renderPosition } from "./positions.ts";
import { type Origin, proveSquash, readAll } from "./proof.ts";
import { type Carried, type Contents, carriedRows, readContents, renderRows } from "./reference-rows.ts";
import { renderReplaces, replacesFor } from "./replaces.ts";
import { findHalfSwap, replacedFolder, type Swap, swapSteps } from "./swap.ts";

/** What is squashed. */
export interface SquashOptions {
  /** Absolute path of the folder. */
  readonly folder: string;
  /** The last version that is replaced. The squash takes it over. */
  readonly to: string;
  /** What the file is called after its version. @default "squashed" */
  readonly name?: string | undefined;
  readonly schemaName: string;
  readonly shadow: Shadow;
  /** Proves, and gives the text without writing anything. @default false */
  readonly dryRun?: boolean | undefined;
}

/** What came of it. */
export interface SquashedMigrations {
  /** Absolute path of the new file; undefined when nothing was written. */
  readonly file: string | undefined;
  readonly fileName: string;
  readonly text: string;
  /** Names of the files it replaces, in order. */
  readonly replaced: readonly string[];
  /** The folder they were moved to; undefined when nothing was written. */
  readonly movedTo: string | undefined;
  readonly findings: readonly SquashFinding[];
}

/**
 * Replaces the migrations up to a version by one that makes the same. Before anything is written it is run on a shadow
 * server: catalog, rows and positions of sequences must equal what the replaced ones leave; its way back must lead to
 * nothing; the migrations that stay must run on top of it to the same end. An error among the findings stops it.
 *
 * Databases that have applied the replaced ones accept it as applied: a line on top names them by a digest, and the
 * next run folds their rows of the ledger into one. The old files are moved beside the folder.
 *
 * @throws {MIGRATION_INVALID} when `to` is no version, fewer than two migrations would be replaced, or the name is bad.
 * @throws {MIGRATION_FAILED} when the folder itself does not run.
 *
 * @example
 * ```ts
 * const { file, findings } = await squashMigrations({ folder, to: "0042", schemaName: "tracker", shadow });
 * ```
 */
export async function squashMigrations(options: SquashOptions): Promise<SquashedMigrations> {
  const { folder, shadow, schemaName } = options;
  const half = await finishHalfSwap(options);
  if (half !== undefined) return half;
  const files = await readMigrations(folder);
  const last = findVersion(files, options.to);
  const replaced = files.filter(({ version }) => compareVersions(version, last.version) <= 0);
  const later = files.filter((file) => !replaced.includes(file));
  const fileName = squashName(options, last, replaced, files);
  const databases: ShadowDatabase[] = [];
  const keep = (database: ShadowDatabase): ShadowDatabase => {
    databases.push(database);
    return database;
  };
  try {
    const origin = await readOrigin(keep(await replayMigrations(shadow, replaced, schemaName)), schemaName);
    const again =
      origin.contents.size === 0
        ? undefined
        : await keep(await replayMigrations(shadow, replaced, schemaName)).use((connection) =>
            readContents(connection, origin.catalog),
          );
    const carried = again === undefined ? [] : carriedRows(origin.contents, again);
    const empty = keep(await buildFromStatements(shadow, [], schemaName));
    const emptyCatalog = await empty.use((connection) => readAll(connection, schemaName));
    const heads = await baselineHeads(folder, replaced);
    const draft = {
      origin,
      carried,
      emptyCatalog,
      head: [...replacesFor(replaced).map(renderReplaces), ...heads],
    };
    const findings: SquashFinding[] = [
      ...(await findNotCarried(replaced)).map(statementNotCarried),
      ...carried.map(rowsFinding),
    ];
    let text = render(draft, true);
    if (!hasError(findings)) {
      const trial = { shadow, schemaName, origin, carried, emptyCatalog, later };
      const proof = await proveSquash({ ...trial, empty, file: parse(fileName, text) });
      findings.push(...proof);
      if (proof.some(({ rule }) => rule === "squash-down-differs")) {
        text = render(draft, false);
        const fresh = keep(await buildFromStatements(shadow, [], schemaName));
        findings.push(...(await proveSquash({ ...trial, empty: fresh, file: parse(fileName, text) })));
      }
    }
    const names = replaced.map((file) => file.fileName);
    if (options.dryRun === true || hasError(findings)) {
      return { file: undefined, fileName, text, replaced: names, movedTo: undefined, findings };
    }
    const swap = { folder, fileName, text, replaced: names };
    return { ...(await runSwap(swap, swapSteps(swap))), findings };
  } finally {
    for (const database of databases) await database.drop();
  }
}

/** It was proven before its file was written, and its digest says that it still stands for the same files. */
async function finishHalfSwap({
  folder,
  to,
  dryRun,
}: SquashOptions): Promise<SquashedMigrations | undefined> {
  const version = versionIn(to);
  const half = version === undefined ? undefined : await findHalfSwap(folder, version);
  if (half === undefined) return undefined;
  const { fileName, text, replaced } = half.swap;
  if (dryRun === true) return { file: undefined, fileName, text, replaced, movedTo: undefined, findings: [] };
  return { ...(await runSwap(half.swap, half.steps)), findings: [] };
}

async function runSwap(
  swap: Swap,
  steps: readonly (() => Promise<void>)[],
): Promise<Omit<SquashedMigrations, "findings">> {
  for (const step of steps) await step();
  const { folder, fileName, text, replaced } = swap;
  return { file: join(folder, fileName), fileName, text, replaced, movedTo: replacedFolder(swap) };
}

function hasError(findings: readonly SquashFinding[]): boolean {
  return findings.some(({ level }) => level === "error");
}

function parse(fileName: string, text: string): MigrationFile {
  return parseMigrationFile(fileName, Buffer.from(text));
}

async function readOrigin(database: ShadowDatabase, schemaName: string): Promise<Origin> {
  return database.use(async (connection) => {
    const catalog = await readAll(connection, schemaName);
    const contents: Contents = await readContents(connection, catalog);
    return { database, catalog, contents, positions: await readPositions(connection, catalog) };
  });
}

interface Draft {
  readonly origin: Origin;
  readonly carried: readonly Carried[];
  readonly emptyCatalog: Catalog;
  /** Lines above the marker. */
  readonly head: readonly string[];
}

function render({ origin, carried, emptyCatalog, head }: Draft, hasDown: boolean): string {
  const { catalog, positions } = origin;
  const up = planDifference(emptyCatalog, catalog, { online: false });
  const down = planDifference(catalog, emptyCatalog, { online: false });
  const rows = renderRows(catalog, carried);
  const refreshed = rows.length === 0 ? [] : refreshes(catalog);
  const statements = [...up.statements, ...rows, ...refreshed, ...positions.map(renderPosition)];
  const both = renderMigration({ up: { ...up, statements }, down });
  const marker = both.indexOf("\n-- migrate:down");
  const text =
    hasDown || marker < 0 ? both : `-- irreversible: it is the beginning\n${both.slice(0, marker + 1)}`;
  return `${head.join("\n")}\n\n${text}`;
}

/** Materialized views were filled before the rows were there. */
function refreshes(catalog: Catalog): readonly string[] {
  return catalog.objects.flatMap((object) =>
    object.kind === "materialized view"
      ? [`refresh materialized view ${qualifiedName(object.schema, object.name)}`]
      : [],
  );
}

function findVersion(files: readonly MigrationFile[], written: string): MigrationFile {
  const digits = versionIn(written);
  const found =
    digits === undefined ? undefined : files.find(({ version }) => compareVersions(version, digits) === 0);
  if (found !== undefined) return found;
  const versions = files.map(({ version }) => version).slice(-20);
  throw new MigrationError("MIGRATION_INVALID", unknownName("version", written, versions));
}

/** `0042`, or the name of the file it begins. */
function versionIn(written: string): string | undefined {
  return /^(\d{1,20})(?:_.*)?$/.exec(written)?.[1];
}

function squashName(
  { name }: SquashOptions,
  last: MigrationFile,
  replaced: readonly MigrationFile[],
  files: readonly MigrationFile[],
): string {
  if (replaced.length < 2) {
    throw new MigrationError("MIGRATION_INVALID", `up to ${last.version} there is one migration already`, {
      hint: "Choose a later version with --to.",
    });
  }
  // Whoever compares with a live database looks for the heads of baselines in files that are called so.
  const isBaseline = replaced.some(({ fileName }) => fileName.endsWith(BASELINE_ENDING));
  const words = (name ?? (isBaseline ? "baseline" : "squashed")).trim().replaceAll(" ", "_");
  // `20260412_120000_add_tags.sql` has the version 20260412120000.
  const digits = last.fileName.slice(0, -(last.name.length + "_.sql".length));
  const isNamedSo = !isBaseline || /(?:^|_)baseline$/.test(words);
  const fileName = `${digits}_${words}${isNamedSo ? "" : "_baseline"}.sql`;
  if (parseFileName(fileName)?.version !== last.version) {
    throw new MigrationError("MIGRATION_INVALID", "a migration's name is letters, digits, _ and -", {
      hint: "Say what it is: plinth migrate squash --to 0042 first_year.",
    });
  }
  if (files.some((file) => file.fileName === fileName)) {
    throw new MigrationError("MIGRATION_INVALID", `${fileName} is there already`, {
      hint: "Give the squash another name: plinth migrate squash --to VERSION NAME.",
    });
  }
  return fileName;
}

const BASELINE_ENDING = "_baseline.sql";

/** What the head of an adopted baseline says holds for the squash as well. */
async function baselineHeads(folder: string, files: readonly MigrationFile[]): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { fileName } of files.filter((file) => file.fileName.endsWith(BASELINE_ENDING))) {
    const text = await readFile(join(folder, fileName), "utf8");
    lines.push(...text.split(/\r?\n/).filter((line) => /^-- (?:left alone: \{|schemas: )/.test(line)));
  }
  return [...new Set(lines)];
}
