import { ProtocolViolation } from "./protocol-error.ts";
import { readInt32 } from "./row-bytes.ts";

/** PostgreSQL allocates no message beyond this (MaxAllocSize). */
const LONG_BYTES_LIMIT = 0x3fff_ffff;
/** All but a few kinds are short; libpq draws the same line (VALID_LONG_MESSAGE_TYPE) to notice lost step early. */
const SHORT_BYTES_LIMIT = 30_000;
const LONG_KINDS = "TDdENA";
/** The kinds an open session may get; nothing can be done with any other (no second login, no replication). */
const SHORT_KINDS = "123CGHIKSZcnst";

/** Per kind the most bytes a message may have; 0 for a kind that does not exist. */
const LIMITS = new Int32Array(256);
for (const kind of SHORT_KINDS) LIMITS[kind.charCodeAt(0)] = SHORT_BYTES_LIMIT;
for (const kind of LONG_KINDS) LIMITS[kind.charCodeAt(0)] = LONG_BYTES_LIMIT;

/** A buffer that grew beyond this for a large message is let go after it. */
const KEPT_BYTES = 1 << 20;
const FIRST_BYTES = 1 << 14;

/** One message: its kind, and its body from `start` to `end`, in a buffer that is used again afterwards. */
export type FrameListener = (kind: number, buffer: Buffer, start: number, end: number) => void;

/**
 * Cuts the bytes of a server into messages, however they are split. A message that lies whole in a chunk is handed
 * over where it is; only what a chunk ends in the middle of is copied. Memory grows with the bytes that have come,
 * never with what a length claims.
 *
 * @see https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
 */
export class FrameReader {
  readonly #listener: FrameListener;
  /** The beginning of a message whose end has not come, in `#rest[0, #restBytes)`. */
  #rest = Buffer.allocUnsafe(0);
  #restBytes = 0;
  #isStopped = false;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  /** Bytes held back until their message is whole. */
  get pendingBytes(): number {
    return this.#restBytes;
  }

  /** Hands no further message over. */
  stop(): void {
    this.#isStopped = true;
    this.#rest = Buffer.allocUnsafe(0);
    this.#restBytes = 0;
  }

  /**
   * Takes the next bytes; they may be overwritten when it returns.
   *
   * @throws {ProtocolViolation} at a kind that does not exist, or a length that it cannot have.
   */
  push(chunk: Buffer): void {
    if (this.#restBytes === 0) {
      const done = this.#cut(chunk, chunk.length);
      if (done < chunk.length && !this.#isStopped) this.#keep(chunk, done, chunk.length);
      return;
    }
    this.#keep(chunk, 0, chunk.length);
    const bytes = this.#restBytes;
    const done = this.#cut(this.#rest, bytes);
    if (this.#isStopped) return;
    if (done > 0) this.#rest.copyWithin(0, done, bytes);
    this.#restBytes = bytes - done;
    if (this.#restBytes === 0 && this.#rest.length > KEPT_BYTES) this.#rest = Buffer.allocUnsafe(0);
  }

  /** Hands whole messages over, and tells how far it came. */
  #cut(buffer: Buffer, end: number): number {
    let offset = 0;
    while (end - offset >= 5) {
      const kind = buffer[offset] ?? 0;
      const length = readInt32(buffer, offset + 1);
      if (length < 4 || length > (LIMITS[kind] ?? 0)) {
        throw new ProtocolViolation(`a message of kind ${kind} with a length of ${length}`);
      }
      const next = offset + 1 + length;
      if (next > end) break;
      this.#listener(kind, buffer, offset + 5, next);
      if (this.#isStopped) return end;
      offset = next;
    }
    return offset;
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    const bytes = this.#restBytes + to - from;
    if (bytes > this.#rest.length) {
      const grown = Buffer.allocUnsafe(Math.max(bytes, this.#rest.length * 2, FIRST_BYTES));
      this.#rest.copy(grown, 0, 0, this.#restBytes);
      this.#rest = grown;
    }
    chunk.copy(this.#rest, this.#restBytes, from, to);
    this.#restBytes = bytes;
  }
}
