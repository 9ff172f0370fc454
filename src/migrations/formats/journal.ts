import { MigrationError } from "../../errors/index.ts";

/** Drizzle 0.x keeps the order of its files here. */
export const JOURNAL = "meta/_journal.json";

export interface JournalEntry {
  /** The file's name without `.sql`. */
  readonly tag: string;
  /** When it was written, in milliseconds since 1970: what the runner compares. */
  readonly when: number | undefined;
}

/** Reads `meta/_journal.json`. @throws {MIGRATION_INVALID} */
export function readJournal(text: string): readonly JournalEntry[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw badJournal("is no JSON");
  }
  if (typeof content !== "object" || content === null || !("entries" in content)) {
    throw badJournal("has no entries");
  }
  if (!Array.isArray(content.entries)) throw badJournal("has no list of entries");
  if ("dialect" in content && content.dialect !== "postgresql")
    throw otherDatabase(JOURNAL, String(content.dialect));
  return content.entries.map(entryOf);
}

function entryOf(entry: unknown): JournalEntry {
  const isEntry = typeof entry === "object" && entry !== null && "tag" in entry;
  if (!isEntry || typeof entry.tag !== "string") throw badJournal("has an entry without a tag");
  const when = "when" in entry && typeof entry.when === "number" ? entry.when : undefined;
  return { tag: entry.tag, when };
}

/** A folder for another kind of database, whose SQL is not PostgreSQL's. */
export function otherDatabase(path: string, kind: string): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `${path} says that the folder is for ${kind.slice(0, 40)}`, {
    file: path,
    hint: "Name a folder of migrations for PostgreSQL.",
  });
}

function badJournal(problem: string): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `${JOURNAL} ${problem}`, {
    file: JOURNAL,
    hint: "Restore it from version control; drizzle-kit writes it.",
  });
}
