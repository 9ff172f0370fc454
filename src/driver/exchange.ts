import { errorFromServer, type ServerReport } from "../errors/index.ts";
import type { Cell, Field, Outcome, StatementCall, TransactionStatus } from "./connection.ts";
import type { PreparedStatement, PreparedStatements } from "./prepared-statements.ts";
import type { CommandComplete, DataRow, RowDescription, Wire } from "./wire.ts";

/** How one exchange ended. Exactly one of the three. */
export type Reply =
  | { readonly kind: "done"; readonly outcomes: readonly Outcome[] }
  | { readonly kind: "refused"; readonly report: ServerReport; readonly index: number }
  | { readonly kind: "lost" };

interface MutableOutcome {
  command: string;
  rowCount: number;
  rows: Cell[][];
  fields: readonly Field[];
}

const NO_FIELDS: readonly Field[] = Object.freeze([]);
const NO_TYPES: string[] = [];

/**
 * One conversation up to ReadyForQuery: what is sent, and what came back. It has the shape of `pg`'s
 * "submittable" query, so `pg` routes the server's messages to it.
 *
 * `pg` reports an error when ErrorResponse arrives and forgets the query, before ReadyForQuery says how the
 * transaction stands. An exchange therefore only collects; the connection settles it on ReadyForQuery or on
 * the end of the socket, whichever comes first.
 */
export abstract class Exchange {
  readonly reply: Promise<Reply>;
  /** How the session stood when this was sent; undefined while it waits in line. */
  startedIn: TransactionStatus | undefined;
  /** Our own CancelRequest is on its way. */
  isCanceled = false;

  readonly #outcomes: Outcome[] = [];
  #current: MutableOutcome = emptyOutcome();
  #report: ServerReport | undefined;
  #parsed = 0;
  #settle: (reply: Reply) => void = () => {};

  constructor() {
    this.reply = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  protected abstract send(wire: Wire): void;
  /** Called when one statement's CommandComplete arrived. */
  protected onOutcome(_index: number, _outcome: Outcome): void {}
  /** Called once after a refusal, with the number of statements the server has parsed. */
  protected onRefusal(_parsed: number, _sqlstate: string | undefined): void {}
  /** Fields known beforehand, when no Describe was sent. */
  protected fieldsOf(_index: number): readonly Field[] | undefined {
    return undefined;
  }

  /** The server ended the conversation in an orderly way. */
  finish(): void {
    if (this.#report === undefined) {
      this.#settle({ kind: "done", outcomes: this.#outcomes });
    } else {
      this.onRefusal(this.#parsed, this.#report.code);
      this.#settle({ kind: "refused", report: this.#report, index: this.#outcomes.length });
    }
  }

  /** The socket ended first. A FATAL error that arrived before still tells why. */
  abandon(): void {
    this.#settle(
      this.#report === undefined
        ? { kind: "lost" }
        : { kind: "refused", report: this.#report, index: this.#outcomes.length },
    );
  }

  /** The FATAL report with which the server ended the session, if it sent one. */
  get farewell(): ServerReport | undefined {
    const report = this.#report;
    const isFinal =
      report?.severity === "FATAL" ||
      report?.severity === "PANIC" ||
      /^(57P|25P0[34])/.test(report?.code ?? "");
    return isFinal ? report : undefined;
  }

  noteParsed(): void {
    this.#parsed++;
  }

  // ---- What `pg.Client` calls ---------------------------------------------------------------------------

  submit(wire: Wire): null {
    // One write for all messages instead of one per message.
    wire.stream.cork();
    try {
      this.send(wire);
    } finally {
      wire.stream.uncork();
    }
    return null;
  }

  handleRowDescription(message: RowDescription): void {
    this.#current.fields = message.fields.map((field) => ({ name: field.name, typeId: field.dataTypeID }));
  }

  handleDataRow(message: DataRow): void {
    this.#current.rows.push(message.fields);
  }

  handleCommandComplete(message: CommandComplete): void {
    const outcome = this.#current;
    this.#current = emptyOutcome();
    readTag(outcome, message.text);
    const index = this.#outcomes.length;
    if (outcome.fields === NO_FIELDS) outcome.fields = this.fieldsOf(index) ?? NO_FIELDS;
    this.#outcomes.push(outcome);
    this.onOutcome(index, outcome);
  }

  /** A text of comments only: PostgreSQL answers EmptyQueryResponse in place of CommandComplete. */
  handleEmptyQuery(): void {
    this.#outcomes.push(emptyOutcome());
  }

  handleError(error: ServerReport): void {
    // Socket errors also end here; they carry no SQLSTATE, and the end of the socket tells about them.
    if (this.#report === undefined && isServerReport(error)) this.#report = reportOf(error);
  }

  handleReadyForQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}

  handleCopyInResponse(wire: Wire & { sendCopyFail(reason: string): void }): void {
    wire.sendCopyFail("copy from stdin is not offered by this call");
    this.#report = {
      code: "0A000",
      message: "copy from stdin is not offered by this call; insert in batches instead",
    };
    this.afterCopyFail(wire);
  }

  protected afterCopyFail(_wire: Wire): void {}
}

/** Several statements by the extended protocol under one Sync: one round trip, one implicit transaction. */
export class Flight extends Exchange {
  readonly #calls: readonly StatementCall[];
  readonly #statements: PreparedStatements;
  /** Per statement: what the session knows of its name; undefined for one-off texts. */
  readonly #prepared: (PreparedStatement | undefined)[] = [];
  /** The names of the Parse messages sent, in order; empty for one-off texts. */
  readonly #parses: string[] = [];

