import { setMaxListeners } from "node:events";
import type { BatchOptions, Connection, Outcome, QueryOptions, StatementCall } from "../driver/index.ts";
import { CallSite, type HolderReport, isPlinthError, type PlinthError } from "../errors/index.ts";
import { checkBudget, readBudget } from "./budget.ts";
import { HoldingScopes, reportHolding } from "./holding.ts";
import { LeasedConnection, PooledLease } from "./lease.ts";
import { type Holding, type Member, probe, reset, withinBound } from "./member.ts";
import { Members } from "./members.ts";
import { isAskedBefore, Naming } from "./naming.ts";
import type { ParsedPoolOptions, PoolWarning } from "./options.ts";
import { Paces } from "./pace.ts";
import type { AcquireOptions, Lease, Pool, PoolStats, PoolVerification } from "./pool.ts";
import { deadlock, exhausted, type PoolSituation, poolClosed, queueFull, waitCanceled } from "./refusals.ts";
import { type Errand, SharedLane } from "./shared-lane.ts";
import { Upkeep } from "./upkeep.ts";
import { type Waiter, WaitingLine } from "./waiting-line.ts";
import { holderWarning, refusedWarning, settingsWarning } from "./warnings.ts";
import { isSmall, WriteLane } from "./write-lane.ts";

export const CLOSE_DEADLINE_MS_DEFAULT = 10_000;
/** After the server said "too many connections", this long no new one is tried while others serve. */
const REFUSAL_PAUSE_MS = 1_000;
const REFUSAL_WARNING_EVERY_MS = 60_000;

/** No connection is left: of the server, or of PgBouncer, whose own errors have one code for all. */
function isFull({ code, summary }: PlinthError): boolean {
  return code === "TOO_MANY_CONNECTIONS" || (code === "POOLER_ERROR" && summary.includes("max_client_conn"));
}

/** See README.md for the states of a member and the invariants of the line. */
export class ConnectionPool implements Pool {
  readonly #options: ParsedPoolOptions;
  readonly #members: Members;
  readonly #line = new WaitingLine();
  readonly #scopes = new HoldingScopes();
  /** Aborted by `close`, so that nobody waits for a server that does not answer. */
  readonly #opening = new AbortController();
  readonly #goodbyes = new Set<Promise<void>>();
  readonly #collected: FinalizationRegistry<Holding>;
  readonly #upkeep: Upkeep;
  readonly #naming: Naming;
  readonly #paces = new Paces();
  readonly #lane: SharedLane;
  readonly #writes: WriteLane;
  /** No second warning about refused connections before this. */
  #quietUntil = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** "Too many connections", until one opens again. */
  #lastRefusal: PlinthError | undefined;
  #hasWarnedAboutSettings = false;
  #closing: Promise<void> | undefined;

