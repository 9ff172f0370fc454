import type { Connection } from "../../driver/index.ts";
import type { FolderText } from "../formats/model.ts";

/** Tools whose history Plinth takes over. */
export const ADOPTABLE_TOOLS = [
  "drizzle",
  "prisma",
  "knex",
  "node-pg-migrate",
  "dbmate",
  "golang-migrate",
  "flyway",
  "alembic",
] as const;

export type AdoptableTool = (typeof ADOPTABLE_TOOLS)[number];

/** A table of the live database. */
export interface TablePlace {
  readonly schema: string;
  readonly name: string;
}

/** A migration the other tool says it has applied. */
export interface AppliedMigration {
  /** As the tool calls it: a file name, a version, a revision. */
  readonly name: string;
  /**
   * ISO 8601; without a `Z` where the tool keeps the server's local time. Undefined where it keeps none, or where its
   * table only says how far it is.
   */
  readonly appliedAt: string | undefined;
}

/** What the other tool's table and folder say together. */
export interface ToolHistory {
  /** Oldest first. */
  readonly applied: readonly AppliedMigration[];
  /** In the folder, and not applied. */
  readonly pending: readonly string[];
  /** Applied, and not in the folder. */
  readonly missing: readonly string[];
  /** In the folder with another text than the one applied, as far as the tool keeps a hash. */
  readonly edited: readonly string[];
}

/** How one tool keeps its history. */
export interface ToolReader {
  /** What its table is called unless it was told otherwise. */
  readonly table: string;
  /** Columns that tell its table from another tool's of the same name. */
  readonly columns: readonly string[];
  /** Other tables it keeps, in the same schema. */
  readonly companions: (table: string) => readonly string[];
  /** How to finish what is pending: `npx drizzle-kit migrate`. */
  readonly applyCommand: string;
  /**
   * Reads the history; `content` is the folder of its migrations, when it is known.
   *
   * @throws {SAFETY_REFUSED} for a state its own next run would refuse as well: failed, dirty, locked.
   */
  read(connection: Connection, table: ToolTable, content: FolderText | undefined): Promise<ToolHistory>;
}

/** The tool's table as it was found. */
export interface ToolTable extends TablePlace {
  readonly columns: ReadonlySet<string>;
  /** Those of its companions that exist. */
  readonly companions: readonly TablePlace[];
}
