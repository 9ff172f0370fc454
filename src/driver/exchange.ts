import { errorFromServer, type ServerReport } from "../errors/index.ts";
import type { Cell, Field, Outcome, RowReader, TransactionStatus } from "./connection.ts";
import { OutcomeCollector } from "./outcome.ts";
import { ProtocolViolation } from "./protocol-error.ts";
import { readCells } from "./row-bytes.ts";
import type { Sender } from "./sender.ts";

/** How one exchange ended. Exactly one of the four. */
export type Reply =
  | { readonly kind: "done"; readonly outcomes: readonly Outcome[] }
  | { readonly kind: "refused"; readonly report: ServerReport; readonly index: number }
  /** The server did it, and what it answered could not be decoded; or it could not even be sent. */
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "lost" };

/**
 * One conversation up to ReadyForQuery: what is sent, and what came back.
 *
 * An error is known when ErrorResponse arrives, and only ReadyForQuery says how the transaction stands. An exchange
 * therefore only collects; the session settles it on ReadyForQuery or on the end of the socket, whichever comes
 * first.
 */
export abstract class Exchange {
  readonly reply: Promise<Reply>;
  /** May be on the wire together with others of its kind. */
  readonly isPipelined: boolean;
  /** How the session stood when this was sent; undefined while it waits in line. */
  startedIn: TransactionStatus | undefined;
  /** It was called while a BEGIN was under way, and so belongs into that transaction. */
  needsTransaction = false;
  /** Our own CancelRequest is on its way. */
  isCanceled = false;

  readonly #outcomes: Outcome[] = [];
  readonly #collector = new OutcomeCollector();
  /** Reads the rows that arrive now where they lie; undefined: they are text. */
  #binary: RowReader | undefined;
  #report: ServerReport | undefined;
  #failure: { readonly error: unknown } | undefined;
  #parsed = 0;
  #settle: (reply: Reply) => void = unsettled;

  constructor(isPipelined = false) {
    this.isPipelined = isPipelined;
    this.reply = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  abstract send(sender: Sender): void;
  /** Called when one statement's CommandComplete arrived. */
  protected onOutcome(_index: number, _outcome: Outcome): void {}
  /** Called once after a refusal, with the number of statements the server has parsed. */
  protected onRefusal(_parsed: number, _sqlstate: string | undefined): void {}
  /** Fields known beforehand, when no Describe was sent. */
  protected fieldsOf(_index: number): readonly Field[] | undefined {
    return undefined;
  }
  /** The server wants rows of `copy from stdin`, which only `CopyIn` offers. */
  protected refuseCopy(_sender: Sender, _index: number): void {}
  /** It is being canceled: for what a CancelRequest alone does not reach. */
  stop(): void {}

  /** Says who reads the rows of the statement whose answer comes next, and whether in its binary formats. */
  protected expect(reader: RowReader | undefined, isBinary: boolean): void {
    this.#collector.begin(reader);
    this.#binary = isBinary ? reader : undefined;
  }

  /** The server ended the conversation in an orderly way. */
  finish(): void {
    if (this.#report !== undefined) {
      this.onRefusal(this.#parsed, this.#report.code);
      this.#settle({ kind: "refused", report: this.#report, index: this.#outcomes.length });
    } else if (this.#failure !== undefined) {
      this.#settle({ kind: "failed", error: this.#failure.error });
    } else {
      this.#settle({ kind: "done", outcomes: this.#outcomes });
    }
  }

  /** It could not be put into messages; nothing of it was sent. */
  fail(error: unknown): void {
    this.onRefusal(0, undefined);
    this.#settle({ kind: "failed", error });
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

  // ---- What the server answered -------------------------------------------------------------------------

  parsed(): void {
    this.#parsed++;
  }

  describe(fields: readonly Field[]): void {
    this.#collector.describe(fields);
  }

  rowOfCells(cells: readonly Cell[]): void {
    if (this.#failure !== undefined) return;
    try {
      this.#collector.addCells(cells);
    } catch (error) {
      this.#failure = { error };
    }
  }

  /** A DataRow in the receive buffer, from its column count to its end. */
  rowOfBytes(buffer: Buffer, offset: number, end: number): void {
    if (this.#failure !== undefined) return;
    try {
      if (this.#binary === undefined) this.#collector.addCells(readCells(buffer, offset, end));
      else this.#collector.addBytes(this.#binary, buffer, offset, end);
    } catch (error) {
      if (error instanceof ProtocolViolation) throw error;
      this.#failure = { error };
    }
  }

  /** One statement is over. A text of comments only has no command. */
  complete(command: string, count: number | undefined): void {
    const index = this.#outcomes.length;
    const outcome = this.#collector.take(command, count, this.fieldsOf(index));
    this.#outcomes.push(outcome);
    this.#collector.begin(undefined);
    this.#binary = undefined;
    this.onOutcome(index, outcome);
  }

  refuse(report: ServerReport): void {
    this.#report ??= report;
  }

  /** Rows of `copy to stdout`, which lie in a buffer that is used again; they are passed over by all but `CopyOut`. */
  copyData(_buffer: Buffer, _start: number, _end: number): void {}

  copyIn(sender: Sender): void {
    this.#report = {
      code: "0A000",
      message: "copy from stdin is not offered by this call; use copyIn",
    };
    this.refuseCopy(sender, this.#outcomes.length);
  }
}

/** Stands in for what the promise gives at once. */
function unsettled(): void {}

/** Whether running the exchange again, outside any transaction, is safe and likely to help. */
export function isStale(reply: Reply): boolean {
  return reply.kind === "refused" && errorFromServer(reply.report).code === "STALE_STATEMENT";
}

/** `INSERT 0 1` as command and count; the count is undefined where the tag has none. */
export function readTag(tag: string): { readonly command: string; readonly count: number | undefined } {
  const space = tag.lastIndexOf(" ");
  const count = space === -1 ? Number.NaN : Number(tag.slice(space + 1));
  if (Number.isNaN(count)) return { command: tag, count: undefined };
  return { command: tag.startsWith("INSERT") ? "INSERT" : tag.slice(0, space), count };
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
