import type { Socket } from "node:net";
import type pg from "pg";
import type { PlinthError } from "../errors/index.ts";
import { sendCancelRequest } from "./cancel-request.ts";
import type { Connection, Notice, Outcome, StatementCall, TransactionStatus } from "./connection.ts";
import { type Exchange, Flight, isServerReport, isStale, type Reply, reportOf, Script } from "./exchange.ts";
import {
  CLOSED,
  canceledFailure,
  type FailedCall,
  lostFailure,
  replyFailure,
  SILENT,
  statementFailure,
} from "./failures.ts";
import { PreparedStatements } from "./prepared-statements.ts";
import { leftoverNames, RESET_SCRIPT } from "./session-reset.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { checkCall, controlsTransactionOnly } from "./statement-check.ts";
import type { ConnectionTarget } from "./target.ts";

/** How long a canceled statement may go on before its connection is cut. */
export const STOP_TIMEOUT_MS = 5_000;
/** How long a polite goodbye may take. */
const CLOSE_TIMEOUT_MS = 2_000;

const STATUS: Readonly<Record<string, TransactionStatus>> = { I: "idle", T: "open", E: "failed" };

let lastId = 0;

export interface PgConnectionParts {
  readonly client: pg.Client;
  /** The raw socket under `client`, below TLS: destroying it is what always works. */
  readonly socket: Socket;
  readonly target: ConnectionTarget;
  readonly hasSessionSettings: boolean;
  /** After this long without an answer, `isServerWorking` is asked. */
  readonly silenceMs: number;
  /** Whether the server still works for this session; asked on another connection. */
  readonly isServerWorking: (processId: number) => Promise<boolean>;
}

/**
 * A session through `pg.Client`.
 *
 * One exchange is on the wire at a time, the others wait here (`pg`'s own queue is deprecated and settles errors
 * before ReadyForQuery). An exchange is settled once, on ReadyForQuery or at the end of the socket, and never
 * while our own CancelRequest is under way: a late one would hit the next statement.
 */
export class PgConnection implements Connection {
  readonly id = ++lastId;
  readonly openedAt = Date.now();
  readonly hasSessionSettings: boolean;

  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #target: ConnectionTarget;
  readonly #statements = new PreparedStatements();
  readonly #closeListeners: ((error: PlinthError | undefined) => void)[] = [];
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #watch: SilenceWatch;
  #processId = 0;
  #secretKey = 0;
  #status: TransactionStatus = "idle";
  #current: Exchange | undefined;
  #sentAt = 0;
  #waiting: Exchange[] = [];
  #canceling: Promise<void> | undefined;
  #isTainted = false;
  /** Set once: the session is over. `reason` stays undefined when we ended it. */
  #end: { readonly reason: unknown } | undefined;
  #isClosing = false;
  #lastError: unknown;

