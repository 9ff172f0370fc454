import type { PlinthError } from "../errors/index.ts";
import type { Actor } from "../sql/index.ts";

/** One value on its way to the server: already encoded as PostgreSQL text (or bytes), never an object. */
export type Parameter = string | Buffer | null;

/** One value from the server, in PostgreSQL's text form. Decoding belongs to the statement that asked. */
export type Cell = string | null;

/**
 * Turns the rows of one statement into their final form, made once per shape. A connection that reads the protocol
 * itself calls `read` while the row lies in the receive buffer; any other calls `readCells`. Both give equal values.
 * What either throws rejects the call that asked for the rows, and nothing else.
 */
export interface RowReader<T = unknown> {
  /** Per column of the answer: the form `read` wants it in, 0 text or 1 binary. */
  readonly formats: readonly (0 | 1)[];
  /**
   * Per binary column the OID of the one type `read` can decode there, else 0. Where the server describes another
   * type, or another number of columns, the whole answer is asked for as text and goes through `readCells`.
   */
  readonly typeIds: readonly number[];
  /**
   * Reads the columns of one DataRow in place: from its column count at `offset` to `end`. Must keep no view of
   * `buffer`, which is used again.
   *
   * @throws {MalformedRow} when the columns do not fill the row exactly: the session is then ended.
   */
  read(buffer: Buffer, offset: number, end: number): T;
  /** Reads one row of text cells. */
  readCells(cells: readonly Cell[]): T;
}

/** A statement ready to send. */
export interface StatementCall {
  /** Exactly one SQL statement: the extended protocol refuses a second one, so `; drop table` cannot ride along. */
  readonly text: string;
  readonly values: readonly Parameter[];
  /**
   * Name of the prepared statement. The connection prepares it on first use and re-uses it after; leave it out
   * for one-off texts.
   */
  readonly name?: string | undefined;
  /**
   * Promises that the text leaves nothing behind in the session: no `set`, `listen`, temporary table, session
   * advisory lock or `prepare`. Plinth's compiled statements say so; a text without the promise makes the pool
   * reset the session (one round trip) before anybody else gets it.
   *
   * @default false, except for texts that only control a transaction (`begin`, `commit`, `savepoint a`, …)
   */
  readonly leavesNoTrace?: boolean | undefined;
  /** What it reads is not known, though it leaves no trace: a function of the application's own. @default false */
  readonly readsUnseen?: boolean | undefined;
  /** On whose behalf it runs, where the database is to know: a trigger records its writes, or a policy shows its rows. */
  readonly actor?: Actor | undefined;
  /** Makes each row what the caller wants; the outcome then has `records`, and its `rows` are empty. */
  readonly rows?: RowReader | undefined;
}

/** Pipelined statements on the wire at once; what comes on top waits its turn in the connection. */
export const PIPELINE_LIMIT = 256;

/** How one statement runs. */
export interface QueryOptions {
  /**
   * Aborting it sends a CancelRequest on a second socket and rejects with `QUERY_CANCELED` once the server has
   * stopped; when the server does not stop within five seconds the connection is destroyed.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * The text of a BEGIN that travels in front of the statement, in the same flight and under the same Sync: when it
   * fails the server skips the statement. The outcome is the statement's own. What is called on the connection before
   * the answer belongs into that transaction: if it could not begin, that is not sent, and rejects with
   * `TRANSACTION_ABORTED`.
   */
  readonly begin?: string | undefined;
  /**
   * The statement may be sent while others are still running on this connection, and others behind it. Each has
   * a Sync of its own, so that a failure stays with its statement. Holds where `canPipeline` is true, for a named
   * call that leaves no trace and has neither signal nor `begin`, outside a transaction; any other waits for its
   * turn.
   *
   * @default false
   */
  readonly pipelined?: boolean | undefined;
}

/** How a flight of statements runs. */
export interface BatchOptions extends Pick<QueryOptions, "begin" | "pipelined"> {
  /**
   * The flight is the whole of a transaction: it then runs under the time-outs of one, which behind a pooler travel with it.
   *
   * @default false
   */
  readonly isWhole?: boolean | undefined;
}

/** A COPY: one statement, without parameters. */
export interface CopyCall extends Pick<StatementCall, "leavesNoTrace"> {
  readonly text: string;
  /** What errors show in place of a text that holds values. @default the text */
  readonly shownAs?: string | undefined;
}

/** What one statement answered. */
export interface Outcome {
  /** The command tag without its numbers: `SELECT`, `INSERT`, `ROLLBACK`, `CREATE TABLE`, … */
  readonly command: string;
  /** Rows returned or touched. */
  readonly rowCount: number;
  readonly rows: readonly (readonly Cell[])[];
  readonly fields: readonly Field[];
  /** What the call's `RowReader` made of each row; absent when it had none. */
  readonly records?: readonly unknown[];
}

