import { createHash } from "node:crypto";
import { MigrationError } from "../errors/index.ts";

/** One half of a migration file. */
export interface Section {
  /** LF line ends, without the marker line. */
  readonly text: string;
  /** The line of the file on which `text` begins, counted from 1. */
  readonly firstLine: number;
  /** False when the marker says `transaction:false`: every statement then commits by itself. */
  readonly isTransactional: boolean;
  /** The file it stands in, where that is not the migration's own: `1_init.down.sql` of golang-migrate. */
  readonly fileName?: string;
  /** Comment lines above the marker of `up`: what is lost, what cannot be undone. */
  readonly header?: string;
}

/** A migration as it stands in the folder. Nothing of it was sent to a server. */
export interface MigrationFile {
  /** Digits; `0012` and `12` are the same version. */
  readonly version: string;
  readonly name: string;
  /** `0012_add_tasks.sql` */
  readonly fileName: string;
  readonly up: Section;
  /** Undefined when the file has no `-- migrate:down`, or nothing below it: the migration is irreversible. */
  readonly down: Section | undefined;
  /**
   * SHA-256 of the text below `-- migrate:up`, in hex. Line ends, a byte order mark and blank lines around the
   * text do not count, and neither does the way back: correcting a `down` changes nothing that was applied.
   */
  readonly checksum: string;
  /**
   * Absolute path of the TypeScript module of a data migration, which is loaded when it runs. Its `up` is empty and its
   * `down` undefined, and the checksum covers the whole file. Undefined for SQL.
   */
  readonly modulePath?: string | undefined;
}

/** A file name taken apart. */
export interface MigrationName {
  readonly version: string;
  readonly name: string;
}

/** `0001_create_users.sql`, `20260412120000_create_users.sql` or `20260412_120000_create_users.sql`. */
const FILE_NAME = /^(\d{8}_\d{6}|\d{1,20})_([A-Za-z0-9][A-Za-z0-9_-]{0,199})\.sql$/;

const MARKER = /^--[ \t]*migrate:(up|down)((?:[ \t]+\S+)*)[ \t]*$/;
const LIKE_MARKER = /^[ \t]*--[ \t]*migrate\b/i;

/** The version and name in a file name, or undefined when it does not follow the rule. */
export function parseFileName(fileName: string): MigrationName | undefined {
  const match = FILE_NAME.exec(fileName);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { version: match[1].replace("_", ""), name: match[2] };
}

/** Versions are numbers of any length: below 0 when `a` comes first. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [BigInt(a), BigInt(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * Reads one file. The format is dbmate's: `-- migrate:up`, then optionally `-- migrate:down`, each of which may
 * carry `transaction:false`.
 *
 * @throws {MIGRATION_INVALID} with file, line and the next step.
 * @see https://github.com/amacneil/dbmate#creating-migrations
 */
export function parseMigrationFile(fileName: string, bytes: Uint8Array): MigrationFile {
  const named = parseFileName(fileName);
  if (named === undefined) throw badName(fileName);
  const sections = parseSections(fileName, decodeText(fileName, bytes));
  return { ...named, fileName, ...sections, checksum: checksumOf(sections.up.text) };
}

/** Cuts a text at its markers. @throws {MIGRATION_INVALID} */
export function parseSections(fileName: string, text: string): Pick<MigrationFile, "up" | "down"> {
  const lines = text.split("\n");
  const markers = findMarkers(fileName, lines);
  const [up, down] = markers;
  if (up === undefined || up.direction !== "up") throw noUp(fileName, up?.line);
  const stray = lines
    .slice(0, up.line - 1)
    .findIndex((line) => line.trim() !== "" && !line.trim().startsWith("--"));
  if (stray >= 0) {
    throw invalid(
      fileName,
      stray + 1,
      "there is a statement above -- migrate:up",
      "Move it below the marker.",
    );
  }
  const header = lines
    .slice(0, up.line - 1)
    .join("\n")
    .trim();
  const upSection = {
    ...sectionOf(lines, up, down?.line ?? lines.length + 1),
    ...(header === "" ? {} : { header }),
  };
  const downSection = down === undefined ? undefined : sectionOf(lines, down, lines.length + 1);
  return {
    up: upSection,
    down: downSection === undefined || isBlank(downSection.text) ? undefined : downSection,
  };
}

