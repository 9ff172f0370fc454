import { getTableColumns, is, type SQL, sql, Table } from "drizzle-orm";
import type { PgView } from "drizzle-orm/pg-core";
import { SchemaError, unknownName } from "../../errors/index.ts";
import { type AnyEntity, isEntity } from "../entity.ts";
import { declare, declaredAs, refuseUnknownOptions } from "./registry.ts";
import type { TriggerFunction } from "./routine.ts";

export type TriggerEvent = "insert" | "update" | "delete" | "truncate";

/** A column of the row as it was or will be, by property. */
export type RecordColumns<T> = { readonly [K in ColumnKeys<T>]: SQL };

type ColumnKeys<T> = T extends AnyEntity ? keyof T["_"]["columns"] & string : string;

export interface TriggerOptions<T extends AnyEntity | PgView> {
  /** The entity or view it watches. */
  readonly on: T;
  /** `instead of` is for views. */
  readonly timing: "before" | "after" | "instead of";
  readonly events: readonly [TriggerEvent, ...TriggerEvent[]];
  /** Properties: fires for updates that name one of these columns. @default every update */
  readonly columns?: readonly ColumnKeys<T>[];
  /** @default "row" (PostgreSQL's own default is the statement) */
  readonly forEach?: "row" | "statement";
  /**
   * Fires where this holds: `` (row) => sql`${row.old.title} is distinct from ${row.new.title}` ``.
   * An insert has no `old`, a delete no `new`.
   */
  readonly condition?: (row: { readonly old: RecordColumns<T>; readonly new: RecordColumns<T> }) => SQL;
  /** A function that returns `"trigger"`. */
  readonly execute: TriggerFunction;
  /** Texts for the function's `tg_argv`. */
  readonly arguments?: readonly string[];
  /** Names under which an `after` trigger sees all rows of the statement. */
  readonly referencing?: { readonly old?: string; readonly new?: string };
  /** Makes it a constraint trigger, checked at the statement's end or at commit. */
  readonly deferrable?: "immediate" | "deferred";
  readonly comment?: string;
  readonly dependsOn?: readonly object[];
}

declare const TRIGGER: unique symbol;

/** A declared trigger. */
export interface Trigger {
  readonly [TRIGGER]: true;
}

const OPTIONS = [
  "on",
  "timing",
  "events",
  "columns",
  "forEach",
  "condition",
  "execute",
  "arguments",
  "referencing",
  "deferrable",
  "comment",
  "dependsOn",
];
const EVENTS: readonly string[] = ["insert", "update", "delete", "truncate"];

export function declareTrigger<T extends AnyEntity | PgView>(
  app: { readonly schemaName: string },
  name: string,
  options: TriggerOptions<T>,
): Trigger {
  const what = `trigger "${name}"`;
  refuseUnknownOptions(what, options, OPTIONS);
  refuseTarget(what, options);
  refuseEvents(what, options);
  refuseLevel(what, options);
  return declare(app, {}, { kind: "trigger", name, options }) as Trigger;
}

function refuseTarget(what: string, options: TriggerOptions<AnyEntity | PgView>): void {
  const { on, timing, execute, forEach = "row" } = options;
  const isView = declaredAs(on)?.kind === "view";
  if (!isEntity(on) && !isView) {
    throw new SchemaError(`${what} is on something that is neither an entity nor a view of appSchema`, {
      hint: "on: takes what entity(app, …) or app.view(…) gave.",
    });
  }
  if ((timing === "instead of") !== (isView && forEach === "row")) {
    throw new SchemaError(
      isView
        ? `${what} is on a view, where a trigger for each row is "instead of", and no other is`
        : `${what} is on a table, where a trigger is "before" or "after"`,
    );
  }
  refuseFunction(what, execute);
}

function refuseFunction(what: string, execute: TriggerFunction): void {
  const { kind, options } = declaredAs(execute) ?? {};
  const returns = kind === "function" ? (options as { readonly returns?: unknown }).returns : undefined;
  if (returns !== "trigger") {
    throw new SchemaError(`${what} executes something that is no trigger function`, {
      hint: 'Declare it with app.function("…", { returns: "trigger", body: … }).',
    });
  }
}

function refuseEvents(what: string, { events, columns, on }: TriggerOptions<AnyEntity | PgView>): void {
  for (const event of events) {
    if (!EVENTS.includes(event)) throw new SchemaError(`${what}: ${unknownName("event", event, EVENTS)}`);
  }
  if (events.length === 0 || new Set(events).size < events.length) {
    throw new SchemaError(`${what} names no event, or one twice`, { hint: `events: ["insert", "update"].` });
  }
  if (columns === undefined) return;
  if (!events.includes("update")) {
    throw new SchemaError(`${what} names columns but not the event "update", the only one that has them`);
  }
  const known = is(on, Table) ? Object.keys(getTableColumns(on)) : [];
  for (const column of columns) {
    if (!known.includes(column)) throw new SchemaError(`${what}: ${unknownName("column", column, known)}`);
  }
}

function refuseLevel(what: string, options: TriggerOptions<AnyEntity | PgView>): void {
  const { timing, events, forEach = "row", referencing, deferrable } = options;
  if (forEach === "row" && events.includes("truncate")) {
    throw new SchemaError(`${what} fires on truncate, which has no rows`, {
      hint: 'Say forEach: "statement".',
    });
  }
  if (deferrable !== undefined && (forEach !== "row" || timing !== "after")) {
    throw new SchemaError(`${what} is deferrable, which only an "after" trigger for each row can be`);
  }
  if (referencing !== undefined && timing !== "after") {
    throw new SchemaError(`${what} has transition tables, which only an "after" trigger sees`);
  }
}

/** The columns of `old` and `new` by property, for a condition. */
export function recordColumns(
  record: "old" | "new",
  names: ReadonlyMap<string, string>,
  what: string,
): Readonly<Record<string, SQL>> {
  const keys = [...names.keys()];
  return new Proxy(
    {},
    {
      get(_target, key) {
        const name = typeof key === "string" ? names.get(key) : undefined;
        if (name === undefined) throw new SchemaError(`${what}: ${unknownName("column", String(key), keys)}`);
        return sql`${sql.raw(record)}.${sql.identifier(name)}`;
      },
    },
  );
}
