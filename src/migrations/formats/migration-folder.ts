import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { folderWithConfig } from "../../config/index.ts";
import { MigrationError } from "../../errors/index.ts";
import { readMigrations } from "../folder.ts";
import { checksumOf, type MigrationFile } from "../migration-file.ts";
import { decodeContent, readContent } from "./content.ts";
import { detectFormat } from "./detect.ts";
import { emptyMigration } from "./findings.ts";
import { readDrizzle, readPrisma } from "./foldered.ts";
import { readGoose, readMigrateMarkers, readNodePgMigrate } from "./marked.ts";
import type {
  FolderContent,
  FolderFormat,
  FolderText,
  FoundFolder,
  FoundMigration,
  MigrationFolder,
} from "./model.ts";
import { readFlyway, readGolangMigrate } from "./paired.ts";
import { readPlain, readPrograms } from "./plain.ts";
import { isEmpty } from "./sections.ts";

/** What is known about a folder beforehand. */
export interface MigrationFolderOptions {
  /** Whose folder it is. @default found by layout and content */
  readonly format?: FolderFormat | undefined;
}

/**
 * Reads the migrations of any tool as Plinth's own: which runs when, its way up and back with their places in the
 * files, and whether it runs in a transaction. Nothing is run. `source` is a folder, one file of it, or files in memory.
 *
 * The format is found by layout and content. Markers of dbmate are Plinth's own: a folder inside a Plinth project, and
 * files in memory, count as `plinth`. A migration without a statement is left out, with a finding; programs (Knex,
 * Alembic, node-pg-migrate in JavaScript, goose in Go) cannot be read, which is a finding as well.
 *
 * @throws {MIGRATION_INVALID} when the folder is missing or empty, when it looks like several tools', when the order or
 * direction of a file cannot be known, and for malformed files.
 *
 * @example
 * ```ts
 * const { format, files } = await readMigrationFolder("drizzle");
 * // "drizzle", [{ version: "0000", fileName: "0000_init.sql", up: { text: "CREATE TABLE …", firstLine: 1 }, … }]
 * ```
 */
export async function readMigrationFolder(
  source: string | FolderContent,
  options: MigrationFolderOptions = {},
): Promise<MigrationFolder> {
  if (typeof source !== "string") return readText(decodeContent(source), options, true, "the folder");
  const found = await stat(source).catch(() => undefined);
  if (found?.isFile() !== true) return readFrom(source, options);
  return onlyFile(source, options);
}

async function readFrom(folder: string, options: MigrationFolderOptions): Promise<MigrationFolder> {
  const isInProject = folderWithConfig(folder) !== undefined;
  const read = await readText(await readContent(folder), options, isInProject, folder);
  // Plinth's own reader knows its data migrations, which are TypeScript.
  return read.format === "plinth" ? { ...read, files: await readMigrations(folder) } : read;
}

/** A single file says too little about its format: the folder around it is read, and one migration given. */
async function onlyFile(path: string, options: MigrationFolderOptions): Promise<MigrationFolder> {
  const isFolderPerMigration = /^(?:migration|down)\.sql$/.test(basename(path));
  const folder = isFolderPerMigration ? dirname(dirname(path)) : dirname(path);
  const name = isFolderPerMigration ? `${basename(dirname(path))}/${basename(path)}` : basename(path);
  const whole = await readFrom(folder, options);
  const isIt = (file: MigrationFile): boolean => file.fileName === name || file.down?.fileName === name;
  const findings = whole.findings.filter((finding) => finding.object === name);
  return { ...whole, files: whole.files.filter(isIt), findings };
}

async function readText(
  content: FolderText,
  { format: given }: MigrationFolderOptions,
  isPlinthPossible: boolean,
  folder: string,
): Promise<MigrationFolder> {
  const detected = given ?? detectFormat(content);
  if (detected === undefined && !isPlinthPossible) throw noMigrations(folder);
  const isPlinth =
    detected === undefined || (given === undefined && detected === "dbmate" && isPlinthPossible);
  const format = isPlinth ? "plinth" : detected;
  const found = await readAs(format, content);
  if (NUMBER_IS_IDENTITY.has(format)) refuseDuplicates(found.migrations);
  const full = found.migrations.filter((migration) => !isEmpty(migration.up));
  const empty = found.migrations.filter((migration) => isEmpty(migration.up));
  return {
    format,
    splitsPhases: format === "plinth",
    files: numbered(full),
    findings: [...found.findings, ...empty.map(({ fileName }) => emptyMigration(fileName))],
  };
}

/** Tools that keep nothing but the number of what they applied. */
const NUMBER_IS_IDENTITY: ReadonlySet<FolderFormat> = new Set([
  "plinth",
  "dbmate",
  "golang-migrate",
  "goose",
  "flyway",
]);

function refuseDuplicates(migrations: readonly FoundMigration[]): void {
  const seen = new Map<string, string>();
  for (const { version, fileName } of migrations) {
    const number = version.replace(/^0+(?=\d)/, "");
    const other = number === "R" ? undefined : seen.get(number);
    seen.set(number, fileName);
    if (other === undefined) continue;
    throw new MigrationError(
      "MIGRATION_INVALID",
      `${other} and ${fileName} have the same version ${version}`,
      {
        file: fileName,
        hint: "Give the one that is applied nowhere yet a new number.",
      },
    );
  }
}

function readAs(format: FolderFormat, content: FolderText): FoundFolder | Promise<FoundFolder> {
  switch (format) {
    case "plinth":
    case "dbmate":
      return readMigrateMarkers(content, format);
    case "drizzle":
      return readDrizzle(content);
    case "prisma":
      return readPrisma(content);
    case "node-pg-migrate":
      return readNodePgMigrate(content);
    case "golang-migrate":
      return readGolangMigrate(content);
    case "flyway":
      return readFlyway(content);
    case "goose":
      return readGoose(content);
    case "knex":
    case "alembic":
      return readPrograms(content, format);
    case "plain":
      return readPlain(content);
  }
}

/** Tools number by date, by dots, or not at all; what reads the files needs numbers that differ. */
function numbered(migrations: readonly FoundMigration[]): readonly MigrationFile[] {
  const own = migrations.map(({ version }) => (/^\d{1,20}$/.test(version) ? BigInt(version) : undefined));
  const isOwn = own.every((version, at) => {
    const previous = own[at - 1];
    return version !== undefined && (at === 0 || (previous !== undefined && previous < version));
  });
  return migrations.map(({ version, name, fileName, up, down }, at) => ({
    version: isOwn ? version : String(at + 1),
    name,
    fileName,
    up,
    down,
    checksum: checksumOf(up.text),
  }));
}

function noMigrations(folder: string): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `${folder} holds no migrations that can be read`, {
    hint:
      "Name the folder that holds the files themselves: of Plinth, dbmate, Drizzle, Prisma, node-pg-migrate, golang-migrate, " +
      "Flyway, goose, or plain NAME.sql.",
  });
}
