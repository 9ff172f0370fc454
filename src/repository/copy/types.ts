import type { AnyEntity, CreateInput, RowKeys } from "../../schema/index.ts";
import type { Sort } from "../list-types.ts";
import type { Where } from "../where-types.ts";

/** How the bytes of a copy are written: https://www.postgresql.org/docs/current/sql-copy.html */
export interface CopyFormat {
  /** `text` is PostgreSQL's own, one line a row; `binary` depends on the server's version. @default "text" */
  readonly format?: "text" | "csv" | "binary";
  /** The first line holds the columns' names. Not in binary. @default false */
  readonly header?: boolean;
  /** Between two columns: one ASCII character. Not in binary. @default a tab, and a comma in csv */
  readonly delimiter?: string;
  /** What stands for null. Not in binary. @default `\N`, and nothing at all in csv */
  readonly null?: string;
}

/** What both directions take. */
interface CopyWatching<P> {
  /** Aborting it stops the copy, on the server too; nothing of it stays. No other time-out applies. */
  readonly signal?: AbortSignal;
  /** Called about every 64 KB. What it throws ends the copy. */
  readonly onProgress?: (progress: P) => void;
}

/** How far a copy of bytes has come. */
export interface CopyProgress {
  readonly bytes: number;
}

/** How far a copy of rows has come: what was sent. */
export interface CopyRowsProgress extends CopyProgress {
  readonly rows: number;
}

/** What a copy brought into a table. */
export interface Copied {
  /** As the server counts them: without those that a trigger left out. */
  readonly rows: number;
}

/** How rows are copied into a table. */
export interface CopyInOptions<E extends AnyEntity> extends CopyWatching<CopyRowsProgress> {
  /** Properties that rows may have. @default those of the first row, and all that have no default in the database */
  readonly columns?: readonly (keyof CreateInput<E> & string)[];
}

/** How bytes are copied into a table. */
export interface CopyBytesInOptions<E extends AnyEntity>
  extends Omit<CopyFormat, "header">,
    CopyWatching<CopyProgress> {
  /** The columns that each row of the bytes has, in their order. @default all columns of the table in its own order */
  readonly columns?: readonly (keyof E["$inferInsert"] & string)[];
  /** The first line holds names, and is passed over; `match` refuses it unless they are those of the columns. @default false */
  readonly header?: boolean | "match";
}

/** How the rows of a query are copied out. */
export interface CopyBytesOutOptions extends CopyFormat, CopyWatching<CopyProgress> {}

/** Which rows of an entity are copied out, and how. */
export interface CopyOutOptions<S, E extends AnyEntity> extends CopyBytesOutOptions {
  readonly where?: Where<E, S>;
  /** @default whatever order PostgreSQL finds them in */
  readonly sort?: Sort<E, S>;
  /** In this order. @default all but secrets */
  readonly columns?: readonly RowKeys<E>[];
}

/** Bytes in any pieces, a file's stream for one. A text is written as UTF-8. */
export type ByteSource = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** Calls that move rows in bulk, on every repository. */
export interface Copies<S, E extends AnyEntity> {
  /**
   * Makes any number of rows by one COPY, as fast as they come: memory stays bounded, and a source that is faster than
   * the server waits for it. All or nothing. In a transaction it is part of that (under a savepoint, and the
   * transaction takes no other statement meanwhile); outside, it holds one connection until the end. Starts at once. No
   * statement time-out applies: use `signal`.
   *
   * A row is checked and completed as by `createMany`: ids that Plinth makes, the actor's stamps, triggers and
   * constraints. What differs: a column with a default in the database is given in every row or in none, which the
   * first row decides (or `columns`); a drawn public id that is taken fails the copy instead of being drawn again; no
   * conflict is ignored, and no rows are given back. PostgreSQL takes no COPY where row security applies to the role.
   *
   * @throws {INVALID_VALUE} for the first row with something wrong, with all of it by path: `1204.title`, counted from
   * 0.
   * @throws what the server says of a row, with its `line`, counted from 1; and what the source itself throws.
   *
   * @example
   * ```ts
   * const { rows } = await repo.tasks.copyIn(readTasks(file), { onProgress: ({ rows }) => bar.update(rows) });
   * // copy "tracker"."tasks" ("id", "title", …) from stdin
   * ```
   * @see https://www.postgresql.org/docs/current/sql-copy.html
   */
  copyIn(
    source: AsyncIterable<CreateInput<E>> | Iterable<CreateInput<E>>,
    options?: CopyInOptions<E>,
  ): Promise<Copied>;

  /**
   * The (living) rows as bytes, straight from COPY: pieces of up to some 64 KB that end with a row. Nothing is sent
   * before the first piece is asked for; a reader that is slower than the server makes it wait. Holds one connection as
   * `stream` does; in a transaction, that takes no other statement until the last piece, a `break` or an error.
   *
   * @throws {INVALID_QUERY} as `list` does, when the first piece is asked for.
   *
   * @example
   * ```ts
   * const done = repo.tasks.copyOut({ where: { status: "done" }, format: "csv", header: true });
   * await pipeline(done, createWriteStream("done.csv"));
   * // copy (select … where … and t0."deleted_at" is null) to stdout with (format csv, header true)
   * ```
   */
  copyOut(options?: CopyOutOptions<S, E>): AsyncIterable<Buffer>;
}
