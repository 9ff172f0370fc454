import type { Readable } from "node:stream";
import type { ServerReport } from "../errors/index.ts";
import { Exchange } from "./exchange.ts";
import type { Sender } from "./sender.ts";

/** Rows are put together in blocks of this size; one that is larger gets a block of its own. */
const BLOCK_BYTES = 1 << 16;
/** So much may wait for its reader; then the socket is read no further, and the server has to wait too. */
const WAITING_BYTES = 1 << 18;

/**
 * `copy … to stdout`. Its rows wait here for whoever takes them.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
export class CopyOut extends Exchange {
  readonly #text: string;
  readonly #stream: Pick<Readable, "pause" | "resume">;
  /** Full, the oldest first. */
  #blocks: Buffer[] = [];
  #block: Buffer | undefined;
  #filled = 0;
  #waiting = 0;
  #isPaused = false;
  #isStopped = false;
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(text: string, stream: Pick<Readable, "pause" | "resume">) {
    super();
    this.#text = text;
    this.#stream = stream;
  }

  override send(sender: Sender): void {
    sender.parse("", this.#text);
    sender.bind({ text: this.#text, values: [] }, undefined, undefined);
    sender.execute();
    sender.sync();
  }

  /** It turned out to be a copy the other way: the Sync that it brought along was passed over by a server that waits. */
  protected override refuseCopy(sender: Sender): void {
    sender.failCopy("copy from stdin is not offered by this call");
    sender.sync();
  }

  /** The next rows, as many as have come; `undefined` after the last ones, and when none are wanted any more. */
  async take(): Promise<Buffer | undefined> {
    while (this.#waiting === 0 && !this.#isOver) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    const bytes = this.#blocks.shift() ?? this.#cut();
    this.#waiting -= bytes?.length ?? 0;
    if (this.#waiting < WAITING_BYTES) this.#flow();
    return bytes;
  }

  override copyData(buffer: Buffer, start: number, end: number): void {
    if (this.#isStopped) return;
    const bytes = end - start;
    if (this.#block !== undefined && this.#filled + bytes > this.#block.length) this.#close();
    // Not of Node's shared pool: a reader may keep what it was given.
    this.#block ??= Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes));
    buffer.copy(this.#block, this.#filled, start, end);
    this.#filled += bytes;
    this.#waiting += bytes;
    if (this.#waiting >= WAITING_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.#stream.pause();
    }
    // At the end of the tick, when all of what was read together is here.
    if (this.#wake !== undefined) process.nextTick(this.#wakeUp);
  }

  /** Nothing more is wanted: what still comes is thrown away, so that the server gets to hear that it is to stop. */
  override stop(): void {
    this.#isStopped = true;
    this.#drop();
  }

  override refuse(report: ServerReport): void {
    super.refuse(report);
    this.#drop();
  }

  override complete(command: string, count: number | undefined): void {
    super.complete(command, count);
    this.#isOver = true;
    this.#wakeUp();
  }

  override fail(error: unknown): void {
    super.fail(error);
    this.#drop();
  }

  override abandon(): void {
    super.abandon();
    this.#drop();
  }

  readonly #wakeUp = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  #close(): void {
    const bytes = this.#cut();
    if (bytes !== undefined) this.#blocks.push(bytes);
  }

  #cut(): Buffer | undefined {
    const bytes = this.#filled === 0 ? undefined : this.#block?.subarray(0, this.#filled);
    this.#block = undefined;
    this.#filled = 0;
    return bytes;
  }

  #drop(): void {
    this.#blocks = [];
    this.#block = undefined;
    this.#filled = 0;
    this.#waiting = 0;
    this.#isOver = true;
    this.#flow();
    this.#wakeUp();
  }

  #flow(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#stream.resume();
  }
}

/** Hands over what comes, one piece after the other. @returns false when the reader wanted no more. */
export async function hand(copy: CopyOut, take: (bytes: Buffer) => Promise<boolean>): Promise<boolean> {
  for (let bytes = await copy.take(); bytes !== undefined; bytes = await copy.take()) {
    if (!(await take(bytes))) return false;
  }
  return true;
}
