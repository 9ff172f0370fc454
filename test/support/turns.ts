import { createServer, Socket } from "node:net";

/** A relay in front of a server that counts round trips: turns of the conversation from client to server. */
export interface TurnCounter {
  urlFor(url: string): string;
  /** Turns since it was last asked. */
  take(): number;
  close(): Promise<void>;
}

/** Starts a relay before `url`'s host and port. */
export async function countTurns(url: string): Promise<TurnCounter> {
  const upstream = new URL(url);
  const sockets = new Set<Socket>();
  let turns = 0;
  const listener = createServer({ noDelay: true }, (client) => {
    const server = new Socket();
    let isClientsTurn = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) sockets.add(socket.on("error", end).on("close", end));
    server.connect(Number(upstream.port), upstream.hostname).setNoDelay(true);
    client.on("data", (chunk) => {
      if (!isClientsTurn) turns += 1;
      isClientsTurn = true;
      server.write(chunk);
    });
    server.on("data", (chunk) => {
      isClientsTurn = false;
      client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    urlFor(original) {
      const address = listener.address();
      const changed = new URL(original);
      changed.hostname = "127.0.0.1";
      changed.port = String(address !== null && typeof address === "object" ? address.port : 0);
      return changed.href;
    },
    take() {
      const taken = turns;
      turns = 0;
      return taken;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}
