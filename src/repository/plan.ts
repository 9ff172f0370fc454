import type { Outcome, RowReader, StatementCall } from "../driver/index.ts";
import type { Call, Encoded, Tree } from "../sql/index.ts";
import {
  type CompiledTree,
  compile,
  compileCondition,
  compileExpression,
  createRowReader,
  requireActor,
  type Slot,
  statementName,
  valuesIn,
} from "../statement/index.ts";
import { guardOf } from "./guard.ts";
import type { Addition, Ask, Intent, KeyedFamily } from "./intent.ts";
import { selectsIn } from "./where/selects-in.ts";

/** Shapes one kind of call remembers; a program has some dozens, and past the limit the oldest is forgotten. */
const PLANS_LIMIT = 1_000;

/** A statement written for all calls of one shape, and how its answer becomes their result. */
export interface Plan<T> {
  readonly tree: Tree;
  readonly statement: CompiledTree;
  readonly name: string;
  /** Makes the records of its answer. */
  readonly rows: RowReader | undefined;
  readonly mayRefuse: boolean;
  readonly read: ReadAnswer<T>;
  /** Set where it reads one row by its key, so that it may travel with others. */
  readonly keyed?: KeyedPlan<T> | undefined;
  /** Statements that travel with it, as they need nothing of its answer. */
  readonly companions?: readonly Companion[];
  /** Statements that follow, with what its answer found. */
  readonly later?: readonly Plan<unknown>[];
  /** Says more of an error than the server does. */
  readonly failed?: (error: unknown) => unknown;
}

/** How a read by key travels with others of its kind. */
export interface KeyedPlan<T> {
  readonly family: KeyedFamily;
  readonly keyIn: (call: Call) => string;
  readonly finish: (row: Record<string, unknown> | undefined) => T;
}

interface Companion {
  readonly plan: Plan<unknown>;
  readonly foundIn: (call: Call) => readonly Encoded[];
}

/** May ask for what the first answer could not tell. */
export type ReadAnswer<T> = (outcomes: readonly Outcome[], ask: Ask, call: Call) => T | Promise<T>;

interface PlanOptions {
  /** Its answer can turn out to be a failure, because it has no row. @default false */
  readonly mayRefuse?: boolean;
  /** What the cells of a row become: the answer then has records. @default the cells themselves */
  readonly slots?: readonly Slot[];
}

export function planOf<T>(
  tree: Tree,
  read: ReadAnswer<T>,
  { mayRefuse = false, slots }: PlanOptions = {},
): Plan<T> {
  const statement = compile(tree);
  const rows = slots === undefined ? undefined : createRowReader(slots);
  return { tree, statement, name: statementName(statement.text), rows, mayRefuse, read };
}

/** A plan with the values of one call. */
export function intentOf<T>(plan: Plan<T>, call: Call): Intent<T> {
  return new PlannedIntent(plan, call);
}

/** A class, because one is made for every call: an object of getters and closures takes ten times as long to make. */
class PlannedIntent<T> implements Intent<T> {
  readonly #plan: Plan<T>;
  readonly #call: Call;
  #calls: readonly StatementCall[] | undefined;

  constructor(plan: Plan<T>, call: Call) {
    this.#plan = plan;
    this.#call = call;
  }

  /** Encoded once, and not where the read travels with others. */
  get calls(): readonly StatementCall[] {
    this.#calls ??= this.#encoded();
    return this.#calls;
  }

