import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { hide, type PlinthError, type ServerReport } from "../errors/index.ts";
import { sendCancelRequest } from "./cancel-request.ts";
import {
  type BatchOptions,
  type Connection,
  type CopyCall,
  type Notice,
  type Outcome,
  PIPELINE_LIMIT,
  type QueryOptions,
  type StatementCall,
  type TransactionStatus,
} from "./connection.ts";
import { busyCopying, type CopyPort, runCopyIn, runCopyOut } from "./copying.ts";
import { type Exchange, isServerReport, isStale, type Reply, reportOf } from "./exchange.ts";
import {
  CLOSED,
  canceledFailure,
  type FailedCall,
  farewellOf,
  lostFailure,
  notBegun,
  noteIfUnsettled,
  replyFailure,
  SILENT,
} from "./failures.ts";
import { Flight, Script } from "./flight.ts";
import { PreparedStatements } from "./prepared-statements.ts";
import { UnusableSession } from "./protocol-error.ts";
import { openingCalls } from "./session-check.ts";
import { CLOSE_TIMEOUT_MS, type SessionParts, STOP_TIMEOUT_MS } from "./session-parts.ts";
import { resetSession } from "./session-reset.ts";
import { SilenceWatch } from "./silence-watch.ts";
import {
  checkBegin,
  checkText,
  checkValues,
  controlsTransactionOnly,
  refuseSessionState,
} from "./statement-check.ts";
import type { ConnectionTarget } from "./target.ts";

const STATUS: Readonly<Record<string, TransactionStatus>> = { I: "idle", T: "open", E: "failed" };

let lastId = 0;

/**
 * A session whatever carries its messages. Exchanges go on the wire in the order they were called: one at a time,
 * or several pipelined ones together. Each is settled once, on its ReadyForQuery or at the end of the socket, and
 * never while our own CancelRequest is under way: a late one would hit the next statement.
 */
export abstract class Session implements Connection {
  abstract readonly canPipeline: boolean;
  readonly id = ++lastId;
  readonly openedAt = Date.now();
  readonly processId: number;
  readonly hasSessionSettings: boolean;

  readonly #socket: Socket;
  readonly #target: ConnectionTarget;
  readonly #secretKey: number;
  readonly #statements = new PreparedStatements();
  readonly #closeListeners: ((error: PlinthError | undefined) => void)[] = [];
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #watch: SilenceWatch;
  #status: TransactionStatus = "idle";
  /** On the wire, in the order of their answers. */
  readonly #inFlight: Exchange[] = [];
  /** When the first of them became the first. */
  #since = 0;
  /** Answered, and held until our CancelRequest was delivered. */
  readonly #held = new Set<Exchange>();
  #waiting: Exchange[] = [];
  /** The flight with a BEGIN that is not settled yet. */
  #beginning: Exchange | undefined;
  /** A COPY and whoever feeds or reads it have the connection to themselves. */
  #isCopying = false;
  #canceling: Promise<void> | undefined;
  #isTainted = false;
  /** Set once: the session is over. `reason` stays undefined when we ended it. */
  #end: { readonly reason: unknown } | undefined;
  #isClosing = false;
  #lastError: unknown;

  constructor(parts: SessionParts) {
    this.#socket = parts.socket;
    this.#target = parts.target;
    this.processId = parts.processId;
    this.#secretKey = parts.secretKey;
    this.hasSessionSettings = parts.hasSessionSettings;
    this.#watch = new SilenceWatch({
      limitMs: parts.silenceMs,
      running: () => (this.current === undefined ? undefined : { what: this.current, since: this.#since }),
      isServerWorking: () => parts.isServerWorking(parts.processId),
      cut: () => this.cut(SILENT),
    });
  }

  get isOpen(): boolean {
    return this.#end === undefined && !this.#isClosing && this.#lastError === undefined;
  }

  get isBusy(): boolean {
    return this.#inFlight.length > 0 || this.#held.size > 0 || this.#waiting.length > 0;
  }

  get transactionStatus(): TransactionStatus {
    return this.#status;
  }

  get isTainted(): boolean {
    return this.#isTainted;
  }

