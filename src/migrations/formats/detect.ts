import { MigrationError } from "../../errors/index.ts";
import type { FolderFormat, FolderText } from "./model.ts";

/** Why a folder looks like one tool's. */
interface Evidence {
  readonly format: FolderFormat;
  readonly path: string;
  readonly because: string;
}

/** Lines that only one tool writes. `-- migrate:up` is Plinth's as well: who asks knows which. */
const MARKERS: readonly { readonly format: FolderFormat; readonly line: RegExp; readonly shown: string }[] = [
  { format: "dbmate", line: /^[ \t]*--[ \t]*migrate:up\b/m, shown: "-- migrate:up" },
  { format: "goose", line: /^--[ \t]*\+goose[ \t]+up\b/im, shown: "-- +goose Up" },
  { format: "drizzle", line: /^.*--> statement-breakpoint/m, shown: "--> statement-breakpoint" },
];

/** A comment anybody may write: it counts in files that show nothing else. Bounded, so that it stays linear. */
export const UP_MIGRATION = /^[ \t]*--[\s-]{0,99}up\s{1,99}migration/im;
export const DOWN_MIGRATION = /^[ \t]*--[\s-]{0,99}down\s{1,99}migration/im;

export const GOLANG_FILE = /^(\d+)_(.*)\.(up|down)\.sql$/i;
export const FLYWAY_FILE = /^([VUB])(\d+(?:[._]\d+)*)__(.+)\.sql$/;
export const FLYWAY_REPEATABLE = /^R__(.+)\.sql$/;

const SCRIPT = /(?<!\.d)\.[cm]?[jt]s$/;
const SCRIPT_UP = /\bexports\.up\b|\bexport\s+(?:const|let|async\s+function|function)\s+up\b|\bup\s*[,:(]/;

/**
 * Tells which tool wrote a folder, by layout and content; undefined when it holds no migrations.
 *
 * @throws {MIGRATION_INVALID} when it looks like several tools' folder, naming a file for each.
 */
export function detectFormat(content: FolderText): FolderFormat | undefined {
  const evidence = [...content].flatMap(([path, text]) => evidenceIn(path, text, content));
  const strong = evidence.filter((one) => one.format !== "plain");
  const formats = [...new Set(strong.map((one) => one.format))];
  if (formats.length > 1) throw mixed(formats.map((format) => firstOf(strong, format)));
  return formats[0] ?? evidence[0]?.format;
}

/** Programs that hold a way up, for Knex or node-pg-migrate. */
export function migrationScripts(content: FolderText): readonly string[] {
  return [...content].flatMap(([path, text]) => (isMigrationScript(path, text) ? [path] : []));
}

/** Revisions of Alembic. */
export function pythonRevisions(content: FolderText): readonly string[] {
  return [...content].flatMap(([path, text]) => (isPythonRevision(path, text) ? [path] : []));
}

function isMigrationScript(path: string, text: string): boolean {
  return !path.includes("/") && SCRIPT.test(path) && SCRIPT_UP.test(text);
}

function isPythonRevision(path: string, text: string): boolean {
  const isPlace = /^(?:versions\/)?[^/]+\.py$/.test(path);
  return isPlace && /^(?:down_)?revision\b/m.test(text) && /\bdef\s+upgrade\b/.test(text);
}

function evidenceIn(path: string, text: string, content: FolderText): readonly Evidence[] {
  const [top = "", inner] = path.split("/");
  if (isPythonRevision(path, text)) return [{ format: "alembic", path, because: "is an Alembic revision" }];
  if (isMigrationScript(path, text)) return scriptEvidence(path, text);
  if (inner !== undefined) return evidenceInFolder(path, top, inner, content);
  if (top === "migration_lock.toml") return [{ format: "prisma", path, because: "is Prisma's" }];
  return /\.sql$/i.test(top) ? evidenceInSql(path, text) : [];
}

function evidenceInFolder(
  path: string,
  folder: string,
  name: string,
  content: FolderText,
): readonly Evidence[] {
  if (path === "meta/_journal.json") return [{ format: "drizzle", path, because: "is Drizzle's journal" }];
  if (FLYWAY_FILE.test(name) || FLYWAY_REPEATABLE.test(name)) {
    return [{ format: "flyway", path, because: "is named as Flyway does" }];
  }
  if (name !== "migration.sql") return [];
  return content.has(`${folder}/snapshot.json`)
    ? [{ format: "drizzle", path, because: "stands beside a snapshot.json" }]
    : hasSnapshot(content)
      ? []
      : [{ format: "prisma", path, because: "is a folder's migration.sql" }];
}

/** A migration written by hand into a Drizzle folder need not have a snapshot. */
function hasSnapshot(content: FolderText): boolean {
  return [...content.keys()].some((path) => path.endsWith("/snapshot.json") && !path.startsWith("meta/"));
}

function evidenceInSql(path: string, text: string): readonly Evidence[] {
  const found: Evidence[] = MARKERS.filter(({ line }) => line.test(text)).map(({ format, shown }) => ({
    format,
    path,
    because: `has a line ${shown}`,
  }));
  if (GOLANG_FILE.test(path)) {
    found.push({ format: "golang-migrate", path, because: "is one of a pair .up.sql and .down.sql" });
  }
  if (FLYWAY_FILE.test(path) || FLYWAY_REPEATABLE.test(path)) {
    found.push({ format: "flyway", path, because: "is named as Flyway does" });
  }
  if (found.length > 0) return found;
  return UP_MIGRATION.test(text)
    ? [{ format: "node-pg-migrate", path, because: "has a line -- Up Migration" }]
    : [{ format: "plain", path, because: "is SQL" }];
}

function scriptEvidence(path: string, text: string): readonly Evidence[] {
  if (/\bpgm\b|node-pg-migrate/.test(text)) {
    return [{ format: "node-pg-migrate", path, because: "is a program for node-pg-migrate" }];
  }
  return /\bknex\b/i.test(text) ? [{ format: "knex", path, because: "is a program for Knex" }] : [];
}

function firstOf(evidence: readonly Evidence[], format: FolderFormat): Evidence {
  const found = evidence.find((one) => one.format === format);
  if (found === undefined) throw new TypeError(`no evidence of ${format}`);
  return found;
}

function mixed(evidence: readonly Evidence[]): MigrationError {
  const lines = evidence.map(({ format, path, because }) => `  ${format}: ${path} ${because}`);
  return new MigrationError(
    "MIGRATION_INVALID",
    `the folder looks like several tools' at once, so its order is unknown\n${lines.join("\n")}`,
    { hint: "Give each tool a folder of its own, or say which one it is (the option format)." },
  );
}
