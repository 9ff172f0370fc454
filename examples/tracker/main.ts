/** `npm start`: opens the database, brings it up to date, serves the API, and ends in order when it is told to. */
import { isPlinthError } from "plinth";
import { createApp } from "./app.ts";
import { openDatabase, trackerOn } from "./db.ts";
import { listen, portFrom } from "./listen.ts";
import { prepare } from "./prepare.ts";
import { stopSignal } from "./stop-signal.ts";

/** Requests that run get this long to finish, then statements, then the embedded server: below 10 s together. */
const REQUESTS_DEADLINE_MS = 6_000;
const STATEMENTS_DEADLINE_MS = 1_000;
const EXIT_DEADLINE_MS = 9_500;

const log = (line: string): void => void process.stderr.write(`${line}\n`);

async function run(stop: AbortSignal): Promise<void> {
  const port = portFrom(process.env);
  const db = await openDatabase(log);
  try {
    log(`database: ${db.target}`);
    await prepare(db, stop, log);
    const server = await listen(createApp(trackerOn(db), log), port, stop, log);
    process.stdout.write(`tracker ready on http://127.0.0.1:${server.port}\n`);
    await aborted(stop);
    log("stopping: finishing the requests that run");
    await server.close(REQUESTS_DEADLINE_MS);
  } finally {
    await db.close({ deadlineMs: STATEMENTS_DEADLINE_MS });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** One line with cause and fix; whoever started us has no use for a stack of Plinth's. */
function explain(error: unknown): string {
  if (isPlinthError(error))
    return error.hint === undefined ? error.summary : `${error.summary}. ${error.hint}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const stop = stopSignal(log);
stop.addEventListener("abort", () => {
  setTimeout(() => {
    log("stopping took too long");
    process.exit(1);
  }, EXIT_DEADLINE_MS).unref();
});

try {
  await run(stop);
} catch (error) {
  // What was cut short because somebody asked for the end has not failed.
  if (!stop.aborted) {
    log(`tracker: ${explain(error)}`);
    process.exitCode = 1;
  }
}
// Whatever a library left open must not keep a stopped process alive.
process.exit();