/** SHA-256 in hex of a text, without blank lines and blanks around it. */
export function checksumOf(text: string): string {
  return createHash("sha256").update(text.trim()).digest("hex");
}

/** The error of a file whose name is not `NNNN_name.sql`. */
export function badName(fileName: string): MigrationError {
  return invalid(
    fileName,
    undefined,
    "is not named like a migration",
    "Name it NNNN_what_it_does.sql: digits, _, then letters, digits, _ and -.",
  );
}

interface Marker {
  readonly direction: "up" | "down";
  /** Counted from 1. */
  readonly line: number;
  readonly isTransactional: boolean;
}

function findMarkers(fileName: string, lines: readonly string[]): readonly Marker[] {
  const markers: Marker[] = [];
  for (const [index, text] of lines.entries()) {
    if (!LIKE_MARKER.test(text)) continue;
    const marker = markerOf(fileName, text, index + 1);
    if (markers.some((other) => other.direction === marker.direction)) {
      throw invalid(
        fileName,
        marker.line,
        `a second -- migrate:${marker.direction}`,
        "Put each migration into its own file.",
      );
    }
    markers.push(marker);
  }
  return markers;
}

function markerOf(fileName: string, text: string, line: number): Marker {
  const match = MARKER.exec(text.trim());
  if (match === null) {
    throw invalid(
      fileName,
      line,
      "a marker nobody knows",
      "The markers are -- migrate:up and -- migrate:down.",
    );
  }
  const options = (match[2] ?? "")
    .trim()
    .split(/[ \t]+/)
    .filter((option) => option !== "");
  const unknown = options.find((option) => option !== "transaction:false" && option !== "transaction:true");
  if (unknown !== undefined) {
    throw invalid(
      fileName,
      line,
      `the marker has an unknown option ${JSON.stringify(unknown.slice(0, 64))}`,
      "The only options are transaction:false and transaction:true.",
    );
  }
  return {
    direction: match[1] === "up" ? "up" : "down",
    line,
    isTransactional: !options.includes("transaction:false"),
  };
}

/** The lines below `marker` and above line `end`. */
function sectionOf(lines: readonly string[], marker: Marker, end: number): Section {
  return {
    text: lines.slice(marker.line, end - 1).join("\n"),
    firstLine: marker.line + 1,
    isTransactional: marker.isTransactional,
  };
}

/** Nothing but blank lines and line comments. */
export function isBlank(text: string): boolean {
  return text.split("\n").every((line) => line.trim() === "" || line.trim().startsWith("--"));
}

/** UTF-8 without byte order mark, with LF line ends. @throws {MIGRATION_INVALID} */
export function decodeText(fileName: string, bytes: Uint8Array): string {
  let text: string;
  try {
    // The decoder drops a byte order mark by itself.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid(fileName, undefined, "is not UTF-8 text", "Save it as UTF-8.");
  }
  if (text.includes("\0"))
    throw invalid(fileName, undefined, "holds a NUL character", "Save it as UTF-8 text.");
  return text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
}

function noUp(fileName: string, downLine: number | undefined): MigrationError {
  return downLine === undefined
    ? invalid(fileName, undefined, "has no -- migrate:up", "Put a line -- migrate:up above the statements.")
    : invalid(fileName, downLine, "-- migrate:down stands above -- migrate:up", "Put -- migrate:up first.");
}

function invalid(fileName: string, line: number | undefined, problem: string, hint: string): MigrationError {
  const place = line === undefined ? `${fileName} ` : `${fileName}:${line}: `;
  return new MigrationError("MIGRATION_INVALID", `${place}${problem}`, { file: fileName, line, hint });
}
