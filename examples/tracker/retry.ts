import { setTimeout as sleep } from "node:timers/promises";
import { isRetryable } from "plinth";

const ATTEMPTS_MAX = 5;
const DELAY_MS_MAX = 50;

/**
 * Runs a write again when PostgreSQL ended it so that another one could go on (a deadlock, say between deleting a user
 * and giving them a task): it was undone whole, so nothing happens twice.
 */
export async function retrying<T>(write: () => PromiseLike<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (!isRetryable(error) || attempt === ATTEMPTS_MAX) throw error;
    }
    // Jitter, so that the same two do not meet again.
    await sleep(Math.random() * DELAY_MS_MAX * attempt);
  }
}
