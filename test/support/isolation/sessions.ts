import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as pause } from "node:timers/promises";
import type { IsolationLevel, PlinthError } from "plinth";
import type { Workshop } from "../workshop.ts";

/** One step of a scenario: whose it is, and what that one does. `commit` and `rollback` end its transaction. */
export type Step = readonly [session: number, text: string];

/** How often it is asked whether a step without an answer waits for somebody. */
const LOOK_MS = 20;

/** Sessions of other requests: outside the async context of the test. */
const outside = AsyncLocalStorage.snapshot();

/**
 * Plays a scenario through `db.transaction`, one transaction per session, each begun before the first step. Gives what each
 * step answered: its rows as `id=>value`, `ok`, an error's code, or `blocks, then …` for one that had to wait. What follows
 * a failure in the same session is `-`.
 *
 * @param waiting how many sessions the server says wait for a lock: a slow machine is not taken for one
 */
export async function play(
  db: Workshop["db"],
  isolation: IsolationLevel,
  steps: readonly Step[],
  waiting: () => Promise<number>,
): Promise<string[]> {
  const sessions = new Map<number, Session>();
  for (const [number] of steps) if (!sessions.has(number)) sessions.set(number, await begin(db, isolation));
  const answers: { text: string; later?: Promise<string> }[] = [];
  const last = new Map<number, Promise<string>>();
  const unanswered = new Set<Promise<string>>();
  for (const [number, text] of steps) {
    const session = sessions.get(number);
    if (session === undefined) throw new TypeError(`there is no session ${number}`);
    // What a commit before has let go on.
    await last.get(number);
    const answer = session.step(text);
    last.set(number, answer);
    unanswered.add(answer);
    void answer.finally(() => unanswered.delete(answer));
    let soon = await Promise.race([answer, pause(LOOK_MS, undefined)]);
    while (soon === undefined && (await waiting()) < unanswered.size)
      soon = await Promise.race([answer, pause(LOOK_MS, undefined)]);
    answers.push(soon === undefined ? { text: "blocks", later: answer } : { text: soon });
  }
  const transcript: string[] = [];
  for (const { text, later } of answers)
    transcript.push(later === undefined ? text : `${text}, then ${await later}`);
  await Promise.all([...sessions.values()].map((session) => session.end()));
  return transcript;
}

interface Session {
  step(text: string): Promise<string>;
  end(): Promise<void>;
}

type Sql = (text: string) => PromiseLike<readonly Record<string, unknown>[]>;

/** A transaction that is told from outside what to do next. */
async function begin(db: Workshop["db"], isolation: IsolationLevel): Promise<Session> {
  let isOver = false;
  let finish = (_how: "commit" | "rollback"): void => {};
  const undo = new Error("undo");
  const { sql, ended } = await new Promise<{ sql: Sql; ended: Promise<string> }>((resolve) => {
    const work = outside(() =>
      db.transaction(
        async (tx) => {
          const run: Sql = (text) => tx.sql(Object.assign([text], { raw: [text] }));
          // The snapshot is taken by the first statement: hermitage's scenarios begin with it.
          const told = new Promise<"commit" | "rollback">((tell) => {
            finish = tell;
          });
          resolve({ sql: run, ended: settled });
          if ((await told) === "rollback") throw undo;
        },
        { isolation, retry: false },
      ),
    );
    const settled: Promise<string> = work.then(
      () => "ok",
      (error: unknown) => (error === undo ? "ok" : codeOf(error)),
    );
  });
  return {
    async step(text) {
      if (isOver) return "-";
      if (text === "commit" || text === "rollback") {
        isOver = true;
        finish(text);
        return ended;
      }
      try {
        return described(await sql(text));
      } catch (error) {
        isOver = true;
        finish("rollback");
        await ended;
        return codeOf(error);
      }
    },
    async end() {
      if (!isOver) finish("rollback");
      await ended;
    },
  };
}

function described(rows: readonly Record<string, unknown>[]): string {
  if (rows.length === 0) return "none";
  return rows
    .map(({ id, value }) => `${String(id)}=>${String(value)}`)
    .toSorted()
    .join(" ");
}

function codeOf(error: unknown): string {
  return (error as PlinthError).code;
}
