import { Socket } from "node:net";

/** What one read of the socket brings at most; as large as Node's own. */
const RECEIVE_BYTES = 1 << 16;

/** A socket whose bytes can be had without a stream, an event and a new buffer for each read. */
export interface ByteSource {
  readonly socket: Socket;
  /** From now on every read goes to `listener` in place of the stream, in a buffer that the next read writes over. */
  divert(listener: (chunk: Buffer) => void): void;
}

/**
 * Opens an unconnected socket that reads into one buffer of its own (`onread` of `net`). Until somebody takes the
 * bytes they go on as copies through the stream, to whoever connects and logs in.
 */
export function openByteSource(): ByteSource {
  const buffer = Buffer.allocUnsafe(RECEIVE_BYTES);
  let listener: ((chunk: Buffer) => void) | undefined;
  // In a variable: Node's constructor takes `onread`, its types know it for `connect` only.
  const options = {
    allowHalfOpen: false,
    onread: {
      buffer,
      callback(bytes: number): boolean {
        const chunk = buffer.subarray(0, bytes);
        if (listener === undefined) return socket.push(Buffer.from(chunk));
        listener(chunk);
        return true;
      },
    },
  };
  const socket = new Socket(options);
  return {
    socket,
    divert(given) {
      listener = given;
    },
  };
}
