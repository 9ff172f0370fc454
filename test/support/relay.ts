import { createServer, type Server, Socket } from "node:net";

/** A TCP relay that keeps what a server says, piece by piece, and can lose what a client sends. */
export interface Relay {
  urlFor(url: string): string;
  /** What the server has answered to each write of the client since `record`. */
  readonly answers: readonly Buffer[];
  /** Forgets what it has kept. */
  record(): void;
  /** Passes so many more bytes to the server, then ends both sides. */
  cutAfter(clientBytes: number): void;
  /** Bytes the client has sent since `record`. */
  readonly clientBytes: number;
  close(): Promise<void>;
}

/** Starts a relay for one connection at a time before `url`'s host and port. */
export async function startRelay(url: string): Promise<Relay> {
  const upstream = new URL(url);
  const sockets = new Set<Socket>();
  let answers: Buffer[] = [];
  let clientBytes = 0;
  let left = Number.POSITIVE_INFINITY;
  const listener = createServer({ noDelay: true }, (client) => {
    const server = new Socket();
    const drop = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) sockets.add(socket.on("error", drop).on("close", drop));
    server.connect(Number(upstream.port), upstream.hostname).setNoDelay(true);
    client.on("data", (chunk: Buffer) => {
      answers.push(Buffer.alloc(0));
      clientBytes += chunk.length;
      const passed = chunk.subarray(0, Math.min(chunk.length, left));
      left -= passed.length;
      if (left > 0) server.write(passed);
      else server.write(passed, drop);
    });
    server.on("data", (chunk: Buffer) => {
      answers.push(Buffer.concat([answers.pop() ?? Buffer.alloc(0), chunk]));
      client.write(chunk);
    });
  });
  const port = await listen(listener);
  return {
    urlFor(original) {
      const changed = new URL(original);
      changed.hostname = "127.0.0.1";
      changed.port = String(port);
      return changed.href;
    },
    get answers() {
      return answers;
    },
    record() {
      answers = [];
      clientBytes = 0;
    },
    cutAfter(bytes) {
      left = bytes;
    },
    get clientBytes() {
      return clientBytes;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address !== null && typeof address === "object") resolve(address.port);
      else reject(new Error("the relay has no port"));
    });
  });
}
