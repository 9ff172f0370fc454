import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener, RequestError as UnreadableRequest } from "@hono/node-server";
import type { Hono } from "hono";
import { ConfigError, RequestError } from "plinth";
import { problemOf, problemResponse, watchConnections } from "plinth/http";
import type { Log } from "./app.ts";

const PORT_DEFAULT = 3_000;
const PORT_MAX = 65_535;
const HOST = "127.0.0.1";

/** The last run may still be finishing its requests. */
const BUSY_PORT_WAIT_MS = 5_000;
const BUSY_PORT_POLL_MS = 250;

/** An application that takes requests. */
export interface Listening {
  readonly port: number;
  /** Takes no more connections, lets requests that run finish for `deadlineMs`, then cuts them off. */
  close(deadlineMs: number): Promise<void>;
}

/** @throws {CONFIG_INVALID} when `PORT` is no port; 0 takes any free one. */
export function portFrom(environment: Readonly<Record<string, string | undefined>>): number {
  const text = environment.PORT ?? "";
  if (text === "") return PORT_DEFAULT;
  if (/^\d{1,5}$/.test(text) && Number(text) <= PORT_MAX) return Number(text);
  throw new ConfigError(
    `PORT must be a whole number from 0 to ${PORT_MAX}; leave it out for ${PORT_DEFAULT}`,
    { path: "PORT" },
  );
}

/**
 * Takes requests on the loopback. A port in use is waited for, for five seconds.
 *
 * @throws {CONFIG_INVALID} when it does not come free.
 */
export async function listen(app: Hono, port: number, signal: AbortSignal, log: Log): Promise<Listening> {
  const giveUpAt = performance.now() + BUSY_PORT_WAIT_MS;
  let hasWaited = false;
  for (;;) {
    signal.throwIfAborted();
    const server = createServer(
      getRequestListener(app.fetch, { hostname: HOST, errorHandler: answerUnreadable }),
    );
    const drain = watchConnections(server);
    if (await takesPort(server, port)) return { port: portOf(server), close: drain.close };
    if (performance.now() > giveUpAt) {
      throw new ConfigError(
        `port ${port} is in use; stop what listens there, or choose another one: PORT=3001 npm start`,
        {
          path: "PORT",
        },
      );
    }
    if (!hasWaited) log(`port ${port} is in use; waiting for it`);
    hasWaited = true;
    await sleep(BUSY_PORT_POLL_MS, undefined, { signal });
  }
}

/** False when the port is in use. */
function takesPort(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen(port, HOST, () => resolve(true));
  });
}

/** What never reaches the application, because no URL can be made of it: a Host that is none, say. */
function answerUnreadable(error: unknown): Response {
  const malformed = new RequestError("MALFORMED_REQUEST", "the request's address is malformed");
  return problemResponse(problemOf(error instanceof UnreadableRequest ? malformed : error));
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server has no port");
  return address.port;
}