  async query(call: StatementCall, options?: QueryOptions): Promise<Outcome> {
    const signal = options?.signal;
    const calls = this.#behind(options, [call]);
    const startsTransaction = calls.length > 1;
    for (const each of calls) this.#admit(each);
    const isPipelined = this.#mayPipeline(calls, options);
    const isPooled = !this.hasSessionSettings;
    let flight = new Flight(calls, this.#statements, { isPipelined, startsTransaction, isPooled });
    let reply = await this.#exchange(flight, signal);
    if (reply.kind !== "done" && this.#mayRunAgain(flight, reply)) {
      flight = new Flight(calls, this.#statements, { startsTransaction, isPooled });
      reply = await this.#exchange(flight, signal);
    }
    if (reply.kind === "done") {
      const outcome = reply.outcomes[calls.length - 1];
      if (outcome !== undefined) return outcome;
    }
    const text = reply.kind === "refused" ? calls[reply.index]?.text : call.text;
    throw this.#failureOf(flight, reply, { text: text ?? call.text, signal });
  }

  async batch(given: readonly StatementCall[], options?: BatchOptions): Promise<readonly Outcome[]> {
    if (given.length === 0) return [];
    for (const call of given) this.#admit(call);
    const calls = this.#behind(options, given);
    const startsTransaction = options?.begin !== undefined;
    const isPipelined = this.#mayPipeline(calls, options);
    const isPooled = !this.hasSessionSettings;
    let flight = new Flight(calls, this.#statements, { isPipelined, startsTransaction, isPooled });
    let reply = await this.#exchange(flight);
    if (reply.kind !== "done" && this.#mayRunAgain(flight, reply)) {
      flight = new Flight(calls, this.#statements, { startsTransaction, isPooled });
      reply = await this.#exchange(flight);
    }
    const before = calls.length - given.length;
    if (reply.kind === "done") return reply.outcomes.slice(before);
    const index = reply.kind === "refused" && reply.index < calls.length ? reply.index : undefined;
    if (index === undefined) throw noteIfUnsettled(this.#failureOf(flight, reply, {}), flight, reply);
    const batchIndex = index < before ? undefined : index - before;
    throw this.#failureOf(flight, reply, { text: calls[index]?.text, batchIndex });
  }

  async script(text: string): Promise<readonly Outcome[]> {
    checkText({ text });
    if (!this.hasSessionSettings) refuseSessionState(text);
    this.#isTainted = true;
    return this.#runScript(text);
  }

  copyIn(
    call: CopyCall,
    source: AsyncIterable<Uint8Array>,
    options?: Pick<QueryOptions, "signal">,
  ): Promise<Outcome> {
    return runCopyIn(this.#portFor(call), call, source, options?.signal);
  }

  copyOut(
    call: CopyCall,
    take: (bytes: Buffer) => Promise<boolean>,
    options?: Pick<QueryOptions, "signal">,
  ): Promise<Outcome> {
    return runCopyOut(this.#portFor(call), call, take, options?.signal);
  }

  async reset(): Promise<void> {
    await resetSession((text) => this.#runScript(text), this.#status);
    this.#isTainted = false;
  }

  async cancel(): Promise<void> {
    if (this.#inFlight.length === 0 || this.#end !== undefined) return;
    for (const exchange of this.#inFlight) {
      exchange.isCanceled = true;
      exchange.stop();
    }
    this.transmitMore();
    const request = sendCancelRequest(this.#target, this.processId, this.#secretKey);
    // Both outcomes let the queue go on; the caller learns which it was.
    const over = Promise.allSettled([this.#canceling, request]).then(() => {
      if (this.#canceling !== over) return;
      this.#canceling = undefined;
      this.#settleHeld();
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
    this.cut(CLOSED);
  }

  // ---- What the one who carries the messages does, and tells --------------------------------------------

  /** Sends the messages of an exchange. What it throws fails that exchange, of which nothing may then be sent. */
  protected abstract transmit(exchange: Exchange): void;
  /** Sends what an exchange has added since. */
  protected abstract transmitMore(): void;
  /** Where the bytes of a COPY go. */
  protected abstract get stream(): Duplex;
  /** Ends the session in an orderly way. */
  protected abstract terminate(): void;

  /** The exchange whose answer is arriving. */
  protected get current(): Exchange | undefined {
    return this.#inFlight[0];
  }

  protected get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** ReadyForQuery: the current exchange is over, and the session stands so. */
  protected ready(status: string): void {
    this.#status = STATUS[status] ?? "idle";
    const exchange = this.#inFlight.shift();
    if (exchange === undefined) return;
    if (this.#inFlight.length > 0) this.#since = performance.now();
    if (this.#canceling !== undefined) {
      this.#held.add(exchange);
      return;
    }
    this.#settle(exchange);
    this.#advance();
  }

  protected notice({ severity, message }: Notice): void {
    for (const listener of this.#noticeListeners) {
      // Not from here: what a listener throws has nothing to do with the message that is being read.
      queueMicrotask(() => listener({ severity, message }));
    }
  }

  /** Every text is read as UTF-8: in another encoding letters would be lost in silence. */
  protected parameter(name: string, value: string): void {
    if (name === "client_encoding" && value !== "UTF8") {
      this.cut(new UnusableSession(`client_encoding was set to ${value}, and Plinth reads UTF8`));
    }
  }

  /** An error that belongs to no exchange: the reason, should the session end now. */
  protected note(error: Error): void {
    this.#lastError ??= isServerReport(error) ? farewellOf(reportOf(error)) : error;
  }

  protected noteReport(report: ServerReport): void {
    this.#lastError ??= farewellOf(report);
  }

  /** Ends the session at once. */
  protected cut(reason: Error): void {
    this.#lastError ??= reason;
    this.#socket.destroy();
    this.ended();
  }

  /** The socket has ended, whoever ended it. */
  protected ended(): void {
    if (this.#end !== undefined) return;
    this.#watch.stop();
    const farewell = this.current?.farewell;
    if (farewell !== undefined) this.#lastError = farewellOf(farewell);
    this.#end = { reason: this.#isClosing ? CLOSED : this.#lastError };
    for (const exchange of this.#held) exchange.finish();
    this.#held.clear();
    for (const exchange of this.#inFlight.splice(0)) exchange.abandon();
    for (const exchange of this.#waiting.splice(0)) exchange.abandon();
    const error = this.#isClosing ? undefined : this.#lost(false);
    for (const listener of this.#closeListeners.splice(0)) listener(error);
  }

  // ---- Who goes on the wire when ------------------------------------------------------------------------

  #exchange(exchange: Exchange, signal?: AbortSignal): Promise<Reply> {
    if (this.#isCopying) {
      exchange.fail(busyCopying());
      return exchange.reply;
    }
    if (signal !== undefined) return this.#exchangeUntil(exchange, signal);
    exchange.needsTransaction = this.#beginning !== undefined;
    if (exchange instanceof Flight && exchange.startsTransaction) this.#beginning = exchange;
    if (!this.isOpen) exchange.abandon();
    else if (this.#waiting.length === 0 && this.#mayGo(exchange)) this.#submit(exchange);
    else this.#waiting.push(exchange);
    return exchange.reply;
  }

  #mayGo(exchange: Exchange): boolean {
    if (this.#canceling !== undefined || this.#held.size > 0) return false;
    const first = this.#inFlight[0];
    if (first === undefined) return true;
    return exchange.isPipelined && first.isPipelined && this.#inFlight.length < PIPELINE_LIMIT;
  }

  #submit(exchange: Exchange): void {
    if (exchange.needsTransaction && this.#status === "idle") {
      exchange.fail(notBegun());
      return;
    }
    exchange.startedIn = this.#status;
    if (this.#inFlight.length === 0) this.#since = performance.now();
    try {
      this.transmit(exchange);
    } catch (error) {
      if (exchange === this.#beginning) this.#beginning = undefined;
      exchange.fail(error);
      return;
    }
    this.#inFlight.push(exchange);
    this.#watch.arm();
  }

  #advance(): void {
    if (this.#end !== undefined) return;
    for (let next = this.#waiting[0]; next !== undefined && this.#mayGo(next); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#submit(next);
    }
    if (this.#isClosing && !this.isBusy) this.#sayGoodbye();
  }

  #settle(exchange: Exchange): void {
    if (exchange === this.#beginning) this.#beginning = undefined;
    exchange.finish();
  }

  #settleHeld(): void {
    if (this.#end !== undefined) return;
    for (const exchange of this.#held) this.#settle(exchange);
    this.#held.clear();
    this.#advance();
  }

  #sayGoodbye(): void {
    const timer = setTimeout(() => this.destroy(), CLOSE_TIMEOUT_MS);
    this.onClose(() => clearTimeout(timer));
    this.terminate();
  }

  /** The calls, with what goes before them at the beginning of a transaction. */
  #behind(options: BatchOptions | undefined, calls: readonly StatementCall[]): readonly StatementCall[] {
    const begin = options?.begin;
    if (begin === undefined && options?.isWhole !== true) return calls;
    if (begin !== undefined) checkBegin(begin);
    return [...openingCalls(begin, this, this.#target), ...calls];
  }

  /** A pipelined statement has neighbours: it must leave the session as it found it, and nobody may cancel it. */
  #mayPipeline(calls: readonly StatementCall[], options: QueryOptions | undefined): boolean {
    if (options?.pipelined !== true || options.begin !== undefined || options.signal !== undefined)
      return false;
    const isFree = this.canPipeline && this.#status === "idle";
    return isFree && calls.every((call) => this.#leavesAsFound(call));
  }

  #leavesAsFound({ name, text, leavesNoTrace }: StatementCall): boolean {
    if (leavesNoTrace !== true || name === undefined) return false;
    return this.#statements.has(name, text) || !controlsTransactionOnly(text);
  }

  #admit(call: StatementCall): void {
    // What is prepared was looked at before.
    if (call.name === undefined || !this.#statements.has(call.name, call.text)) checkText(call);
    checkValues(call.values);
    if (!this.hasSessionSettings && call.leavesNoTrace !== true) refuseSessionState(call.text);
    this.#isTainted ||= call.leavesNoTrace !== true && !controlsTransactionOnly(call.text);
  }

  /**
   * A stale name is refused at Bind, so its statement did not run, and the flight forgot the name. Inside a
   * transaction the refusal has failed that already, and only its owner can run it again; one that the flight itself
   * began has done nothing yet, and is rolled back here. The caller sends the second attempt in the same breath:
   * nothing may come between, where it would run outside any transaction.
   */
  #mayRunAgain(flight: Flight, reply: Reply): boolean {
    if (flight.startedIn !== "idle" || !isStale(reply) || !this.isOpen) return false;
    if (this.#status === "idle") return true;
    if (!flight.hasOnlyBegun(reply) || this.isBusy) return false;
    void this.#exchange(new Flight([ROLLBACK], this.#statements));
    return true;
  }

  async #runScript(text: string): Promise<readonly Outcome[]> {
    const script = new Script(text);
    const reply = await this.#exchange(script);
    if (reply.kind === "done") return reply.outcomes;
    throw this.#failureOf(script, reply, {});
  }

  #portFor(call: CopyCall): CopyPort {
    return {
      stream: this.stream,
      alone: async (copy, signal, work) => {
        checkText(call);
        this.#isTainted ||= call.leavesNoTrace !== true;
        const isFirst = !this.#isCopying;
        const reply = this.#exchange(copy, signal);
        this.#isCopying = true;
        return work(reply).finally(() => {
          if (isFirst) this.#isCopying = false;
        });
      },
      transmitMore: () => this.transmitMore(),
      stop: (copy) => this.#stopUntilCut(copy),
      failureOf: (copy, reply, failed) => this.#failureOf(copy, reply, failed),
    };
  }

  // ---- Cancelling by signal -----------------------------------------------------------------------------

  /** Stops what runs now. A session that nobody can stop, because the request is lost or not heard, is cut. */
  #stopUntilCut(exchange: Exchange): ReturnType<typeof setTimeout> | undefined {
    if (this.current !== exchange) return undefined;
    const deadline = setTimeout(() => this.destroy(), STOP_TIMEOUT_MS);
    this.cancel().catch(() => {});
    return deadline;
  }

  async #exchangeUntil(exchange: Exchange, signal: AbortSignal): Promise<Reply> {
    if (signal.aborted) throw canceledFailure(signal, "before it was sent");
    let deadline: ReturnType<typeof setTimeout> | undefined;
    const onAbort = () => {
      const position = this.#waiting.indexOf(exchange);
      if (position !== -1) {
        this.#waiting.splice(position, 1);
        if (exchange === this.#beginning) this.#beginning = undefined;
        exchange.isCanceled = true;
        exchange.abandon();
        return;
      }
      // Settled, and its caller has not heard yet: then what runs now is somebody else's.
      deadline = this.#stopUntilCut(exchange);
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

  #failureOf(exchange: Exchange, reply: Reply, call: FailedCall): unknown {
    if (reply.kind === "failed") return reply.error;
    if (reply.kind === "refused" || (exchange.isCanceled && call.signal?.aborted === true)) {
      return replyFailure(exchange, reply, call);
    }
    const error = this.#lost(exchange.startedIn !== undefined);
    if (exchange.startedIn === undefined) hide(error, "wasSent", false);
    return error;
  }

  #lost(wasRunning: boolean): PlinthError {
    return lostFailure(this.#target, this.#end?.reason ?? this.#lastError, wasRunning);
  }
}

const ROLLBACK: StatementCall = { text: "rollback", values: [] };
