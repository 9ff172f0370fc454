import { createServer, Socket } from "node:net";

/** A relay in front of a server that counts the statements that pass. */
export interface StatementCounter {
  /** The same database, through the relay. */
  readonly url: string;
  readonly statements: number;
  close(): Promise<void>;
}

const EXECUTE = "E".charCodeAt(0);
const SIMPLE_QUERY = "Q".charCodeAt(0);

/**
 * Starts the relay. Every statement a client runs is one Execute message, or one Query.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export async function countStatements(url: string): Promise<StatementCounter> {
  const upstream = new URL(url);
  let statements = 0;
  const sockets = new Set<Socket>();
  const relay = createServer((client) => {
    const server = new Socket();
    sockets.add(client).add(server);
    const read = messageReader((type) => {
      if (type === EXECUTE || type === SIMPLE_QUERY) statements += 1;
    });
    client.on("data", (chunk: Buffer) => {
      read(chunk);
      server.write(chunk);
    });
    server.on("data", (chunk: Buffer) => client.write(chunk));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
    }
    server.connect(Number(upstream.port), upstream.hostname);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const address = relay.address();
  if (address === null || typeof address === "string") throw new TypeError("the relay has no port");
  const relayed = new URL(url);
  relayed.hostname = "127.0.0.1";
  relayed.port = String(address.port);
  return {
    url: relayed.href,
    get statements() {
      return statements;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => relay.close(() => resolve()));
    },
  };
}

/** Calls back with the type of each message; the first one, the start-up, has none. */
function messageReader(onMessage: (type: number) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let isStarted = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const header = isStarted ? 1 : 0;
      if (rest.length < header + 4) return;
      const length = header + rest.readInt32BE(header);
      if (rest.length < length) return;
      if (isStarted) onMessage(rest.readUInt8(0));
      isStarted = true;
      rest = rest.subarray(length);
    }
  };
}
