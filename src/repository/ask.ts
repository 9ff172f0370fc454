import type { BatchOptions, RunOptions } from "../transaction/index.ts";
import type { Ask, QueryRunner } from "./intent.ts";

/** Sends statements to one place: one alone as it is, several as one flight. */
export function askOf(runner: QueryRunner, { signal, site, isRead }: RunOptions & BatchOptions): Ask {
  return async (calls) => {
    const [only, ...others] = calls;
    if (only === undefined) return [];
    return others.length === 0
      ? [await runner.run(only, { signal, site })]
      : runner.batch(calls, { site, isRead });
  };
}
