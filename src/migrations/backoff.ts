export const BACKOFF_FIRST_MS = 100;
export const BACKOFF_LIMIT_MS = 10_000;

/**
 * How long to wait before attempt `attempt` (the first retry is 1): it doubles up to 10 s, and the second half
 * is random so that runners and migrations do not meet again at the same lock.
 *
 * @param random a number from 0 to below 1
 */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(BACKOFF_FIRST_MS * 2 ** (attempt - 1), BACKOFF_LIMIT_MS);
  return Math.round(full / 2 + (full / 2) * random);
}
