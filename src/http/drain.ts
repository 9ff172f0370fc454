import type { Server, ServerResponse } from "node:http";
import { type Socket, Server as TcpServer } from "node:net";

/** A client that keeps its connection may be about to use it: it gets this long to do so, and is then told to close. */
const IDLE_GRACE_MS = 300;

/** Ends an HTTP server in order. */
export interface Drain {
  /** Takes no more connections, answers what was asked, and cuts off what is not done after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Watches a server's connections, so that it can be closed without cutting an answer short. Node's own
 * `server.close()` ends connections whose answer has been handed over, flushed or not: a slow reader of a large one
 * would get half of it. Call it before the server listens.
 *
 * @example
 * ```ts
 * const drain = watchConnections(server);
 * server.listen(port);
 * process.once("SIGTERM", async () => { await drain.close(6_000); await db.close(); });
 * ```
 */
export function watchConnections(server: Server): Drain {
  const running = new Map<Socket, Set<ServerResponse>>();
  let isDraining = false;
  let isGraceOver = false;

  const endIfIdle = (socket: Socket): void => {
    if (isGraceOver && running.get(socket)?.size === 0) socket.end();
  };
  server.on("connection", (socket: Socket) => {
    running.set(socket, new Set());
    socket.once("close", () => running.delete(socket));
  });
  server.prependListener("request", ({ socket }, response: ServerResponse) => {
    const responses = running.get(socket);
    if (isDraining) response.shouldKeepAlive = false;
    responses?.add(response);
    // `close` comes when the last byte has left this process, or the client has gone.
    response.once("close", () => {
      responses?.delete(response);
      endIfIdle(socket);
    });
  });

  return {
    async close(deadlineMs) {
      isDraining = true;
      // The TCP server's own close: it stops listening and leaves connections alone.
      const closed = new Promise<void>((resolve) => {
        TcpServer.prototype.close.call(server, () => resolve());
      });
      for (const responses of running.values()) {
        for (const response of responses) if (!response.headersSent) response.shouldKeepAlive = false;
      }
      const grace = setTimeout(() => {
        isGraceOver = true;
        for (const socket of running.keys()) endIfIdle(socket);
      }, IDLE_GRACE_MS);
      const deadline = setTimeout(() => {
        for (const socket of running.keys()) socket.destroy();
      }, deadlineMs);
      await closed;
      clearTimeout(grace);
      clearTimeout(deadline);
    },
  };
}