  constructor(options: ParsedPoolOptions) {
    this.#options = options;
    this.#members = new Members(options.now);
    this.#naming = new Naming(this.#members);
    this.#upkeep = new Upkeep(options, this.#members, {
      retire: (member) => this.#retire(member),
      open: () => this.#open(),
      reportLeak: (holding) =>
        this.#warn("POOL_LEAK", `held for more than ${options.leakWarningMs} ms`, holding),
    });
    // One listener per connection being opened: more than ten are no leak.
    setMaxListeners(options.max, this.#opening.signal);
    const site = new CallSite();
    this.#lane = new SharedLane(
      {
        now: options.now,
        takeIdle: () => this.#takeIdle(site),
        hasLine: () => this.#line.length > 0,
        wait: () => this.#wait(site, undefined),
        giveBack: (holding) => this.#giveBack(holding, false),
      },
      options.max,
    );
    this.#writes = new WriteLane({
      now: options.now,
      takeIdle: () => this.#takeIdle(undefined),
      isFull: () => this.#members.size >= options.max,
      hasLine: () => this.#line.length > 0,
      wait: () => this.#wait(undefined, undefined, true),
      nextWrite: () => (this.#line.first?.isWrite === true ? this.#line.first : undefined),
      onNameless: () => this.#naming.arm(),
      giveBack: (holding) => this.#giveBack(holding, false),
    });
    this.#collected = new FinalizationRegistry((holding) => this.#onCollected(holding));
  }

  get stats(): PoolStats {
    return {
      total: this.#members.size,
      idle: this.#members.idleCount,
      inUse: this.#members.lentCount,
      // One place in line stands for all that the lane has no connection for.
      waiting: this.#line.length + Math.max(0, this.#lane.pendingCount - 1),
      max: this.#options.max,
    };
  }

  holders(): readonly HolderReport[] {
    const now = this.#options.now();
    return this.#members.holdings().map((holding) => reportHolding(holding, now));
  }

  async acquire(options: AcquireOptions = {}): Promise<Lease> {
    const site = options.site ?? new CallSite();
    const holding = this.#takeIdle(site) ?? (await this.#wait(site, options.signal));
    const lease = new PooledLease(holding.connection, {
      giveBack: (discard) => {
        this.#collected.unregister(holding);
        this.#giveBack(holding, discard);
      },
      runAsHolder: (work) => this.#scopes.run(holding, work),
    });
    // The view, not the lease: it is what a caller may have kept on its own.
    this.#collected.register(lease.connection, holding, holding);
    return lease;
  }

  async use<T>(work: (connection: Connection) => Promise<T>, options: AcquireOptions = {}): Promise<T> {
    const site = options.site ?? new CallSite();
    const holding = this.#takeIdle(site) ?? (await this.#wait(site, options.signal));
    const connection = new LeasedConnection(holding.connection);
    try {
      return await this.#scopes.run(holding, () => work(connection));
    } finally {
      connection.revoke();
      this.#giveBack(holding, false);
    }
  }

  /** The way of every short read, so it makes no promise where it can hand one on. */
  run(call: StatementCall, options: AcquireOptions = {}): Promise<Outcome> {
    if (this.#closing !== undefined) return Promise.reject(poolClosed());
    const pace = this.#paces.of(call);
    const send = (connection: Connection, how: QueryOptions) => connection.query(call, how);
    const errand = { paces: [pace], options, send };
    if (pace?.isWrite !== true) return this.#send(errand);
    const mayJoin = pace.isShort && options.signal === undefined && this.#scopes.isFree && isSmall(call);
    return mayJoin ? this.#writes.run(errand, () => this.#sendAlone(errand)) : this.#sendAlone(errand);
  }

  batch(
    calls: readonly StatementCall[],
    options: AcquireOptions & Pick<BatchOptions, "isWhole"> = {},
  ): Promise<readonly Outcome[]> {
    if (this.#closing !== undefined) return Promise.reject(poolClosed());
    return this.#send({
      paces: calls.map((call) => this.#paces.of(call)),
      options,
      send: (connection, { pipelined }) => connection.batch(calls, { pipelined, isWhole: options.isWhole }),
    });
  }

  #send<T>(errand: Errand<T>): Promise<T> {
    const { paces, options } = errand;
    // Whoever can be canceled, or waits while it holds a connection, needs one to itself.
    const isShort = paces.every((pace) => pace?.isShort === true && !pace.isWrite);
    const mayShare = isShort && options.signal === undefined;
    if (!mayShare || !this.#lane.isOpen || !this.#scopes.isFree) return this.#sendAlone(errand);
    const { queueLimit } = this.#options;
    if (this.#lane.queuedCount >= queueLimit) return Promise.reject(queueFull(this.#situation(), queueLimit));
    return this.#lane.run(errand, () => this.#sendAlone(errand));
  }

  async #sendAlone<T>({ paces, options, send }: Errand<T>): Promise<T> {
    // Whoever holds a connection may be refused another one at once, and be named with its own line.
    const site = options.site ?? (this.#scopes.isFree ? undefined : await CallSite.ofAwaiter());
    const holding = this.#takeIdle(site) ?? (await this.#wait(site, options.signal));
    const { connection } = holding;
    const { now } = this.#options;
    const startedAt = now();
    try {
      const reply = send(connection, options);
      if (site === undefined) {
        this.#naming.arm();
        if (await isAskedBefore(reply, (ask) => (holding.ask = ask))) holding.site = CallSite.here();
      }
      return await reply;
    } finally {
      // Behind a pooler nobody knows which sessions the statements of one connection reach.
      if (connection.canPipeline && connection.hasSessionSettings) {
        const ms = now() - startedAt;
        for (const pace of paces) pace?.noteAlone(ms);
      }
      this.#giveBack(holding, false);
    }
  }

  async verify(question?: StatementCall): Promise<PoolVerification> {
    const site = new CallSite();
    // Not in a scope: from the first on, every promise of the process costs more, and this asks for no second connection.
    const holding = this.#takeIdle(site) ?? (await this.#wait(site, undefined));
    try {
      const found = await readBudget(holding.connection, this.#options, question);
      // Behind a pooler our connections are the pooler's, and so is the arithmetic.
      if (holding.connection.hasSessionSettings) checkBudget(found, this.#options);
      return found;
    } finally {
      this.#giveBack(holding, false);
    }
  }

  close(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#drain(options.deadlineMs ?? CLOSE_DEADLINE_MS_DEFAULT);
    return this.#closing;
  }

  // ---- Lending ------------------------------------------------------------------------------------------

  /** The quick way: nobody waits, and the connection used last was used a moment ago. */
  #takeIdle(site: CallSite | undefined): Holding | undefined {
    if (this.#closing !== undefined) throw poolClosed();
    if (this.#line.length > 0) return undefined;
    const member = this.#members.peekIdle();
    if (member?.connection?.isOpen !== true || this.#needsProbe(member)) return undefined;
    return this.#members.lend(member, member.connection, site);
  }

  #wait(site: CallSite | undefined, signal: AbortSignal | undefined, isWrite = false): Promise<Holding> {
    return new Promise((resolve, reject) => {
      const holds = this.#scopes.current();
      const refusal = this.#refusalOf(site, holds, signal);
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const leave = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#line.leave(waiter);
      };
      const waiter: Waiter = {
        site,
        holds,
        isWrite,
        grant: (holding) => {
          leave();
          resolve(holding);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = () => signal !== undefined && waiter.refuse(waitCanceled(signal));
      const { acquireTimeoutMs } = this.#options;
      const onTimeout = () =>
        waiter.refuse(exhausted(this.#situation(), acquireTimeoutMs, this.#lastRefusal));
      const timer = setTimeout(onTimeout, acquireTimeoutMs);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#line.join(waiter);
      this.#serve();
    });
  }

  /** Why there is no point in waiting. */
  #refusalOf(
    site: CallSite | undefined,
    holds: readonly Holding[],
    signal: AbortSignal | undefined,
  ): Error | undefined {
    const { max, queueLimit } = this.#options;
    const { lentCount } = this.#members;
    if (signal?.aborted === true) return waitCanceled(signal);
    // Whoever is about to get one of the free places is not held against the limit.
    if (this.#line.length >= queueLimit + max - lentCount) return queueFull(this.#situation(), queueLimit);
    if (holds.length === 0 || lentCount < max) return undefined;
    const holdings = this.#members.holdings();
    const own = holdings.filter(({ isShared }) => !isShared);
    if (!this.#line.wouldDeadlock(own, holds)) return undefined;
    if (own.length === holdings.length) return deadlock(this.#situation(), site);
    // The lane alone can still give a connection to one of those that wait for each other.
    this.#lane.yield();
    return undefined;
  }

  /** Sets enough idle and new connections in motion for everybody in line. */
  #serve(): void {
    for (let member = this.#members.peekIdle(); member !== undefined; member = this.#members.peekIdle()) {
      if (this.#line.length <= this.#members.comingCount) return;
      if (member.connection?.isOpen !== true) this.#members.remove(member);
      else if (this.#needsProbe(member)) this.#probe(member, member.connection);
      else this.#offer(member, member.connection);
    }
    if (this.#members.size > 0 && this.#options.now() < this.#pausedUntil) return;
    while (this.#line.length > this.#members.comingCount && this.#members.size < this.#options.max)
      this.#open();
  }

  /** A connection is free: for whoever waits longest, else for later. */
  #offer(member: Member, connection: Connection): void {
    const waiter = this.#closing === undefined ? this.#line.next() : undefined;
    if (this.#closing !== undefined) {
      this.#retire(member);
    } else if (waiter !== undefined) {
      waiter.grant(this.#members.lend(member, connection, waiter.site));
    } else {
      this.#members.rest(member);
      this.#upkeep.arm();
    }
  }

  #giveBack(holding: Holding, discard: boolean): void {
    const { member, connection } = holding;
    holding.isActive = false;
    // Cut off by `close` in the meantime.
    if (member.holding !== holding) return;
    if (discard || !connection.isOpen) {
      this.#destroy(member);
    } else if (connection.isBusy) {
      this.#warn(
        "POOL_DIRTY_RELEASE",
        "given back while a statement was still running, so it was destroyed",
        holding,
      );
      this.#destroy(member);
    } else if (connection.transactionStatus !== "idle") {
      this.#warn("POOL_DIRTY_RELEASE", "given back inside a transaction, which was rolled back", holding);
      this.#reset(member, connection);
    } else if (connection.isTainted) {
      this.#reset(member, connection);
    } else {
      this.#recycle(member, connection);
    }
  }

  #recycle(member: Member, connection: Connection): void {
    if (this.#options.now() < member.expiresAt) {
      this.#offer(member, connection);
    } else {
      this.#retire(member);
      this.#serve();
    }
  }

  #probe(member: Member, connection: Connection): void {
    this.#members.check(member, "probing");
    probe(connection).then(
      () => this.#recycle(member, connection),
      () => {
        // What was idle as long went the same way; asking them one by one would take a time-out each.
        for (const other of this.#members.idle()) if (this.#needsProbe(other)) this.#cut(other);
        this.#destroy(member);
      },
    );
  }

  #reset(member: Member, connection: Connection): void {
    this.#members.check(member, "resetting");
    reset(connection).then(
      () => this.#recycle(member, connection),
      () => this.#destroy(member),
    );
  }

  // ---- Opening and ending -------------------------------------------------------------------------------

  #open(): void {
    const member = this.#members.open();
    this.#upkeep.arm();
    this.#connect().then(
      (connection) => {
        member.connection = connection;
        member.expiresAt = this.#expiry();
        connection.onClose(() => this.#onConnectionEnd(member));
        if (connection.isOpen) this.#offer(member, connection);
        else this.#destroy(member);
      },
      (error: unknown) => {
        this.#members.remove(member);
        this.#onOpenFailure(error);
      },
    );
  }

  async #connect(): Promise<Connection> {
    const target = this.#options.target();
    const connection = await this.#options.connect(target, { signal: this.#opening.signal });
    this.#lastRefusal = undefined;
    if (!connection.hasSessionSettings && !this.#hasWarnedAboutSettings) {
      this.#hasWarnedAboutSettings = true;
      this.#options.onWarning(settingsWarning(target));
    }
    return connection;
  }

  /** Fails the caller whose turn it was, at once: it can say 503 now instead of after a time-out. */
  #onOpenFailure(error: unknown): void {
    if (this.#closing !== undefined) return;
    if (isPlinthError(error) && isFull(error) && this.#members.size > 0) {
      // Those that are open still serve the line; asking again and again would only add load.
      this.#pauseOpening(error);
      return;
    }
    this.#line.next()?.refuse(error);
    this.#serve();
  }

  #pauseOpening(error: PlinthError): void {
    const { now, max, onWarning } = this.#options;
    if (now() >= this.#quietUntil) {
      this.#quietUntil = now() + REFUSAL_WARNING_EVERY_MS;
      onWarning(refusedWarning(this.#members.openCount, max, error));
    }
    this.#lastRefusal = error;
    this.#pausedUntil = now() + REFUSAL_PAUSE_MS;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#serve(), REFUSAL_PAUSE_MS + 1);
  }

  #destroy(member: Member): void {
    this.#cut(member);
    this.#serve();
  }

  #cut(member: Member): void {
    this.#members.remove(member);
    member.connection?.destroy();
  }

  /** Ends a connection politely; its place is free at once. */
  #retire(member: Member): void {
    this.#members.remove(member);
    if (member.connection === undefined) return;
    const goodbye = member.connection.close().finally(() => this.#goodbyes.delete(goodbye));
    this.#goodbyes.add(goodbye);
  }

  #onConnectionEnd(member: Member): void {
    // A lent one keeps its place until its borrower gives it back: only then its work is over.
    if (member.state === "lent" || member.state === "gone") return;
    this.#members.remove(member);
    this.#serve();
  }

  async #drain(deadlineMs: number): Promise<void> {
    for (let waiter = this.#line.next(); waiter !== undefined; waiter = this.#line.next()) {
      waiter.refuse(poolClosed());
    }
    clearTimeout(this.#pause);
    this.#upkeep.stop();
    this.#naming.stop();
    this.#opening.abort();
    for (const member of this.#members.idle()) this.#retire(member);
    const emptied = new Promise<void>((resolve) => {
      this.#members.onEmpty = resolve;
      if (this.#members.size === 0) resolve();
    });
    await withinBound(emptied, deadlineMs).catch(() => this.#cutOff());
    await Promise.all(this.#goodbyes);
  }

  /** Past the deadline: stop what runs on the server too, then cut the sockets. */
  async #cutOff(): Promise<void> {
    const left = this.#members.all();
    const stops = left.map(({ connection }) => connection?.cancel() ?? Promise.resolve());
    await Promise.all(stops.map((stop) => withinBound(stop).catch(() => {})));
    for (const member of left) this.#cut(member);
  }

  // ---- Small things -------------------------------------------------------------------------------------

  /** The lease was collected as garbage: nobody can give the connection back any more. */
  #onCollected(holding: Holding): void {
    if (!holding.isActive) return;
    this.#warn("POOL_LEAK", "never given back, and its lease is gone, so it was destroyed", holding);
    this.#giveBack(holding, true);
  }

  #warn(code: PoolWarning["code"], what: string, holding: Holding): void {
    this.#options.onWarning(holderWarning(code, what, holding, this.#options.now()));
  }

  #expiry(): number {
    const { maxLifetimeMs, now, random } = this.#options;
    return maxLifetimeMs === 0 ? Number.POSITIVE_INFINITY : now() + maxLifetimeMs * (1 - random() / 10);
  }

  #needsProbe(member: Member): boolean {
    return this.#options.now() - member.idleSince > this.#options.probeAfterIdleMs;
  }

  #situation(): PoolSituation {
    return {
      holdings: this.#members.holdings(),
      now: this.#options.now(),
      max: this.#options.max,
      opening: this.#members.comingCount,
      waiting: this.#line.length,
    };
  }
}
