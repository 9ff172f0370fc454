/** Serves the application: `node --import tsx examples/snippets/main.ts`. Ends in order on SIGTERM and Ctrl-C. */
import { once } from "node:events";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { watchConnections } from "plinth/http";
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
  const server = createServer(getRequestListener(createApp(db, log).fetch));
  const drain = watchConnections(server);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  process.stdout.write(`snippets ready on http://127.0.0.1:${bound}\n`);
  if (!stop.signal.aborted) await once(stop.signal, "abort");
  await drain.close(REQUESTS_DEADLINE_MS);
} finally {
  await db.close();
}
