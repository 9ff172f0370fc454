/** How often a long random test runs: a hundredth in `npm test`, in full in `npm run soak`. */
export function soakRuns(full: number): number {
  return process.env.PLINTH_SOAK === "1" ? full : Math.max(2, Math.ceil(full / 100));
}

/** The long tests' own time limit, in milliseconds. */
export const SOAK_TIMEOUT_MS = process.env.PLINTH_SOAK === "1" ? 7_200_000 : 180_000;
