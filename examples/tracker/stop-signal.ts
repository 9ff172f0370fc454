import type { Log } from "./app.ts";

/** npm passes on a Ctrl-C that the terminal sends to both of us: two signals this close are one. */
const SAME_SIGNAL_MS = 1_000;
const PARENT_POLL_MS = 1_000;

/**
 * Aborts when the process is told to end: SIGTERM, SIGINT (Ctrl-C), or the death of the npm that started it, which
 * would otherwise leave it behind with its port. A second signal ends it at once.
 */
export function stopSignal(log: Log): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (firstAt !== undefined && now - firstAt > SAME_SIGNAL_MS)
      process.exit(signal === "SIGINT" ? 130 : 143);
    if (firstAt !== undefined) return;
    firstAt = now;
    controller.abort();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      log("npm is gone");
      firstAt ??= performance.now();
      controller.abort();
    }, PARENT_POLL_MS);
    timer.unref();
  }
  return controller.signal;
}
