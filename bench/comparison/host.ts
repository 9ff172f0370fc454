/** What runs in a subject's own process: answers the questions of the bench, one at a time. */
import { type TurnPlan, takeTurn } from "../turn.ts";
import type { Size } from "./data.ts";
import { normalise } from "./normalise.ts";
import type { OpenSubject, Settings, Subject } from "./operations.ts";
import { type Call, COMPARISONS, type Comparison } from "./workloads.ts";

export type Question =
  /** Which workloads the subject takes part in. */
  | { readonly kind: "workloads"; readonly subject: string }
  /** The first answers, as comparable texts. */
  | { readonly kind: "check"; readonly subject: string; readonly workload: string; readonly calls: number }
  | { readonly kind: "turn"; readonly subject: string; readonly workload: string; readonly plan: TurnPlan }
  | { readonly kind: "close" };

export interface HostOptions extends Settings {
  readonly size: Size;
}

interface Opened {
  readonly subject: Subject;
  /** By workload. */
  readonly calls: Map<string, readonly Call[]>;
}

export async function serve(opens: Readonly<Record<string, OpenSubject>>): Promise<void> {
  const options: HostOptions = JSON.parse(process.argv[2] ?? "{}");
  const opened = new Map<string, Opened>();
  for (const [name, open] of Object.entries(opens)) {
    opened.set(name, { subject: await open(options), calls: new Map() });
  }
  process.on("message", (question: Question) => {
    answer(question, opened, options.size).then(
      (result) => process.send?.({ result }),
      (error: unknown) => process.send?.({ error: inWords(error) }),
    );
  });
  process.once("disconnect", () => process.exit());
  process.send?.({ result: "ready" });
}

async function answer(question: Question, opened: ReadonlyMap<string, Opened>, size: Size): Promise<unknown> {
  if (question.kind === "close") {
    for (const { subject } of opened.values()) await subject.close();
    return null;
  }
  const host = opened.get(question.subject);
  if (host === undefined) throw new Error(`${question.subject} does not run here`);
  const { operations } = host.subject;
  if (question.kind === "workloads") {
    return COMPARISONS.filter(
      ({ operation, beside }) => operation in operations && (beside?.operation ?? operation) in operations,
    ).map(({ name }) => name);
  }
  const workload = COMPARISONS.find(({ name }) => name === question.workload);
  if (workload === undefined) throw new Error(`there is no workload ${question.workload}`);
  const calls = host.calls.get(workload.name) ?? workload.calls(operations, size);
  host.calls.set(workload.name, calls);
  return question.kind === "check"
    ? check(calls.slice(0, question.calls), workload)
    : turn(calls, workload, host.subject, question.plan);
}

/** Some one by one, then all of them at once: rows must not get mixed up on the way. */
async function check(calls: readonly Call[], { unequal }: Comparison): Promise<readonly string[]> {
  const answers: unknown[] = [];
  const alone = calls.length >> 1;
  for (const call of calls.slice(0, alone)) answers.push(await call());
  answers.push(...(await Promise.all(calls.slice(alone).map((call) => call()))));
  return answers.map((rows) => normalise(rows, unequal));
}

async function turn(calls: readonly Call[], workload: Comparison, subject: Subject, plan: TurnPlan) {
  let next = 0;
  const run = async (): Promise<unknown> => calls[next++ % calls.length]?.();
  if (workload.beside === undefined) return takeTurn(run, plan);
  let isOver = false;
  const lane = async (): Promise<void> => {
    while (!isOver) await subject.operations.slow?.();
  };
  const beside = Array.from({ length: workload.beside.inFlight }, lane);
  try {
    return await takeTurn(run, plan);
  } finally {
    isOver = true;
    await Promise.all(beside);
  }
}

function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${inWords(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
