import { type Connection, type ConnectionTarget, connect } from "../../src/driver/index.ts";

/** Sessions that run one statement again and again, as the requests of an application do. */
export interface Writers {
  /** The longest any of them has waited for one statement. */
  readonly longestWaitMs: number;
  readonly statements: number;
  /** Ends them after their current statements. @throws what a statement of theirs threw. */
  stop(): Promise<void>;
}

/** Starts `count` sessions that run `text` until they are stopped. */
export async function startWriters(target: ConnectionTarget, text: string, count: number): Promise<Writers> {
  const sessions: Connection[] = [];
  for (let session = 0; session < count; session++) sessions.push(await connect(target));
  let isOver = false;
  let longestWaitMs = 0;
  let statements = 0;
  const lanes = sessions.map(async (session) => {
    while (!isOver) {
      const start = performance.now();
      await session.script(text);
      longestWaitMs = Math.max(longestWaitMs, performance.now() - start);
      statements += 1;
    }
  });
  const ended = Promise.allSettled(lanes);
  return {
    get longestWaitMs() {
      return longestWaitMs;
    },
    get statements() {
      return statements;
    },
    stop: async () => {
      isOver = true;
      await ended;
      for (const session of sessions) await session.close();
      await Promise.all(lanes);
    },
  };
}