  #encoded(): readonly StatementCall[] {
    const { companions } = this.#plan;
    const own = statementOf(this.#plan, this.#call);
    if (companions === undefined) return [own];
    const others = companions.map(({ plan, foundIn }) =>
      statementOf(plan, { ...this.#call, found: foundIn(this.#call) }),
    );
    return [own, ...others];
  }

  get keyed(): Intent<T>["keyed"] {
    const { keyed } = this.#plan;
    if (keyed === undefined) return undefined;
    const { family, finish } = keyed;
    return { family, key: keyed.keyIn(this.#call), actor: this.#call.actor, finish };
  }

  get mayRefuse(): boolean {
    return this.#plan.mayRefuse;
  }

  get guarded(): readonly StatementCall[] | undefined {
    const guard = this.mayRefuse ? guardOf(this.#plan) : undefined;
    const [own, ...others] = this.calls;
    return guard === undefined || own === undefined ? undefined : [{ ...own, ...guard }, ...others];
  }

  get isRead(): boolean {
    return this.#plan.tree.kind === "select";
  }

  get isLocking(): boolean {
    const { tree } = this.#plan;
    return tree.kind === "select" && tree.lock !== undefined;
  }

  get additions(): readonly Addition[] {
    return treesOf(this.#plan).flatMap(additionsOf);
  }

  get later(): readonly string[] | undefined {
    return this.#plan.later?.map(({ statement }) => statement.text);
  }

  read(outcomes: readonly Outcome[], ask: Ask): T | Promise<T> {
    return this.#plan.read(outcomes, ask, this.#call);
  }

  failed(error: unknown): unknown {
    return this.#plan.failed === undefined ? error : this.#plan.failed(error);
  }
}

function treesOf({ tree, companions = [], later = [] }: Plan<unknown>): readonly Tree[] {
  return [tree, ...companions.map(({ plan }) => plan.tree), ...later.map((plan) => plan.tree)];
}

export function statementOf(plan: Plan<unknown>, call: Call): StatementCall {
  const { tree, statement, name, rows, later } = plan;
  const values = valuesIn(statement, call);
  // Before anything is sent: what follows would fail when half of the call is done.
  if (later !== undefined) for (const following of later) requireActor(following.statement, call);
  // Without the promise the pool would reset the session after every call.
  const own = { text: statement.text, values, name, leavesNoTrace: true, rows };
  const isTold = statement.ofActor.length > 0 || (tree.kind !== "select" && tree.tellsActor === true);
  return isTold ? { ...own, actor: call.actor } : own;
}

/** What is worked out once for each shape of a call. What fails meanwhile is not remembered. */
export class ByShape<V extends object> {
  readonly #known = new Map<string, V>();

  find(shape: string | undefined, make: () => V): V {
    if (shape === undefined) return make();
    const known = this.#known.get(shape);
    if (known !== undefined) return known;
    const made = make();
    if (this.#known.size >= PLANS_LIMIT) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(shape, made);
    return made;
  }
}

/** The plans of one kind of call. */
export class Plans<T> extends ByShape<Plan<T>> {}

/** What behaviours added to a statement, nested reads too. */
export function additionsOf(tree: Tree): readonly Addition[] {
  const additions: Addition[] = [];
  const joined =
    tree.kind === "select"
      ? new Set([...(tree.orderJoins ?? []), ...(tree.joins ?? []), ...(tree.link ? [tree.link] : [])])
      : [];
  const filters = [...(tree.kind === "insert" ? [] : tree.filters), ...[...joined].flatMap(({ on }) => on)];
  for (const { condition, addedBy } of filters) {
    if (addedBy !== undefined) additions.push({ behaviour: addedBy, sql: compileCondition(condition) });
    additions.push(...selectsIn(condition).flatMap(additionsOf));
  }
  if (tree.kind === "update") {
    for (const { name, value, addedBy } of tree.set) {
      if (addedBy !== undefined)
        additions.push({ behaviour: addedBy, sql: `${name} = ${compileExpression(value)}` });
    }
  }
  if (tree.kind === "insert") {
    for (const { name, addedBy } of tree.columns) {
      if (addedBy !== undefined) additions.push({ behaviour: addedBy, sql: name });
    }
  }
  const projections = tree.kind === "select" ? tree.projections : tree.returning;
  for (const projection of projections)
    if (projection.kind === "nested") additions.push(...additionsOf(projection.of));
  return additions;
}
