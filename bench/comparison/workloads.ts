/** What is asked of the subjects, with inputs that are the same for everybody and in every run. */
import { type Size, STATUSES } from "./data.ts";
import type { NewTask, OperationName, Operations, TaskQuery } from "./operations.ts";

export interface Comparison {
  readonly name: string;
  /** A subject without it does not take part. */
  readonly operation: OperationName;
  readonly concurrencies: readonly number[];
  /** The calls that are made over and over, their arguments ready. */
  calls(operations: Partial<Operations>, size: Size): readonly Call[];
  /** SQL that shows what the calls of a check left in the tables. */
  readonly effect?: string;
  /** Properties of the answer that depend on what was written before. */
  readonly unequal: readonly string[];
  /** Commits wait for the disk. @default false: the disk is not what is compared */
  readonly isDurable: boolean;
  /** Calls of another operation, so many in flight all the time, that are not counted. */
  readonly beside?: { readonly operation: "slow"; readonly inFlight: number };
}

export type Call = () => Promise<unknown> | undefined;

const INPUTS_DEFAULT = 1_024;
const START_MS = Date.UTC(2026, 0, 1);
/** Rows of a keyset page. */
export const KEYSET_LIMIT = 20;
const MIN_PRIORITY = 3;

/** In the order in which they run: what reads the tables goes before what changes them. */
export const COMPARISONS: readonly Comparison[] = [
  define({
    name: "one row by key",
    operation: "oneRow",
    input: (index, { worlds }) => pick(index, worlds),
    call: (on, id) => on.oneRow?.(id),
  }),
  define({
    name: "20 reads in one call",
    operation: "manyReads",
    input: (index, { worlds }) => keys(index, worlds),
    call: (on, ids) => on.manyReads?.(ids),
  }),
  define({ name: "fortunes", operation: "fortunes", input: () => null, call: (on) => on.fortunes?.() }),
  define({
    name: "get_user",
    operation: "getUser",
    input: (index, { authors }) => pick(index, authors),
    call: (on, id) => on.getUser?.(id),
  }),
  define({
    name: "get_person",
    operation: "getPerson",
    input: (index, { people }) => pick(index, people),
    call: (on, id) => on.getPerson?.(id),
  }),
  define({
    name: "get_movie",
    operation: "getMovie",
    input: (index, { movies }) => pick(index, movies),
    call: (on, id) => on.getMovie?.(id),
  }),
  define({
    name: "page of 50 with a nested one-to-one",
    operation: "accountPage",
    input: (index, { accounts }) => pick(index, accounts - 50),
    call: (on, afterId) => on.accountPage?.(afterId),
  }),
  define({
    name: "20 projects with their tasks",
    operation: "projectPage",
    input: (index, { projects }) => pick(index, projects - 20),
    call: (on, afterId) => on.projectPage?.(afterId),
  }),
  define({
    name: "filtered keyset page",
    operation: "taskPage",
    inputs: 64,
    input: taskQuery,
    call: (on, query) => on.taskPage?.(query),
  }),
  define({
    name: "point reads beside statements of 30 ms",
    operation: "oneRow",
    concurrencies: [64],
    beside: { operation: "slow", inFlight: 4 },
    input: (index, { worlds }) => pick(index, worlds),
    call: (on, id) => on.oneRow?.(id),
  }),
  define({
    name: "insert_user",
    operation: "insertUser",
    isDurable: true,
    unequal: ["id"],
    input: (index) => ({ name: `New user ${index}`, image: `https://images.example.test/new/${index}.png` }),
    call: (on, user) => on.insertUser?.(user),
    effect: "select name, image from users where name like 'New user %' order by 1",
  }),
  define({
    name: "update_movie",
    operation: "updateMovie",
    isDurable: true,
    input: (index, { movies }) => ({ id: pick(index, movies), title: `New title ${index}` }),
    call: (on, { id, title }) => on.updateMovie?.(id, title),
    effect: "select id, title from movies where title like 'New title %' order by 1",
  }),
  define({
    name: "20 updates in one call",
    operation: "updates",
    input: (index, { worlds }) =>
      keys(index, worlds).map((id, at) => ({ id, randomNumber: ((index * 20 + at) % 10_000) + 1 })),
    call: (on, changes) => on.updates?.(changes),
    effect: "select id, random_number from world order by 1",
  }),
  define({
    name: "transaction of three statements",
    operation: "assign",
    input: (index, size) => ({ task: newTask(index, size), action: `assigned ${index}` }),
    call: (on, assignment) => on.assign?.(assignment),
    effect: `select t.title, t.status, t.due_at, p.task_count, a.action from new_tasks t
      join project_totals p using (project_id) join activity a using (project_id) order by t.title, a.action`,
  }),
  define({
    name: "1,000 inserts in one call",
    operation: "insertTasks",
    concurrencies: [1, 10],
    inputs: 16,
    input: (index, size) => Array.from({ length: 1_000 }, (_, at) => newTask(index * 1_000 + at, size)),
    call: (on, tasks) => on.insertTasks?.(tasks),
    effect: "select project_id, title, description, priority, status, due_at from new_tasks order by title",
  }),
];

interface Definition<I> extends Partial<Omit<Comparison, "calls">> {
  readonly name: string;
  readonly operation: OperationName;
  /** How many there are. @default 1,024 */
  readonly inputs?: number;
  input(index: number, size: Size): I;
  call(on: Partial<Operations>, input: I): Promise<unknown> | undefined;
}

function define<I>(definition: Definition<I>): Comparison {
  const { inputs = INPUTS_DEFAULT, input, call, ...comparison } = definition;
  return {
    concurrencies: [1, 10, 64],
    unequal: [],
    isDurable: false,
    ...comparison,
    calls: (operations, size) =>
      Array.from({ length: inputs }, (_, index): Call => {
        const ready = input(index, size);
        return () => call(operations, ready);
      }),
  };
}

/** Spread over `1..count` by a multiplier that is prime to it. */
function pick(index: number, count: number): number {
  return ((index * 48_271 + 12_345) % count) + 1;
}

/** Twenty different keys, ascending: writers that lock rows in one order cannot lock each other out. */
function keys(index: number, count: number): number[] {
  const chosen = new Set<number>();
  for (let at = 0; chosen.size < 20; at++) chosen.add(pick(index * 20 + at, count));
  return [...chosen].sort((a, b) => a - b);
}

/** The page that follows `page` others. Tasks of one status come in fives, and three of five are urgent enough. */
function taskQuery(index: number, size: Size): TaskQuery {
  const status = STATUSES[index % STATUSES.length] ?? "pending";
  const page = 1 + (Math.floor(index / STATUSES.length) % 10);
  let left = page * KEYSET_LIMIT;
  let id = size.tasks + 1;
  while (left > 0) {
    id--;
    if (STATUSES[Math.floor(id / 5) % 4] === status && (id % 5) + 1 >= MIN_PRIORITY) left--;
  }
  const after = { id, createdAt: new Date(START_MS + id * 60_000) };
  return { status, minPriority: MIN_PRIORITY, page, after };
}

function newTask(index: number, size: Size): NewTask {
  return {
    projectId: pick(index, size.projects),
    title: `New task ${index}`,
    description: index % 2 === 0 ? "words words words words words" : null,
    priority: (index % 5) + 1,
    status: STATUSES[index % 4] ?? "pending",
    dueAt: index % 3 === 0 ? new Date(START_MS + (index % 1_000) * 86_400_000) : null,
  };
}