/** One column of an answer. */
export interface Field {
  readonly name: string;
  /** OID of the type in `pg_type`. */
  readonly typeId: number;
}

/** What the server wanted to say without failing. May quote values: show it to an operator, do not log it. */
export interface Notice {
  readonly severity: string;
  readonly message: string;
}

/** Where the server says the session stands: outside a transaction, inside one, inside one that failed. */
export type TransactionStatus = "idle" | "open" | "failed";

/**
 * One session on a PostgreSQL server. Calls queue in order on it. Everything it throws is a `PlinthError`.
 *
 * A connection that has broken stays broken: `isOpen` is false, every call rejects with `CONNECTION_LOST`, and
 * the owner throws it away. It never crashes the process: an error nobody asked for ends in `onClose`.
 */
export interface Connection {
  /** Unique in this process, for diagnostics. */
  readonly id: number;
  /** The server's process id, as in `pg_stat_activity.pid`. */
  readonly processId: number;
  readonly isOpen: boolean;
  /** A statement is running or queued. */
  readonly isBusy: boolean;
  /** As of the last ReadyForQuery. */
  readonly transactionStatus: TransactionStatus;
  /** When it was opened, in milliseconds since the epoch. */
  readonly openedAt: number;
  /** Something ran that may have left state in the session (see `StatementCall.leavesNoTrace`). */
  readonly isTainted: boolean;
  /**
   * The server took the session settings of the target. False behind a pooler, which refuses or ignores start-up
   * options: the time-outs then travel with each `begin`, and outside transactions those of the role hold.
   */
  readonly hasSessionSettings: boolean;
  /** Takes several statements at once (see `QueryOptions.pipelined`). */
  readonly canPipeline: boolean;

  /** Runs one statement: one round trip. */
  query(call: StatementCall, options?: QueryOptions): Promise<Outcome>;

  /**
   * Sends all statements in one flight with a single Sync: PostgreSQL runs them as one implicit transaction, so
   * all of them happen or none. One round trip. Must not be called inside an open transaction's failed state.
   * `batchIndexOf(error)` tells which one failed. Without a `begin` the Sync is the commit: when the connection is lost
   * before its answer, `mayHaveHappened(error)` is true.
   */
  batch(calls: readonly StatementCall[], options?: BatchOptions): Promise<readonly Outcome[]>;

  /** Runs a text of several statements without parameters (simple protocol). For migrations and operator tools. */
  script(text: string): Promise<readonly Outcome[]>;

  /**
   * Runs `copy … from stdin` and sends what `source` gives. One chunk is on its way at a time: the next one is asked for
   * when the last has left, and may lie in the same buffer. When the source throws, the server undoes the rows it has and
   * the call rejects with the source's own error; when the server refuses a row, the source is told to return.
   *
   * Until it has settled every other call on the connection rejects with `TRANSACTION_CONTROL`: the source itself may be
   * what calls, and would wait for its own end.
   */
  copyIn(
    call: CopyCall,
    source: AsyncIterable<Uint8Array>,
    options?: Pick<QueryOptions, "signal">,
  ): Promise<Outcome>;

  /**
   * Runs `copy … to stdout` and hands over what comes, in pieces that end with a row. The next piece is handed over when
   * `take` has resolved, and what waits is bounded: then the server waits too. On false, the server is told to stop, and
   * the call rejects with `QUERY_CANCELED`. Other calls on the connection are refused as in `copyIn`.
   */
  copyOut(
    call: CopyCall,
    take: (bytes: Buffer) => Promise<boolean>,
    options?: Pick<QueryOptions, "signal">,
  ): Promise<Outcome>;

  /**
   * Brings the session back to how it started: rolls back, resets settings and role, drops temporary tables,
   * stops listening, frees advisory locks, forgets what the caller prepared. Plinth's prepared statements stay.
   * One round trip.
   */
  reset(): Promise<void>;

  /**
   * Asks the server to stop what runs now. Resolves when the request was delivered, not when it took effect.
   * The next statement is held back until then, so that a late request cannot hit it. Nothing running: no-op.
   */
  cancel(): Promise<void>;

  /** Notices (`raise notice`, `create … if not exists`) as they arrive. Call the answer to stop listening. */
  onNotice(listener: (notice: Notice) => void): () => void;

  /** Called once, when the session ends for any reason; `error` is set when nobody asked for the end. */
  onClose(listener: (error: PlinthError | undefined) => void): void;

  /** Lets the process end although the session is open: for one that only stands by. */
  unref(): void;

  /** Ends the session politely, after what is queued. */
  close(): Promise<void>;

  /** Cuts the socket at once. Pending calls reject with `CONNECTION_LOST`. Idempotent. */
  destroy(): void;
}
