import { EmbeddedError, PlinthError } from "../errors/index.ts";

/**
 * Runs what a caller awaits. Everything in this folder waits with timers that do not keep a process alive, so
 * that a supervised server never does; somebody who awaits an answer needs the process until it is there. What
 * the file system or the system refuses on the way becomes an error of ours.
 */
export async function inForeground<T>(work: () => Promise<T>): Promise<T> {
  const anchor = setInterval(() => undefined, 60_000);
  try {
    return await work();
  } catch (error) {
    if (error instanceof PlinthError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EmbeddedError("EMBEDDED_FAILED", `the embedded server could not be used: ${reason}`, {
      cause: error,
    });
  } finally {
    clearInterval(anchor);
  }
}
