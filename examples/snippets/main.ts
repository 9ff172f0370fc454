/** Serves the application: `node --import tsx examples/snippets/main.ts`. Ends in order on SIGTERM and Ctrl-C. */
import { once } from "node:events";
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";
import { migratorOn, openDatabase } from "./db.ts";

const PORT_DEFAULT = 3_001;
const REQUESTS_DEADLINE_MS = 2_500;

const log = (line: string): void => void process.stderr.write(`${line}\n`);

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());

const db = await openDatabase();
try {
  log(`database: ${db.target}`);
  await migratorOn(db).up({ signal: stop.signal });
  const port = Number(process.env.PORT || PORT_DEFAULT);
  const server = serve({ fetch: createApp(db, log).fetch, hostname: "127.0.0.1", port });
  await once(server, "listening");
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  process.stdout.write(`snippets ready on http://127.0.0.1:${bound}\n`);
  if (!stop.signal.aborted) await once(stop.signal, "abort");
  const closed = once(server, "close");
  server.close();
  if ("closeIdleConnections" in server) {
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), REQUESTS_DEADLINE_MS).unref();
  }
  await closed;
} finally {
  await db.close();
}
