import type { Outcome, StatementCall } from "../driver/index.ts";
import type { BatchOptions, RunOptions } from "../transaction/index.ts";
import type { Ask, QueryRunner } from "./intent.ts";

/** Sends statements to one place: one alone as it is, several as one flight. */
export function askOf(runner: QueryRunner, { signal, site, isRead }: RunOptions & BatchOptions): Ask {
  const alone = async (call: StatementCall): Promise<readonly Outcome[]> => [
    await runner.run(call, { signal, site }),
  ];
  return (calls) => {
    const [only, ...others] = calls;
    if (only === undefined) return NOTHING_ASKED;
    return others.length === 0 ? alone(only) : runner.batch(calls, { site, isRead });
  };
}

const NOTHING_ASKED: Promise<readonly Outcome[]> = Promise.resolve([]);
