import type {
  BatchOptions,
  Connection,
  CopyCall,
  Notice,
  Outcome,
  QueryOptions,
  StatementCall,
  TransactionStatus,
} from "../driver/index.ts";
import { type PlinthError, PoolError } from "../errors/index.ts";
import type { Lease } from "./pool.ts";

/**
 * The connection as its borrower sees it. After the lease has ended every call rejects, so that a forgotten
 * promise cannot run a statement in the middle of somebody else's transaction.
 */
export class LeasedConnection implements Connection {
  readonly #connection: Connection;
  #isRevoked = false;
  #unsubscribe: (() => void)[] | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Ends the view; the borrower's notice listeners go with it. */
  revoke(): void {
    this.#isRevoked = true;
    for (const stop of this.#unsubscribe ?? []) stop();
  }

  get isRevoked(): boolean {
    return this.#isRevoked;
  }
  get id(): number {
    return this.#connection.id;
  }
  get processId(): number {
    return this.#connection.processId;
  }
  get isOpen(): boolean {
    return !this.#isRevoked && this.#connection.isOpen;
  }
  get isBusy(): boolean {
    return this.#connection.isBusy;
  }
  get transactionStatus(): TransactionStatus {
    return this.#connection.transactionStatus;
  }
  get openedAt(): number {
    return this.#connection.openedAt;
  }
  get isTainted(): boolean {
    return this.#connection.isTainted;
  }
  get hasSessionSettings(): boolean {
    return this.#connection.hasSessionSettings;
  }

  get canPipeline(): boolean {
    return this.#connection.canPipeline;
  }

  query(call: StatementCall, options?: QueryOptions): Promise<Outcome> {
    return this.#isRevoked ? Promise.reject(this.#misuse()) : this.#connection.query(call, options);
  }
  batch(calls: readonly StatementCall[], options?: BatchOptions): Promise<readonly Outcome[]> {
    return this.#isRevoked ? Promise.reject(this.#misuse()) : this.#connection.batch(calls, options);
  }
  script(text: string): Promise<readonly Outcome[]> {
    return this.#isRevoked ? Promise.reject(this.#misuse()) : this.#connection.script(text);
  }
  copyIn(
    call: CopyCall,
    source: AsyncIterable<Uint8Array>,
    options?: Pick<QueryOptions, "signal">,
  ): Promise<Outcome> {
    return this.#isRevoked ? Promise.reject(this.#misuse()) : this.#connection.copyIn(call, source, options);
  }
  copyOut(
    call: CopyCall,
    take: (bytes: Buffer) => Promise<boolean>,
    options?: Pick<QueryOptions, "signal">,
  ): Promise<Outcome> {
    return this.#isRevoked ? Promise.reject(this.#misuse()) : this.#connection.copyOut(call, take, options);
  }
  reset(): Promise<void> {
    return this.#isRevoked ? Promise.reject(this.#misuse()) : this.#connection.reset();
  }
  cancel(): Promise<void> {
    return this.#isRevoked ? Promise.reject(this.#misuse()) : this.#connection.cancel();
  }
  close(): Promise<void> {
    return this.#isRevoked ? Promise.reject(this.#misuse()) : this.#connection.close();
  }
  unref(): void {
    if (!this.#isRevoked) this.#connection.unref();
  }
  destroy(): void {
    if (!this.#isRevoked) this.#connection.destroy();
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    if (this.#isRevoked) throw this.#misuse();
    const stop = this.#connection.onNotice(listener);
    this.#unsubscribe = [...(this.#unsubscribe ?? []), stop];
    return stop;
  }
  onClose(listener: (error: PlinthError | undefined) => void): void {
    if (this.#isRevoked) throw this.#misuse();
    this.#connection.onClose(listener);
  }

  #misuse(): PoolError {
    return new PoolError(
      "POOL_MISUSE",
      `connection #${this.#connection.id} was used after it was given back`,
      {
        hint: "Await every statement before the lease ends, and do not keep the connection.",
      },
    );
  }
}

/** What a lease does through its pool. */
export interface LeaseOwner {
  readonly giveBack: (discard: boolean) => void;
  readonly runAsHolder: <T>(work: () => T) => T;
}

export class PooledLease implements Lease {
  readonly connection: LeasedConnection;
  readonly #owner: LeaseOwner;

  constructor(connection: Connection, owner: LeaseOwner) {
    this.connection = new LeasedConnection(connection);
    this.#owner = owner;
  }

  run<T>(work: () => T): T {
    return this.#owner.runAsHolder(work);
  }

  release(options?: { readonly discard?: boolean }): void {
    if (this.connection.isRevoked) {
      throw new PoolError("POOL_MISUSE", `connection #${this.connection.id} was given back twice`, {
        hint: "Release in one place only: a `finally`, or use `pool.use(work)`.",
      });
    }
    this.connection.revoke();
    this.#owner.giveBack(options?.discard === true);
  }
}