  constructor(parts: PgConnectionParts) {
    this.#client = parts.client;
    this.#socket = parts.socket;
    this.#target = parts.target;
    this.hasSessionSettings = parts.hasSessionSettings;
    this.#watch = new SilenceWatch({
      limitMs: parts.silenceMs,
      running: () => (this.#current === undefined ? undefined : { what: this.#current, since: this.#sentAt }),
      isServerWorking: () => parts.isServerWorking(this.#processId),
      cut: () => this.#cut(SILENT),
    });
    // From construction on: an `error` event without a listener ends the process.
    this.#client.on("error", (error) => {
      this.#lastError ??= isServerReport(error)
        ? statementFailure(reportOf(error), { text: undefined, canceledByUs: false })
        : error;
    });
    this.#client.on("notice", (notice) => this.#onNotice(notice));
    const wire = this.#client.connection;
    wire.on("backendKeyData", (message: { processID: number; secretKey: number }) => {
      this.#processId = message.processID;
      this.#secretKey = message.secretKey;
    });
    wire.on("parseComplete", () => this.#current?.noteParsed());
    wire.on("readyForQuery", (message: { status: string }) => this.#onReady(message.status));
    wire.on("end", () => this.#onEnd());
  }

  get processId(): number {
    return this.#processId;
  }

  get isOpen(): boolean {
    return this.#end === undefined && !this.#isClosing && this.#lastError === undefined;
  }

  get isBusy(): boolean {
    return this.#current !== undefined || this.#waiting.length > 0;
  }

  get transactionStatus(): TransactionStatus {
    return this.#status;
  }

  get isTainted(): boolean {
    return this.#isTainted;
  }

  async query(
    call: StatementCall,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Outcome> {
    const signal = options?.signal;
    const { flight, reply } = await this.#deliver([call], signal);
    if (reply.kind === "done" && reply.outcomes[0] !== undefined) return reply.outcomes[0];
    throw this.#failureOf(flight, reply, { text: call.text, signal });
  }

  async batch(calls: readonly StatementCall[]): Promise<readonly Outcome[]> {
    if (calls.length === 0) return [];
    const { flight, reply } = await this.#deliver(calls, undefined);
    if (reply.kind === "done") return reply.outcomes;
    const batchIndex = reply.kind === "refused" && reply.index < calls.length ? reply.index : undefined;
    const text = batchIndex === undefined ? undefined : calls[batchIndex]?.text;
    throw this.#failureOf(flight, reply, { text, batchIndex });
  }

  async script(text: string): Promise<readonly Outcome[]> {
    checkCall({ text, values: [] });
    this.#isTainted = true;
    return this.#runScript(text);
  }

  async reset(): Promise<void> {
    const text = this.#status === "idle" ? RESET_SCRIPT : `rollback;\n${RESET_SCRIPT}`;
    const names = leftoverNames(await this.#runScript(text));
    if (names.length > 0) await this.#runScript(names.map((name) => `deallocate ${name}`).join(";\n"));
    this.#isTainted = false;
  }

  async cancel(): Promise<void> {
    const exchange = this.#current;
    if (exchange === undefined || this.#end !== undefined) return;
    exchange.isCanceled = true;
    const request = sendCancelRequest(this.#target, this.#processId, this.#secretKey);
    // Both outcomes let the queue go on; the caller learns which it was.
    const over = Promise.allSettled([this.#canceling, request]).then(() => {
      if (this.#canceling === over) this.#canceling = undefined;
    });
    this.#canceling = over;
    return request;
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.#noticeListeners.add(listener);
    return () => void this.#noticeListeners.delete(listener);
  }

  onClose(listener: (error: PlinthError | undefined) => void): void {
    this.#closeListeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    const ended = new Promise<void>((resolve) => this.onClose(() => resolve()));
    this.#isClosing = true;
    if (!this.isBusy) this.#sayGoodbye();
    await ended;
  }

  unref(): void {
    this.#socket.unref();
  }

  destroy(): void {
    this.#isClosing = true;
    this.#cut(CLOSED);
  }

  // ---- One exchange at a time ---------------------------------------------------------------------------

  #exchange(exchange: Exchange): Promise<Reply> {
    if (!this.isOpen) {
      exchange.abandon();
      return exchange.reply;
    }
    if (this.#current === undefined) this.#submit(exchange);
    else this.#waiting.push(exchange);
    return exchange.reply;
  }

  #submit(exchange: Exchange): void {
    this.#current = exchange;
    exchange.startedIn = this.#status;
    this.#sentAt = performance.now();
    this.#watch.arm();
    this.#client.query(exchange);
  }

  #onReady(status: string): void {
    this.#status = STATUS[status] ?? "idle";
    const exchange = this.#current;
    if (exchange === undefined) return;
    if (this.#canceling === undefined) this.#advance(exchange);
    else void this.#canceling.then(() => this.#advance(exchange));
  }

  #advance(exchange: Exchange): void {
    if (this.#end !== undefined) return;
    this.#current = undefined;
    exchange.finish();
    const next = this.#waiting.shift();
    if (next !== undefined) this.#submit(next);
    else if (this.#isClosing) this.#sayGoodbye();
  }

  #sayGoodbye(): void {
    const timer = setTimeout(() => this.destroy(), CLOSE_TIMEOUT_MS);
    this.onClose(() => clearTimeout(timer));
    this.#client.end(() => {});
  }

  #cut(reason: Error): void {
    this.#lastError ??= reason;
    this.#socket.destroy();
    this.#onEnd();
  }

  #onEnd(): void {
    if (this.#end !== undefined) return;
    this.#watch.stop();
    const farewell = this.#current?.farewell;
    if (farewell !== undefined)
      this.#lastError = statementFailure(farewell, { text: undefined, canceledByUs: false });
    this.#end = { reason: this.#isClosing ? CLOSED : this.#lastError };
    const abandoned = this.#current === undefined ? this.#waiting : [this.#current, ...this.#waiting];
    this.#current = undefined;
    this.#waiting = [];
    for (const exchange of abandoned) exchange.abandon();
    const error = this.#isClosing ? undefined : this.#lost(false);
    for (const listener of this.#closeListeners.splice(0)) listener(error);
  }

  #onNotice(notice: { severity?: string | undefined; message?: string | undefined }): void {
    const { severity = "NOTICE", message = "" } = notice;
    for (const listener of this.#noticeListeners) listener({ severity, message });
  }

  async #deliver(
    calls: readonly StatementCall[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly flight: Flight; readonly reply: Reply }> {
    for (const call of calls) {
      checkCall(call);
      this.#isTainted ||= call.leavesNoTrace !== true && !controlsTransactionOnly(call.text);
    }
    for (let attempt = 1; ; attempt++) {
      const flight = new Flight(calls, this.#statements);
      const reply =
        signal === undefined ? await this.#exchange(flight) : await this.#exchangeUntil(flight, signal);
      // A stale name is refused at Bind, so nothing ran, and the flight forgot the name. Inside a transaction the
      // refusal has failed that already, and only its owner can run it again.
      if (attempt === 2 || flight.startedIn !== "idle" || !isStale(reply)) return { flight, reply };
    }
  }

  async #runScript(text: string): Promise<readonly Outcome[]> {
    const script = new Script(text);
    const reply = await this.#exchange(script);
    if (reply.kind === "done") return reply.outcomes;
    throw this.#failureOf(script, reply, {});
  }

  // ---- Cancelling by signal -----------------------------------------------------------------------------

  async #exchangeUntil(exchange: Exchange, signal: AbortSignal): Promise<Reply> {
    if (signal.aborted) throw canceledFailure(signal, "before it was sent");
    let deadline: ReturnType<typeof setTimeout> | undefined;
    const onAbort = () => {
      const position = this.#waiting.indexOf(exchange);
      if (position !== -1) {
        this.#waiting.splice(position, 1);
        exchange.isCanceled = true;
        exchange.abandon();
        return;
      }
      // Settled, and its caller has not heard yet: what runs now is somebody else's.
      if (this.#current !== exchange) return;
      exchange.isCanceled = true;
      // Also when the request cannot be delivered: a session nobody can stop is cut.
      deadline = setTimeout(() => this.destroy(), STOP_TIMEOUT_MS);
      this.cancel().catch(() => {});
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await this.#exchange(exchange);
    } finally {
      signal.removeEventListener("abort", onAbort);
      clearTimeout(deadline);
    }
  }

  // ---- Errors -------------------------------------------------------------------------------------------

  #failureOf(exchange: Exchange, reply: Reply, call: FailedCall): PlinthError {
    if (reply.kind === "refused" || (exchange.isCanceled && call.signal?.aborted === true)) {
      return replyFailure(exchange, reply, call);
    }
    return this.#lost(exchange.startedIn !== undefined);
  }

  #lost(wasRunning: boolean): PlinthError {
    return lostFailure(this.#target, this.#end?.reason ?? this.#lastError, wasRunning);
  }
}
