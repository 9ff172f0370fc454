import type { CopyCall } from "../../driver/index.ts";
import { InputError } from "../../errors/index.ts";
import type { Place } from "../../transaction/index.ts";
import { Handoff } from "../handoff.ts";
import type { CopySource } from "./source.ts";
import { BLOCK_BYTES } from "./text.ts";
import type { CopyProgress } from "./types.ts";

/** A piece of this size is sent as it is; smaller ones are put together first. */
const LARGE_PIECE_BYTES = 1 << 14;

/** What a copy tells while it runs, and what ends it. */
export interface Watching<P> {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: P) => void) | undefined;
}

/** The bytes of a source in pieces worth sending. The buffer of a piece is used again after it. */
export async function* blocksOf(
  source: CopySource,
  onProgress: Watching<CopyProgress>["onProgress"],
): AsyncGenerator<Uint8Array, void, undefined> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  let sent = 0;
  const told = (bytes: number): void => {
    sent += bytes;
    onProgress?.({ bytes: sent });
  };
  for (let next = await source.next(); next.done !== true; next = await source.next()) {
    const bytes = bytesOf(next.value);
    if (filled + bytes.length > block.length || bytes.length >= LARGE_PIECE_BYTES) {
      if (filled > 0) yield block.subarray(0, filled);
      told(filled);
      filled = 0;
    }
    if (bytes.length >= LARGE_PIECE_BYTES) {
      yield bytes;
      told(bytes.length);
    } else {
      block.set(bytes, filled);
      filled += bytes.length;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
  told(filled);
}

function bytesOf(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  if (typeof piece !== "string") invalid("must be bytes (a Buffer or Uint8Array) or text");
  if (!piece.isWellFormed()) invalid("must not contain a lone surrogate (it is not valid Unicode)");
  return Buffer.from(piece);
}

function invalid(message: string): never {
  throw new InputError("INVALID_VALUE", [{ path: "source", message }]);
}

interface Reading extends Watching<CopyProgress> {
  readonly readOnly: boolean;
}

/** What a COPY gives, as fast as it is used. `plan` says where and what, when the first piece is asked for. */
export function piecesOf(
  plan: () => { readonly place: Place; readonly call: CopyCall },
  { signal, onProgress, readOnly }: Reading,
): AsyncIterable<Buffer> {
  return {
    async *[Symbol.asyncIterator]() {
      const { place, call } = plan();
      const handoff = new Handoff<Buffer>();
      // A loop that is left does not wait for the next row, which may be long in coming.
      const leaving = new AbortController();
      const either = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]);
      const copying = place
        .copy((connection) => connection.copyOut(call, (bytes) => handoff.offer(bytes), { signal: either }), {
          readOnly,
          ...(signal === undefined ? {} : { signal }),
        })
        .then(
          () => handoff.end(),
          (error: unknown) => handoff.fail(error),
        );
      let bytes = 0;
      try {
        for (let piece = await handoff.take(); piece !== undefined; piece = await handoff.take()) {
          bytes += piece.value.length;
          onProgress?.({ bytes });
          yield piece.value;
        }
      } finally {
        handoff.stop();
        leaving.abort();
        // The connection is free again before the loop that was left goes on.
        await copying;
      }
    },
  };
}
