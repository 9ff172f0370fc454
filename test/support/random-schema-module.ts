/** A planned schema as the module an application would have written: entities and everything else, really declared. */
import { type SQL, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  date,
  doublePrecision,
  type ExtraConfigColumn,
  foreignKey,
  index,
  integer,
  jsonb,
  numeric,
  type PgColumnBuilderBase,
  pgPolicy,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import {
  type AnyEntity,
  type AppSchema,
  appSchema,
  comment,
  entity,
  timestamps,
} from "../../src/schema/index.ts";
import type { ColumnPlan, IndexPlan, RoutinePlan, SchemaPlan, TablePlan, ViewPlan } from "./random-schema.ts";

type Columns = Record<string, AnyPgColumn>;
/** Declared types by name: each call begins a column of it. */
type Types = ReadonlyMap<string, () => Chain>;

/** What every column builder of Drizzle can do; their own types differ in what they hold. */
type Chain = PgColumnBuilderBase & {
  notNull(): Chain;
  default(value: unknown): Chain;
  generatedAlwaysAs(expression: SQL): Chain;
};

export function moduleOf(plan: SchemaPlan): Readonly<Record<string, unknown>> {
  const app = appSchema("garden");
  const module: Record<string, unknown> = { app };
  const types = typesOf(app, plan, module);
  for (const { name, increment } of plan.sequences) module[name] = app.sequence(name, { increment });
  const tables = new Map<string, AnyEntity & Columns>();
  for (const table of plan.tables) {
    const made = tableOf(app, plan, table, types, tables);
    tables.set(table.name, made);
    module[table.name] = made;
  }
  for (const view of plan.views) module[view.name] = viewOf(app, view, tables);
  for (const routine of plan.routines) module[routine.name] = routineOf(app, routine);
  const watch = app.function("watch_rows", { returns: "trigger", body: sql`begin return null; end` });
  for (const { name, table, event } of plan.triggers) {
    const on = tables.get(table);
    if (on !== undefined)
      module[name] = app.trigger(name, { on, timing: "after", events: [event], execute: watch });
  }
  for (const [i, { table, to, privilege }] of plan.grants.entries()) {
    module[`grant_${i}`] = app.grant({ on: tables.get(table) ?? {}, to, privileges: [privilege] });
  }
  for (const name of plan.extensions) module[name] = app.extension(name);
  return module;
}

function typesOf(app: AppSchema, plan: SchemaPlan, module: Record<string, unknown>): Types {
  const types = new Map<string, () => Chain>();
  const declare = (name: string, type: () => unknown): void => {
    module[name] = type;
    types.set(name, () => type() as Chain);
  };
  for (const { name, values } of plan.enums) {
    const [first = "", ...others] = values;
    declare(name, app.enum(name, [first, ...others]));
  }
  for (const { name, minimum } of plan.domains) {
    const long = check(`${name}_long`, sql`length(value) >= ${sql.raw(String(minimum))}`);
    declare(name, app.domain(name, text(), { checks: [long] }));
  }
  for (const { name, fields } of plan.composites) {
    declare(name, app.compositeType(name, Object.fromEntries(fields.map((field) => [field, text()]))));
  }
  return types;
}

function tableOf(
  app: AppSchema,
  plan: SchemaPlan,
  table: TablePlan,
  types: Types,
  tables: ReadonlyMap<string, AnyEntity & Columns>,
): AnyEntity & Columns {
  const isPartitioned = table.partitions !== undefined;
  const id = bigint({ mode: "bigint" });
  const columns: Record<string, PgColumnBuilderBase> = {
    id: isPartitioned ? id.notNull() : id.primaryKey().generatedAlwaysAsIdentity(),
    ...(isPartitioned ? { happened_at: date().notNull() } : {}),
    ...Object.fromEntries(table.columns.map((column) => [column.name, columnOf(column, types)])),
    ...(table.timestamps ? timestamps() : {}),
  };
  const made = entity(app, table.name, columns, {
    softDelete: table.softDelete,
    ...(table.comment === undefined ? {} : { comment: table.comment }),
    ...(isPartitioned ? { partitionBy: partitionsOf(table.name, table.partitions) } : {}),
    constraints: (t: unknown) => {
      const column = (name: string): AnyPgColumn => (t as Columns)[name] as AnyPgColumn;
      return [
        ...(isPartitioned ? [primaryKey({ columns: [column("id"), column("happened_at")] as never })] : []),
        ...table.indexes.map((one) => indexOf(one, column)),
        ...table.checks.map(({ name, column: of, minimum }) =>
          check(name, sql`length(${column(of)}) >= ${sql.raw(String(minimum))}`),
        ),
        ...table.uniques.map(({ name, column: of }) => unique(name).on(column(of) as never)),
        ...table.policies.map(({ name, command, minimum }) =>
          pgPolicy(name, { for: command, using: sql`${column("id")} > ${sql.raw(String(minimum))}` }),
        ),
        ...table.foreignKeys.map(({ column: of, target, onDelete }) => {
          const own = target === table.name ? (t as Columns) : tables.get(target);
          const foreign = own?.id ?? laterTable(plan, target, tables);
          const isMixed = plan.tables.find(({ name }) => name === target)?.softDelete !== table.softDelete;
          // A cascade between a soft-deleted table and another is refused.
          return foreignKey({ columns: [column(of)] as never, foreignColumns: [foreign] as never }).onDelete(
            isMixed && onDelete === "cascade" ? "restrict" : onDelete,
          );
        }),
      ];
    },
  } as never);
  return made as unknown as AnyEntity & Columns;
}

/** Constraints are built when they are first read, after every table has been declared. */
function laterTable(
  plan: SchemaPlan,
  name: string,
  tables: ReadonlyMap<string, AnyEntity & Columns>,
): AnyPgColumn {
  const found = tables.get(name)?.id;
  if (found === undefined) throw new Error(`${name} is not among ${plan.tables.length} tables`);
  return found;
}

function partitionsOf(table: string, count = 0) {
  const year = (i: number): string => `${2020 + i}-01-01`;
  const partitions = Array.from({ length: count }, (_, i) => ({
    name: `${table}_${2020 + i}`,
    from: [year(i)],
    to: [year(i + 1)],
  }));
  return { range: ["happened_at"], partitions: [...partitions, { name: `${table}_rest`, default: true }] };
}

function columnOf(
  { type, notNull, default: preset, generatedFrom, comment: words }: ColumnPlan,
  types: Types,
): PgColumnBuilderBase {
  const base = typeof type === "string" ? builderOf(type) : types.get(Object.values(type)[0] ?? "")?.();
  if (base === undefined) throw new Error("the type of a column is not declared");
  let column: Chain = base;
  if (notNull) column = column.notNull();
  if (generatedFrom !== undefined)
    column = column.generatedAlwaysAs(sql`length(${sql.identifier(generatedFrom)})`);
  else if (preset !== "none") column = column.default(defaultOf(type, preset));
  return words === undefined ? column : comment(column, words);
}

function builderOf(type: string): Chain {
  const builders: Readonly<Record<string, () => PgColumnBuilderBase>> = {
    text: () => text(),
    "varchar(20)": () => varchar({ length: 20 }),
    "varchar(40)": () => varchar({ length: 40 }),
    integer: () => integer(),
    bigint: () => bigint({ mode: "bigint" }),
    "numeric(10,2)": () => numeric({ precision: 10, scale: 2 }),
    "numeric(12,2)": () => numeric({ precision: 12, scale: 2 }),
    boolean: () => boolean(),
    date: () => date(),
    timestamptz: () => timestamp({ withTimezone: true }),
    uuid: () => uuid(),
    jsonb: () => jsonb(),
    "text[]": () => text().array(),
    "double precision": () => doublePrecision(),
  };
  return builders[type]?.() as Chain;
}

function defaultOf(type: ColumnPlan["type"], preset: "constant" | "volatile"): unknown {
  if (typeof type !== "string") return "open";
  if (preset === "volatile") return type === "uuid" ? sql`gen_random_uuid()` : sql`clock_timestamp()`;
  const constants: Readonly<Record<string, unknown>> = {
    integer: 7,
    bigint: 7n,
    boolean: true,
    date: "2026-01-01",
    timestamptz: sql`now()`,
    uuid: "00000000-0000-4000-8000-000000000000",
    jsonb: { a: "it's" },
    "text[]": ["x", "y z"],
    "double precision": 1.5,
    "numeric(10,2)": "1.50",
    "numeric(12,2)": "1.50",
  };
  return constants[type] ?? "it's";
}

function indexOf({ name, columns, isUnique, form }: IndexPlan, column: (name: string) => AnyPgColumn) {
  const [first = ""] = columns;
  const begun = isUnique ? uniqueIndex(name) : index(name);
  switch (form) {
    case "plain":
      return begun.on(column(first));
    case "partial":
      return begun.on(column(first)).where(sql`${column(first)} <> ''`);
    case "expression":
      return begun.on(sql`lower(${column(first)})`);
    case "desc":
      return begun.on((column(first) as ExtraConfigColumn).desc().nullsLast());
    case "gin":
      return begun.using("gin", column(first));
  }
}

function viewOf(
  app: AppSchema,
  { name, kind, table, columns, indexed }: ViewPlan,
  tables: ReadonlyMap<string, AnyEntity & Columns>,
) {
  const source = tables.get(table);
  const fields = Object.fromEntries(columns.map((column) => [column, source?.[column] as AnyPgColumn]));
  const query = (qb: { select(fields: never): { from(table: never): unknown } }) =>
    qb.select(fields as never).from(source as never);
  if (kind === "view") return app.view(name).as(query as never);
  const indexes = (t: Columns) => [uniqueIndex(`${name}_key`).on(t.id as AnyPgColumn)];
  return app.materializedView(name).as(query as never, (indexed ? { indexes } : {}) as never);
}

function routineOf(app: AppSchema, { name, kind, body, arguments: types, returns }: RoutinePlan) {
  const args = Object.fromEntries(
    types.map((type, i) => [`p${i + 1}`, type === "integer" ? integer() : text()]),
  );
  if (kind === "procedure")
    return app.procedure(name, { arguments: args, body: sql.raw(`begin perform ${body}; end`) });
  const result = returns === "integer" ? String(body) : `'number ${body}'`;
  return app.function(name, {
    arguments: args,
    returns: returns === "integer" ? integer() : text(),
    body: sql.raw(`begin return ${result}; end`),
  });
}
