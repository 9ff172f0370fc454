import { MigrationError } from "../../errors/index.ts";
import { badName, compareVersions, parseFileName, parseSections } from "../migration-file.ts";
import { DOWN_MIGRATION, migrationScripts, UP_MIGRATION } from "./detect.ts";
import { notSql, passedOver, placeholderUnfilled } from "./findings.ts";
import type { FolderText, FoundFolder, FoundMigration } from "./model.ts";
import { inNameOrder, isSql, nameParts, nestedSql, topSql } from "./paths.ts";
import { linesOf, unlessEmpty, wholeText } from "./sections.ts";

/** Formats with both ways in one file, told apart by marker lines. */

/** `-- migrate:up` and `-- migrate:down`. Plinth is strict about names and orders by number, dbmate by name. */
export function readMigrateMarkers(content: FolderText, format: "plinth" | "dbmate"): FoundFolder {
  const files = topSql(content).filter(([path]) => format === "plinth" || /^\d/.test(path));
  const migrations = files.map(([path, text]): FoundMigration => {
    const named = format === "plinth" ? parseFileName(path) : nameParts(path);
    if (named === undefined) throw badName(path);
    return { version: named.version ?? "", name: named.name, fileName: path, ...parseSections(path, text) };
  });
  if (format === "plinth") migrations.sort((a, b) => compareVersions(a.version, b.version));
  const others = topSql(content).filter(([path]) => format === "dbmate" && !/^\d/.test(path));
  const unnumbered = passedOver(
    others.map(([path]) => path),
    "dbmate runs files that begin with a number",
  );
  return { migrations, findings: [...unnumbered, ...nestedOver(content, format)] };
}

const GOOSE = /^--[ \t]*\+goose[ \t]+(\S.*)$/i;

/** @see https://pressly.github.io/goose/documentation/annotations/ */
export function readGoose(content: FolderText): FoundFolder {
  const migrations = topSql(content).map(([path, text]) => gooseMigration(path, text));
  migrations.sort((a, b) => compareVersions(a.version, b.version));
  const filled = topSql(content).filter(([, text]) => /^--[ \t]*\+goose[ \t]+envsub[ \t]+on\b/im.test(text));
  return {
    migrations,
    findings: [
      ...nestedOver(content, "goose"),
      ...notSql(
        "goose",
        "Go",
        [...content.keys()].filter((path) => /^\d.*\.go$/.test(path)),
      ),
      ...filled.map(([path]) => placeholderUnfilled(path, "An environment variable")),
    ],
  };
}

function gooseMigration(path: string, text: string): FoundMigration {
  const { version, name } = nameParts(path);
  if (version === undefined) throw unreadable(path, undefined, "has no number in front");
  const lines = text.split("\n");
  const marks = lines.flatMap((line, index) => {
    const word = GOOSE.exec(line)?.[1]?.trimEnd().toLowerCase();
    return word === undefined ? [] : [{ word, line: index + 1 }];
  });
  const sections = marks.filter(({ word }) => word === "up" || word === "down");
  const [up, down, extra] = sections;
  if (up === undefined || up.word !== "up") {
    throw unreadable(path, up?.line, "-- +goose Up is not its first section");
  }
  if (extra !== undefined || down?.word === "up") {
    throw unreadable(path, (extra ?? down)?.line, "there is more than one section of a kind");
  }
  const isTransactional = !marks.some(({ word }) => word === "no transaction");
  const end = lines.length + 1;
  return {
    version,
    name,
    fileName: path,
    up: linesOf(lines, up.line + 1, down?.line ?? end, isTransactional),
    down: down && unlessEmpty(linesOf(lines, down.line + 1, end, isTransactional)),
  };
}

/**
 * SQL files of node-pg-migrate: `-- Up Migration` and `-- Down Migration` in either order; without them, all of it is
 * the way up. Files whose name begins with a dot do not count.
 *
 * @see https://salsita.github.io/node-pg-migrate/migrations/
 */
export function readNodePgMigrate(content: FolderText): FoundFolder {
  const migrations = topSql(content).map(([path, text]): FoundMigration => {
    const { version = "", name } = nameParts(path);
    const lines = text.split("\n");
    const upLine = lineOf(text, UP_MIGRATION);
    const downLine = lineOf(text, DOWN_MIGRATION);
    const end = lines.length + 1;
    const section = (from: number, other: number | undefined) =>
      linesOf(lines, from, other !== undefined && other > from ? other : end);
    const up = upLine === undefined ? wholeText(text) : section(upLine, downLine);
    const down = downLine === undefined ? undefined : section(downLine, upLine);
    return { version: epoch(version), name, fileName: path, up, down: unlessEmpty(down) };
  });
  const scripts = migrationScripts(content);
  return {
    migrations: inNameOrder(migrations),
    findings: [
      ...notSql("node-pg-migrate", "JavaScript or TypeScript", scripts),
      ...nestedOver(content, "node-pg-migrate"),
    ],
  };
}

/** The line a pattern begins on, from 1. */
function lineOf(text: string, pattern: RegExp): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  return text.slice(0, match.index).split("\n").length;
}

/** A prefix of 17 digits is a date; others are numbers, mostly milliseconds, and both may stand in one folder. */
function epoch(version: string): string {
  const date = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/.exec(version);
  if (date === null) return version;
  const [, year, month, day, hour, minute, second, milli] = date.map(Number);
  return String(Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour ?? 0, minute ?? 0, second ?? 0, milli ?? 0));
}

function nestedOver(content: FolderText, tool: string): FoundFolder["findings"] {
  return passedOver(nestedSql(content).filter(isSql), `${tool} does not look into folders`);
}

function unreadable(path: string, line: number | undefined, problem: string): MigrationError {
  const place = line === undefined ? path : `${path}:${line}`;
  return new MigrationError("MIGRATION_INVALID", `${place}: ${problem}`, {
    file: path,
    line,
    hint: "The parts are -- +goose Up and, below it, -- +goose Down; the file is called NNN_name.sql.",
  });
}