  constructor(calls: readonly StatementCall[], statements: PreparedStatements) {
    super();
    this.#calls = calls;
    this.#statements = statements;
  }

  protected override send(wire: Wire): void {
    for (const call of this.#calls) this.#sendOne(wire, call);
    wire.sync();
  }

  #sendOne(wire: Wire, call: StatementCall): void {
    const name = call.name ?? "";
    let prepared = name === "" ? undefined : this.#statements.find(name, call.text);
    if (prepared === undefined) {
      if (name !== "") prepared = this.#announce(wire, name, call.text);
      wire.parse({ name, text: call.text, types: NO_TYPES }, true);
      this.#parses.push(name);
    }
    this.#prepared.push(prepared);
    wire.bind({ statement: name, values: [...call.values] }, true);
    if (prepared?.fields === undefined) wire.describe({ type: "P", name: "" }, true);
    wire.execute(null, true);
  }

  #announce(wire: Wire, name: string, text: string): PreparedStatement {
    const { statement, evicted } = this.#statements.add(name, text);
    for (const old of evicted) wire.close({ type: "S", name: old }, true);
    // Closing a name that does not exist is no error, and it makes a leftover of the same name harmless.
    wire.close({ type: "S", name }, true);
    return statement;
  }

  protected override fieldsOf(index: number): readonly Field[] | undefined {
    return this.#prepared[index]?.fields;
  }

  protected override onOutcome(index: number, outcome: Outcome): void {
    const prepared = this.#prepared[index];
    if (prepared !== undefined) prepared.fields ??= outcome.fields;
  }

  protected override onRefusal(parsed: number, sqlstate: string | undefined): void {
    for (const name of this.#parses.slice(parsed)) this.#statements.forget(name);
    // The server no longer has a name (26000), or its shape changed (0A000): prepare all of them anew.
    if (sqlstate === "26000" || sqlstate === "0A000" || sqlstate === "42P05") {
      for (const call of this.#calls) this.#statements.forget(call.name ?? "");
    }
  }

  /** The server swallowed our Sync as part of the COPY conversation. */
  protected override afterCopyFail(wire: Wire): void {
    wire.sync();
  }
}

/** A text of several statements by the simple protocol. */
export class Script extends Exchange {
  readonly #text: string;

  constructor(text: string) {
    super();
    this.#text = text;
  }

  protected override send(wire: Wire): void {
    wire.query(this.#text);
  }
}

/** Whether running the exchange again, outside any transaction, is safe and likely to help. */
export function isStale(reply: Reply): boolean {
  return reply.kind === "refused" && errorFromServer(reply.report).code === "STALE_STATEMENT";
}

function emptyOutcome(): MutableOutcome {
  return { command: "", rowCount: 0, rows: [], fields: NO_FIELDS };
}

function readTag(outcome: MutableOutcome, tag: string): void {
  const space = tag.lastIndexOf(" ");
  const count = space === -1 ? Number.NaN : Number(tag.slice(space + 1));
  if (Number.isNaN(count)) {
    // SHOW, EXPLAIN and CALL answer rows without counting them.
    outcome.rowCount = outcome.rows.length;
    outcome.command = tag;
    return;
  }
  outcome.rowCount = count;
  outcome.command = tag.startsWith("INSERT") ? "INSERT" : tag.slice(0, space);
}

/** Only the server's reports have a severity. The form of the code does not tell: EPIPE looks like an SQLSTATE. */
export function isServerReport<T extends object>(error: T): error is T & ServerReport {
  return "severity" in error && typeof error.severity === "string";
}

/** A plain copy: `pg`'s error object must not travel on, its `detail` would be printed. */
export function reportOf(error: ServerReport): ServerReport {
  const { code, message, severity, detail, where, schema, table, column, constraint, position } = error;
  return { code, message, severity, detail, where, schema, table, column, constraint, position };
}
