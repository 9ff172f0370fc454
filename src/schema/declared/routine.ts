import { is, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { PgColumnBuilder, type PgColumnBuilderBase } from "drizzle-orm/pg-core";
import { SchemaError } from "../../errors/index.ts";
import { configOf } from "../column-name.ts";
import { type AnyEntity, isEntity } from "../entity.ts";
import type { Flat, Row } from "../inference.ts";
import { type InOutMark, mark, marksOf, type OutMark } from "../marks.ts";
import { declare, refuseUnknownOptions } from "./registry.ts";
import { refuseNonType, type TypeMap, type ValueOf } from "./value-type.ts";

// ---- What a routine gives back ------------------------------------------------------------------------

const SET_OF: unique symbol = Symbol("setOf");

/** Any number of values or rows; made by `setOf`. */
export interface SetOf<T> {
  readonly [SET_OF]: T;
}

/** What a set is of. */
export function itemOf(set: SetOf<PgColumnBuilderBase | AnyEntity>): PgColumnBuilderBase | AnyEntity {
  return set[SET_OF];
}

/** What a function may give back. */
export type Returns =
  | "void"
  | "trigger"
  | PgColumnBuilderBase
  | AnyEntity
  | TypeMap
  | SetOf<PgColumnBuilderBase>
  | SetOf<AnyEntity>;

/**
 * Any number of values, or of rows of an entity.
 *
 * @example
 * ```ts
 * returns: setOf(tasks)              // returns setof "tasks": rows of tasks
 * returns: setOf(bigint({ mode: "bigint" }))
 * ```
 */
export function setOf<T extends PgColumnBuilderBase | AnyEntity>(item: T): SetOf<T> {
  return { [SET_OF]: item };
}

/** What a call resolves with. */
export type ResultOf<R> = R extends "void"
  ? undefined
  : R extends SetOf<infer T>
    ? ItemOf<T>[]
    : R extends AnyEntity
      ? Row<R> | undefined
      : R extends PgColumnBuilderBase
        ? ValueOf<R>
        : R extends TypeMap
          ? Flat<{ -readonly [K in keyof R]: ValueOf<R[K]> }>[]
          : never;

type ItemOf<T> = T extends AnyEntity ? Row<T> : T extends PgColumnBuilderBase ? ValueOf<T> : never;

// ---- What it takes ------------------------------------------------------------------------------------

type KeysMarked<A extends TypeMap, M> = { [K in keyof A]: A[K] extends M ? K : never }[keyof A];
type InputKeys<A extends TypeMap> = Exclude<keyof A, KeysMarked<A, OutMark>>;
type OptionalKeys<A extends TypeMap> = {
  [K in InputKeys<A>]: A[K]["_"] extends { hasDefault: true } ? K : never;
}[InputKeys<A>];

/** What a call takes: arguments with a default may be left out. */
export type InputOf<A extends TypeMap> = Flat<
  { readonly [K in Exclude<InputKeys<A>, OptionalKeys<A>>]: ValueOf<A[K]> } & {
    readonly [K in OptionalKeys<A>]?: ValueOf<A[K]>;
  }
>;

/** What a procedure gives back: its `out` and `inOut` arguments. */
export type OutputOf<A extends TypeMap> = [KeysMarked<A, OutMark | InOutMark>] extends [never]
  ? undefined
  : Flat<{ -readonly [K in KeysMarked<A, OutMark | InOutMark>]: ValueOf<A[K]> }>;

/** An argument of a procedure that only comes back. */
export function out<B extends PgColumnBuilderBase>(type: B): B & OutMark {
  return mark(type, { mode: "out" }) as B & OutMark;
}

/** An argument of a procedure that goes in and comes back, perhaps changed. */
export function inOut<B extends PgColumnBuilderBase>(type: B): B & InOutMark {
  return mark(type, { mode: "inout" }) as B & InOutMark;
}

// ---- The declaration ----------------------------------------------------------------------------------

/** What functions and procedures have in common. */
export interface RoutineOptions<A extends TypeMap> {
  /** Drizzle's column types, in the order of the signature. Names become snake case. @default none */
  readonly arguments?: A;
  /**
   * What stands between the dollar quotes. In `` sql`…` ``, `${tasks}` and `${tasks.title}` are names, and values are
   * written out; arguments go by their name in snake case. Text is taken as it is.
   */
  readonly body: SQL | string;
  /** @default "plpgsql" */
  readonly language?: string;
  /** With whose rights it runs. @default "invoker" */
  readonly security?: "invoker" | "definer";
  /**
   * `own` pins the schema it is declared in, so that no caller's `search_path` changes what its names mean. `caller`
   * leaves it open: needed by a procedure that commits, and by a function that is to be inlined; names in its body
   * are then written with their schema. @default "own"
   * @see https://www.postgresql.org/docs/current/sql-createprocedure.html
   */
  readonly searchPath?: "own" | "caller";
  readonly comment?: string;
  /** Declared objects that have to be there before it and that its SQL does not show. */
  readonly dependsOn?: readonly object[];
}

export interface FunctionOptions<A extends TypeMap, R extends Returns> extends RoutineOptions<A> {
  readonly returns: R;
  /** What the planner may believe of it. @default "volatile" */
  readonly volatility?: "volatile" | "stable" | "immutable";
  readonly parallel?: "unsafe" | "restricted" | "safe";
  /** Null without running when an argument is null. @default false */
  readonly strict?: boolean;
  /** It tells nothing about its arguments but its result. Only a superuser may say so. @default false */
  readonly leakproof?: boolean;
  /** The planner's estimate, in units of `cpu_operator_cost`. */
  readonly cost?: number;
  /** The planner's estimate of the rows of a set. */
  readonly rows?: number;
}

declare const ROUTINE: unique symbol;

/** A declared function or procedure. In `` sql`${touch}(…)` `` it is its name. */
export interface Routine<TInput, TResult> extends SQLWrapper {
  readonly [ROUTINE]: { readonly input: TInput; readonly result: TResult };
}

/** A function that only triggers call. */
export interface TriggerFunction extends SQLWrapper {
  readonly isTriggerFunction: true;
}

/** Any routine that can be called. */
export type AnyRoutine = Routine<never, unknown> | Routine<object, unknown>;

export type RoutineInput<R extends AnyRoutine> = R[typeof ROUTINE]["input"];
export type RoutineResult<R extends AnyRoutine> = R[typeof ROUTINE]["result"];

/** The parameters of `db.call` after the routine: nothing where all may be left out. */
export type CallInput<R extends AnyRoutine> = [keyof RoutineInput<R>] extends [never]
  ? readonly [input?: Record<string, never>]
  : object extends RoutineInput<R>
    ? readonly [input?: RoutineInput<R>]
    : readonly [input: RoutineInput<R>];

export type DeclaredFunction<A extends TypeMap, R extends Returns> = R extends "trigger"
  ? TriggerFunction
  : Routine<InputOf<A>, ResultOf<R>>;

export interface RoutineDeclaration extends Partial<Omit<FunctionOptions<TypeMap, Returns>, "body">> {
  readonly body: SQL | string;
}

const COMMON = ["arguments", "body", "language", "security", "searchPath", "comment", "dependsOn"];
const FUNCTION = [...COMMON, "returns", "volatility", "parallel", "strict", "leakproof", "cost", "rows"];

/** PostgreSQL's own limit, FUNC_MAX_ARGS: https://www.postgresql.org/docs/current/runtime-config-preset.html */
const ARGUMENTS_LIMIT = 100;

export function declareFunction<A extends TypeMap, R extends Returns>(
  app: { readonly schemaName: string },
  name: string,
  options: FunctionOptions<A, R>,
): DeclaredFunction<A, R> {
  const what = `function "${name}"`;
  refuseUnknownOptions(what, options, FUNCTION);
  refuseArguments(what, options.arguments ?? {}, false);
  refuseReturns(what, options.returns);
  if (options.returns === "trigger" && Object.keys(options.arguments ?? {}).length > 0) {
    throw new SchemaError(`${what} returns a trigger and cannot take arguments`, {
      hint: "Give them in app.trigger({ arguments: […] }) and read them in tg_argv.",
    });
  }
  const routine = named(app.schemaName, name);
  // Types without a run time: what the symbol and the flag stand for exists in the compiler only.
  return declare(app, routine, { kind: "function", name, options }) as unknown as DeclaredFunction<A, R>;
}

export function declareProcedure<A extends TypeMap>(
  app: { readonly schemaName: string },
  name: string,
  options: RoutineOptions<A>,
): Routine<InputOf<A>, OutputOf<A>> {
  const what = `procedure "${name}"`;
  refuseUnknownOptions(what, options, COMMON);
  refuseArguments(what, options.arguments ?? {}, true);
  const routine = named(app.schemaName, name);
  return declare(app, routine, { kind: "procedure", name, options }) as unknown as Routine<
    InputOf<A>,
    OutputOf<A>
  >;
}

/** Drizzle writes a wrapper in parentheses unless it is told not to. */
function named(schema: string, name: string): SQLWrapper {
  const qualified = sql`${sql.identifier(schema)}.${sql.identifier(name)}`;
  const wrapper = { getSQL: () => qualified, shouldOmitSQLParens: () => true };
  return wrapper;
}

function refuseArguments(what: string, types: TypeMap, isProcedure: boolean): void {
  const entries = Object.entries(types);
  if (entries.length > ARGUMENTS_LIMIT) {
    throw new SchemaError(`${what} has ${entries.length} arguments; PostgreSQL takes ${ARGUMENTS_LIMIT}`, {
      hint: "Pass one jsonb, or an array.",
    });
  }
  let optional: string | undefined;
  for (const [key, type] of entries) {
    const argument = `argument "${key}" of ${what}`;
    refuseNonType(argument, type, { notNull: true, default: true, mode: isProcedure });
    const { mode } = marksOf(type);
    const hasDefault = configOf(type).default !== undefined;
    if (mode === "out" && hasDefault) throw new SchemaError(`${argument} only comes back and has no default`);
    if (hasDefault) optional = key;
    else if (optional !== undefined) {
      throw new SchemaError(`${argument} has no default and stands after "${optional}", which has one`, {
        hint: "Put the arguments without a default first, those that only come back among them.",
      });
    }
  }
}

function refuseReturns(what: string, returns: Returns): void {
  if (returns === "void" || returns === "trigger" || isEntity(returns)) return;
  const result = `the result of ${what}`;
  if (isBuilder(returns)) refuseNonType(result, returns, { notNull: true, default: false });
  else if (isSetOf(returns)) refuseReturns(what, itemOf(returns));
  else if (isTypeMap(returns) && Object.keys(returns).length > 0) {
    for (const [key, type] of Object.entries(returns)) {
      refuseNonType(`"${key}" of ${result}`, type, { notNull: true, default: false });
    }
  } else {
    throw new SchemaError(`${what} must say what it returns`, {
      hint: 'A type such as text(), an entity, setOf(…) of either, { name: type } for a table, "void" or "trigger".',
    });
  }
}

/** True for a column builder of Drizzle. */
export function isBuilder(value: unknown): value is PgColumnBuilderBase {
  return is(value, PgColumnBuilder);
}

export function isSetOf(value: unknown): value is SetOf<PgColumnBuilderBase | AnyEntity> {
  if (typeof value !== "object" || value === null || !(SET_OF in value)) return false;
  return isBuilder(value[SET_OF]) || isEntity(value[SET_OF]);
}

export function isTypeMap(value: unknown): value is TypeMap {
  return typeof value === "object" && value !== null && Object.values(value).every(isBuilder);
}
