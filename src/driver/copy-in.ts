import type { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { ServerReport } from "../errors/index.ts";
import { Exchange } from "./exchange.ts";
import type { Sender } from "./sender.ts";

const COPY_DATA = 0x64; // d
/** One message of rows at most; the server reads a message whole before it looks into it. */
const MESSAGE_BYTES = 1 << 20;

/**
 * `copy … from stdin`.
 *
 * | state   | entered by                        | what may be sent                        |
 * | ------- | --------------------------------- | --------------------------------------- |
 * | waiting | construction                      | nothing but the statement and a Flush   |
 * | open    | CopyInResponse                    | CopyData, then CopyDone or CopyFail     |
 * | over    | an error, completion, the end of the socket | nothing more                  |
 *
 * Exactly one Sync is sent, when the rows have ended or the server has failed. One sent ahead would be passed over by a
 * server that waits for rows, and not by one that fails before (in a trigger of the statement): nobody could count its
 * ReadyForQuery.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
export class CopyIn extends Exchange {
  /** True once the server takes rows; false when it never will. */
  readonly opened: Promise<boolean>;
  readonly #text: string;
  #sender: Sender | undefined;
  #open: (isOpen: boolean) => void = () => {};
  #isOpen = false;
  #isStopped = false;
  #isOver = false;
  #isSynced = false;
  #wake: () => void = () => {};

  constructor(text: string) {
    super();
    this.#text = text;
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  get isOver(): boolean {
    return this.#isOver || this.#isStopped;
  }

  override send(sender: Sender): void {
    this.#sender = sender;
    sender.parse("", this.#text);
    sender.bind({ text: this.#text, values: [] }, undefined, undefined);
    sender.execute();
    sender.flush();
  }

  /** All rows were sent. */
  done(): void {
    if (this.isOver || this.#isSynced) return;
    this.#sender?.endCopy();
    this.#sync();
  }

  /** What `work` gives; `undefined` as soon as no more rows are wanted, whatever becomes of it. */
  until<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      if (this.isOver) resolve(undefined);
      work.then(resolve, reject);
    });
  }

  /** No more rows will come: the server undoes those it has. */
  override stop(): void {
    if (this.isOver) return;
    this.#isStopped = true;
    if (this.#isOpen) this.#giveUp();
    this.#wake();
  }

  override copyIn(): void {
    this.#isOpen = true;
    if (this.#isStopped) this.#giveUp();
    this.#open(!this.#isStopped);
  }

  override refuse(report: ServerReport): void {
    super.refuse(report);
    this.#sync();
    this.#end();
  }

  override complete(command: string, count: number | undefined): void {
    super.complete(command, count);
    this.#sync();
    this.#end();
  }

  override fail(error: unknown): void {
    super.fail(error);
    this.#end();
  }

  override abandon(): void {
    super.abandon();
    this.#end();
  }

  #giveUp(): void {
    if (this.#isSynced) return;
    this.#sender?.failCopy("the client has ended it");
    this.#sync();
  }

  #sync(): void {
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#sender?.sync();
  }

  #end(): void {
    this.#isOver = true;
    this.#open(false);
    this.#wake();
  }
}

/**
 * Sends what a source gives, one chunk at a time, for as long as the server takes it. Rejects with what the source
 * itself fails with; what the server says is the exchange's reply.
 */
export async function feed(copy: CopyIn, source: AsyncIterable<Uint8Array>, stream: Writable): Promise<void> {
  if (!(await copy.opened)) return;
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    const next = await copy.until(iterator.next());
    if (next === undefined) {
      // It has not answered, so it answers to nobody any more: neither is waited for.
      void Promise.resolve(iterator.return?.()).catch(() => {});
      return;
    }
    if (next.done === true) return copy.done();
    await copy.until(send(stream, next.value));
    // A source and a socket that never wait would keep the server's answer, and everybody else, from being heard.
    await turn();
    if (copy.isOver) {
      await Promise.resolve(iterator.return?.()).catch(() => {});
      return;
    }
  }
}

/** Resolves when the bytes have left their buffer, or never will. */
async function send(stream: Writable, bytes: Uint8Array): Promise<void> {
  for (let start = 0; start < bytes.length; start += MESSAGE_BYTES) {
    const part = bytes.subarray(start, start + MESSAGE_BYTES);
    const head = Buffer.allocUnsafe(5);
    head[0] = COPY_DATA;
    head.writeInt32BE(part.length + 4, 1);
    await new Promise<void>((resolve) => {
      stream.cork();
      stream.write(head);
      stream.write(part, () => resolve());
      stream.uncork();
    });
  }
}
