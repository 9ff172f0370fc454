import { createServer, type Server, Socket } from "node:net";

/** What the proxy does to the bytes of one direction. Everything is off at first. */
export interface ProxyFaults {
  /** Holds every chunk back for this long. */
  latencyMs?: number;
  /** At most this many bytes per second. */
  bytesPerSecond?: number;
  /** Sends every byte as a packet of its own. */
  sliceToOneByte?: boolean;
  /** Takes everything and passes nothing on, in both directions: a dropped route, a pulled cable. */
  blackhole?: boolean;
  /** Cuts the connection when the client has sent something that matches; the server still gets it. */
  dropReplyAfter?: RegExp;
}

/** A TCP proxy in front of a server, to cause what a network does. */
export interface FaultProxy {
  readonly port: number;
  /** The given URL with the proxy in place of its host and port. */
  urlFor(url: string): string;
  /** Change at will: it holds for running connections too. */
  readonly faults: ProxyFaults;
  readonly openCount: number;
  /** Passes nothing more on for the connections open now; new ones work. */
  forgetAll(): void;
  /** Ends every connection with RST, as a crashed machine does. */
  resetAll(): void;
  /** Ends the server's half with FIN and leaves the client's half open. */
  halfCloseAll(): void;
  close(): Promise<void>;
}

/** Starts a proxy before `url`'s host and port. */
export async function startProxy(url: string): Promise<FaultProxy> {
  const upstream = new URL(url);
  const faults: ProxyFaults = {};
  const pairs = new Set<{ client: Socket; server: Socket; isForgotten: boolean }>();
  const listener = createServer({ noDelay: true }, (client) => {
    const server = new Socket();
    const pair = { client, server, isForgotten: false };
    pairs.add(pair);
    const drop = () => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", drop).on("close", drop);
    server.connect(Number(upstream.port), upstream.hostname).setNoDelay(true);
    pass(client, server, faults, (chunk) => {
      if (faults.dropReplyAfter?.test(chunk.toString("latin1")) !== true) return;
      pair.isForgotten = true;
      // Time for the server to act on what it got.
      setTimeout(() => client.resetAndDestroy(), 200);
    });
    pass(
      server,
      client,
      faults,
      () => {},
      () => pair.isForgotten,
    );
  });
  const port = await listen(listener);
  return {
    port,
    faults,
    get openCount() {
      return pairs.size;
    },
    urlFor(original) {
      const changed = new URL(original);
      changed.hostname = "127.0.0.1";
      changed.port = String(port);
      return changed.href;
    },
    forgetAll() {
      for (const pair of pairs) pair.isForgotten = true;
    },
    resetAll() {
      for (const { client } of pairs) client.resetAndDestroy();
    },
    halfCloseAll() {
      for (const { client } of pairs) client.end();
    },
    close() {
      for (const { client, server } of pairs) {
        client.destroy();
        server.destroy();
      }
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}

/** Bytes of one direction, in order, through whatever the faults are at that moment. */
function pass(
  from: Socket,
  to: Socket,
  faults: ProxyFaults,
  look: (chunk: Buffer) => void,
  isMuted: () => boolean = () => false,
): void {
  let last = Promise.resolve();
  from.on("data", (chunk: Buffer) => {
    look(chunk);
    last = last.then(() => deliver(chunk, to, faults, isMuted));
  });
  from.on("end", () => {
    last = last.then(() => {
      if (faults.blackhole !== true) to.end();
    });
  });
}

async function deliver(
  chunk: Buffer,
  to: Socket,
  faults: ProxyFaults,
  isMuted: () => boolean,
): Promise<void> {
  if (faults.latencyMs !== undefined) await pause(faults.latencyMs);
  if (faults.bytesPerSecond !== undefined) await pause((chunk.length / faults.bytesPerSecond) * 1_000);
  if (faults.blackhole === true || isMuted() || to.destroyed) return;
  if (faults.sliceToOneByte !== true) {
    to.write(chunk);
    return;
  }
  for (let i = 0; i < chunk.length; i++) {
    to.write(chunk.subarray(i, i + 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address !== null && typeof address === "object") resolve(address.port);
      else reject(new Error("the proxy has no port"));
    });
  });
}
