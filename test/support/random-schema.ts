/**
 * A schema as plain data, so that random edits of it can be drawn, and the module an application would have written
 * for it. Everything is derived from a seed: a failure can be drawn again.
 */

export interface ColumnPlan {
  readonly name: string;
  readonly type: ColumnTypePlan;
  readonly notNull: boolean;
  readonly default: "none" | "constant" | "volatile";
  readonly comment?: string | undefined;
  /** Computed from another column of the table, stored. */
  readonly generatedFrom?: string | undefined;
}

export type ColumnTypePlan =
  | "text"
  | "varchar(20)"
  | "varchar(40)"
  | "integer"
  | "bigint"
  | "numeric(10,2)"
  | "numeric(12,2)"
  | "boolean"
  | "date"
  | "timestamptz"
  | "uuid"
  | "jsonb"
  | "text[]"
  | "double precision"
  | { readonly enum: string };

export interface IndexPlan {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isUnique: boolean;
  readonly form: "plain" | "partial" | "expression" | "desc" | "gin";
}

export interface ForeignKeyPlan {
  readonly column: string;
  readonly target: string;
  readonly onDelete: "cascade" | "restrict" | "set null" | "no action";
}

export interface TablePlan {
  readonly name: string;
  readonly columns: readonly ColumnPlan[];
  readonly indexes: readonly IndexPlan[];
  readonly checks: readonly { readonly name: string; readonly column: string; readonly minimum: number }[];
  readonly uniques: readonly { readonly name: string; readonly column: string }[];
  readonly foreignKeys: readonly ForeignKeyPlan[];
  readonly softDelete: boolean;
  readonly timestamps: boolean;
  readonly comment?: string | undefined;
  /** By range of `happened_at`, which is part of the key; how many partitions there are, besides the default one. */
  readonly partitions?: number | undefined;
}

export interface ViewPlan {
  readonly name: string;
  readonly kind: "view" | "materialized view";
  readonly table: string;
  readonly columns: readonly string[];
  readonly indexed: boolean;
}

export interface RoutinePlan {
  readonly name: string;
  readonly kind: "function" | "procedure";
  /** A different number is a different body. */
  readonly body: number;
  readonly arguments: readonly ("integer" | "text")[];
  readonly returns: "integer" | "text";
}

export interface TriggerPlan {
  readonly name: string;
  readonly table: string;
  readonly event: "insert" | "update" | "delete";
}

export interface GrantPlan {
  readonly table: string;
  readonly to: string;
  readonly privilege: "select" | "insert" | "update" | "delete";
}

export interface SchemaPlan {
  readonly enums: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly sequences: readonly { readonly name: string; readonly increment: number }[];
  readonly tables: readonly TablePlan[];
  readonly views: readonly ViewPlan[];
  readonly routines: readonly RoutinePlan[];
  readonly triggers: readonly TriggerPlan[];
  readonly grants: readonly GrantPlan[];
  readonly extensions: readonly string[];
}

/** A rename that an edit made, as a flag of `generate` says it. */
export interface PlannedRename {
  readonly kind: "table" | "column" | "enum value";
  readonly of?: string;
  readonly from: string;
  readonly to: string;
}

export interface Edit {
  readonly what: string;
  readonly plan: SchemaPlan;
  readonly renames: readonly PlannedRename[];
}

/** Numbers from a seed, the same in every run: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const TYPES: readonly ColumnTypePlan[] = [
  "text",
  "varchar(20)",
  "varchar(40)",
  "integer",
  "bigint",
  "numeric(10,2)",
  "boolean",
  "date",
  "timestamptz",
  "uuid",
  "jsonb",
  "text[]",
  "double precision",
];

/** Changes of type that PostgreSQL can carry out on rows of any value the first type holds. */
const TYPE_CHANGES: readonly (readonly [ColumnTypePlan, ColumnTypePlan])[] = [
  ["varchar(20)", "varchar(40)"],
  ["varchar(20)", "text"],
  ["varchar(40)", "text"],
  ["integer", "bigint"],
  ["integer", "text"],
  ["bigint", "text"],
  ["numeric(10,2)", "numeric(12,2)"],
  ["uuid", "text"],
  ["date", "timestamptz"],
  ["integer", "double precision"],
];

const STEMS = [
  "account",
  "order",
  "invoice",
  "ticket",
  "article",
  "device",
  "route",
  "lesson",
  "recipe",
  "ledger",
];
const KINDS = ["header", "line", "event", "note", "tag", "log"];

/** At least 60 tables which together use every kind of object that can be declared. */
export function largeSchema(): SchemaPlan {
  const random = randomFrom(7);
  const enums = STEMS.slice(0, 4).map((stem) => ({
    name: `${stem}_state`,
    values: ["open", "held", "closed"],
  }));
  const tables = STEMS.flatMap((stem, s) =>
    KINDS.map((kind, k) => tableOf(random, `${stem}_${kind}s`, s, k)),
  );
  const grants: readonly GrantPlan[] = STEMS.map((stem) => ({
    table: `${stem}_headers`,
    to: "plinth_reporter",
    privilege: "select",
  }));
  return {
    enums,
    sequences: [{ name: "document_number", increment: 10 }],
    tables,
    views: STEMS.slice(0, 5).map((stem, s) => ({
      name: `${stem}_overview`,
      kind: s % 2 === 0 ? "view" : "materialized view",
      table: `${stem}_headers`,
      columns: ["id", "title"],
      indexed: s % 2 === 1,
    })),
    routines: [
      { name: "add_one", kind: "function", body: 1, arguments: ["integer"], returns: "integer" },
      { name: "describe_it", kind: "function", body: 2, arguments: ["text", "integer"], returns: "text" },
      { name: "tidy_up", kind: "procedure", body: 3, arguments: ["integer"], returns: "integer" },
    ],
    triggers: STEMS.slice(0, 3).map((stem) => ({
      name: `${stem}_watch`,
      table: `${stem}_notes`,
      event: "update",
    })),
    grants,
    extensions: ["pg_trgm"],
  };
}

function tableOf(random: () => number, name: string, stem: number, kind: number): TablePlan {
  const count = 2 + Math.floor(random() * 5);
  const columns: ColumnPlan[] = [{ name: "title", type: "text", notNull: true, default: "none" }];
  for (let i = 0; i < count; i++) columns.push(columnOf(random, `field_${i + 1}`));
  if (stem < 4 && kind === 0) {
    columns.push({
      name: "state",
      type: { enum: `${STEMS[stem]}_state` },
      notNull: true,
      default: "constant",
    });
  }
  if (kind === 1)
    columns.push({
      name: "title_length",
      type: "integer",
      notNull: false,
      default: "none",
      generatedFrom: "title",
    });
  const isPartitioned = kind === 5 && stem < 3;
  const parent = kind === 0 || isPartitioned ? undefined : `${STEMS[stem]}_headers`;
  if (parent !== undefined)
    columns.push({ name: "header_id", type: "bigint", notNull: kind % 2 === 1, default: "none" });
  const onDelete = kind % 2 === 1 ? "cascade" : "set null";
  return {
    name,
    columns,
    indexes: [
      ...(parent === undefined
        ? []
        : [{ name: `${name}_header_idx`, columns: ["header_id"], isUnique: false, form: "plain" } as const]),
      ...(kind === 3
        ? [{ name: `${name}_title_idx`, columns: ["title"], isUnique: false, form: "partial" } as const]
        : []),
      ...(kind === 4
        ? [{ name: `${name}_lower_idx`, columns: ["title"], isUnique: false, form: "expression" } as const]
        : []),
    ],
    checks: kind === 2 ? [{ name: `${name}_title_long`, column: "title", minimum: 1 }] : [],
    uniques: [],
    foreignKeys: parent === undefined ? [] : [{ column: "header_id", target: parent, onDelete }],
    softDelete: kind === 0 && stem % 3 === 0,
    timestamps: stem % 2 === 0,
    ...(stem === 0 ? { comment: `All the ${name.replaceAll("_", " ")}` } : {}),
    ...(isPartitioned ? { partitions: 2 } : {}),
  };
}

function columnOf(random: () => number, name: string): ColumnPlan {
  const type = TYPES[Math.floor(random() * TYPES.length)] ?? "text";
  const hasDefault = random() < 0.5;
  const isVolatile = type === "uuid" || (type === "timestamptz" && random() < 0.5);
  return {
    name,
    type,
    notNull: hasDefault && random() < 0.7,
    default: hasDefault ? (isVolatile ? "volatile" : "constant") : "none",
    ...(random() < 0.1 ? { comment: `The ${name.replaceAll("_", " ")}` } : {}),
  };
}

type Draw = (plan: SchemaPlan, random: () => number, serial: number) => Edit | undefined;

/** One random edit, of a kind that fits the schema. The serial keeps new names new. */
export function randomEdit(plan: SchemaPlan, random: () => number, serial: number): Edit {
  for (;;) {
    const draw = EDITS[Math.floor(random() * EDITS.length)];
    const edit = draw?.(plan, random, serial);
    if (edit !== undefined) return edit;
  }
}

function pick<T>(random: () => number, items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)];
}

function edited(what: string, plan: SchemaPlan, renames: readonly PlannedRename[] = []): Edit {
  return { what, plan, renames };
}

function withTable(plan: SchemaPlan, old: TablePlan, table: TablePlan): SchemaPlan {
  return { ...plan, tables: plan.tables.map((one) => (one === old ? table : one)) };
}

/** What speaks of a column, so that dropping it must take along, or leave the column alone. */
function isUsed(plan: SchemaPlan, table: TablePlan, column: string): boolean {
  return (
    table.columns.some((one) => one.generatedFrom === column) ||
    table.indexes.some((index) => index.columns.includes(column)) ||
    table.checks.some((check) => check.column === column) ||
    table.uniques.some((unique) => unique.column === column) ||
    table.foreignKeys.some((key) => key.column === column) ||
    plan.views.some((view) => view.table === table.name && view.columns.includes(column))
  );
}

/** A column of a random table that an edit may change. */
function draw(
  plan: SchemaPlan,
  random: () => number,
  fits: (column: ColumnPlan, table: TablePlan) => boolean,
) {
  const all = plan.tables.flatMap((table) =>
    table.columns.filter((column) => fits(column, table)).map((column) => ({ table, column })),
  );
  return pick(random, all);
}

function withColumn(plan: SchemaPlan, table: TablePlan, old: ColumnPlan, column: ColumnPlan): SchemaPlan {
  return withTable(plan, table, {
    ...table,
    columns: table.columns.map((one) => (one === old ? column : one)),
  });
}

const isPlain = (column: ColumnPlan): boolean =>
  column.generatedFrom === undefined && typeof column.type === "string";

const EDITS: readonly Draw[] = [
  (plan, random, serial) => {
    const table = pick(random, plan.tables);
    if (table === undefined) return undefined;
    const column = columnOf(random, `extra_${serial}`);
    return edited(
      `add column ${table.name}.${column.name}`,
      withTable(plan, table, { ...table, columns: [...table.columns, column] }),
    );
  },
  (plan, random) => {
    const found = draw(
      plan,
      random,
      (column, table) => !isUsed(plan, table, column.name) && table.columns.length > 2,
    );
    if (found === undefined) return undefined;
    const { table, column } = found;
    const columns = table.columns.filter((one) => one !== column);
    return edited(`drop column ${table.name}.${column.name}`, withTable(plan, table, { ...table, columns }));
  },
  (plan, random, serial) => {
    const found = draw(plan, random, (column, table) => isPlain(column) && !isUsed(plan, table, column.name));
    if (found === undefined) return undefined;
    const { table, column } = found;
    const name = `renamed_${serial}`;
    const rename = { kind: "column", of: table.name, from: column.name, to: name } as const;
    return edited(
      `rename column ${table.name}.${column.name}`,
      withColumn(plan, table, column, { ...column, name }),
      [rename],
    );
  },
  (plan, random) => {
    const found = draw(
      plan,
      random,
      (column) =>
        TYPE_CHANGES.some(([from]) => from === column.type) &&
        column.default !== "constant" &&
        isPlain(column),
    );
    if (found === undefined) return undefined;
    const { table, column } = found;
    if (table.foreignKeys.some((key) => key.column === column.name)) return undefined;
    const change = pick(
      random,
      TYPE_CHANGES.filter(([from]) => from === column.type),
    );
    if (change === undefined) return undefined;
    const type = change[1];
    return edited(
      `change type of ${table.name}.${column.name} to ${String(type)}`,
      withColumn(plan, table, column, { ...column, type, default: "none" }),
    );
  },
  (plan, random) => {
    const found = draw(
      plan,
      random,
      (column, table) => isPlain(column) && column.notNull && !isPartitionedBy(table, column),
    );
    if (found === undefined) return undefined;
    const { table, column } = found;
    return edited(
      `drop not null of ${table.name}.${column.name}`,
      withColumn(plan, table, column, { ...column, notNull: false }),
    );
  },
  (plan, random) => {
    const found = draw(
      plan,
      random,
      (column, table) =>
        isPlain(column) &&
        column.default === "constant" &&
        !column.notNull &&
        !isPartitionedBy(table, column),
    );
    if (found === undefined) return undefined;
    const { table, column } = found;
    return edited(
      `drop default of ${table.name}.${column.name}`,
      withColumn(plan, table, column, { ...column, default: "none" }),
    );
  },
  (plan, random) => {
    const found = draw(plan, random, (column) => isPlain(column) && column.default === "none");
    if (found === undefined) return undefined;
    const { table, column } = found;
    if (table.foreignKeys.some((key) => key.column === column.name)) return undefined;
    return edited(
      `set default of ${table.name}.${column.name}`,
      withColumn(plan, table, column, { ...column, default: "constant" }),
    );
  },
  (plan, random, serial) => {
    const found = draw(plan, random, (column) => isPlain(column));
    if (found === undefined) return undefined;
    const { table, column } = found;
    const comment = random() < 0.3 ? undefined : `Comment ${serial}, with 'quotes'`;
    return edited(
      `comment on ${table.name}.${column.name}`,
      withColumn(plan, table, column, { ...column, comment }),
    );
  },
  (plan, random, serial) => {
    const found = draw(plan, random, (column) => column.type === "text");
    if (found === undefined) return undefined;
    const { table, column } = found;
    const forms = ["plain", "partial", "expression", "desc"] as const;
    const form = pick(random, forms) ?? "plain";
    const index = { name: `idx_${serial}`, columns: [column.name], isUnique: false, form };
    return edited(
      `add ${form} index on ${table.name}.${column.name}`,
      withTable(plan, table, { ...table, indexes: [...table.indexes, index] }),
    );
  },
  (plan, random, serial) => {
    const found = draw(plan, random, (column) => column.type === "jsonb" || column.type === "text[]");
    if (found === undefined) return undefined;
    const { table, column } = found;
    const index = { name: `gin_${serial}`, columns: [column.name], isUnique: false, form: "gin" } as const;
    return edited(
      `add gin index on ${table.name}.${column.name}`,
      withTable(plan, table, { ...table, indexes: [...table.indexes, index] }),
    );
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.indexes.length > 0),
    );
    const index = table === undefined ? undefined : pick(random, table.indexes);
    if (table === undefined || index === undefined) return undefined;
    return edited(
      `drop index ${index.name}`,
      withTable(plan, table, { ...table, indexes: table.indexes.filter((one) => one !== index) }),
    );
  },
  (plan, random, serial) => {
    const found = draw(plan, random, (column) => column.type === "text" && column.default !== "constant");
    if (found === undefined) return undefined;
    const { table, column } = found;
    const check = { name: `check_${serial}`, column: column.name, minimum: 1 };
    return edited(
      `add check on ${table.name}.${column.name}`,
      withTable(plan, table, { ...table, checks: [...table.checks, check] }),
    );
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.checks.length > 0),
    );
    if (table === undefined) return undefined;
    return edited(
      `drop checks of ${table.name}`,
      withTable(plan, table, { ...table, checks: table.checks.slice(1) }),
    );
  },
  (plan, random, serial) => {
    const found = draw(
      plan,
      random,
      (column, table) =>
        column.type === "uuid" && column.default !== "constant" && table.partitions === undefined,
    );
    if (found === undefined) return undefined;
    const { table, column } = found;
    const unique = { name: `unique_${serial}`, column: column.name };
    return edited(
      `add unique on ${table.name}.${column.name}`,
      withTable(plan, table, { ...table, uniques: [...table.uniques, unique] }),
    );
  },
  (plan, random, serial) => {
    const table = pick(random, plan.tables);
    const target = pick(
      random,
      plan.tables.filter((one) => one.partitions === undefined && !one.softDelete),
    );
    if (table === undefined || target === undefined || table.partitions !== undefined) return undefined;
    const column: ColumnPlan = { name: `link_${serial}_id`, type: "bigint", notNull: false, default: "none" };
    const key = {
      column: column.name,
      target: target.name,
      onDelete: pick(random, ["cascade", "restrict", "set null", "no action"] as const) ?? "cascade",
    };
    const next = { ...table, columns: [...table.columns, column], foreignKeys: [...table.foreignKeys, key] };
    return edited(`add foreign key from ${table.name} to ${target.name}`, withTable(plan, table, next));
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.foreignKeys.length > 0),
    );
    if (table === undefined) return undefined;
    const [key, ...foreignKeys] = table.foreignKeys;
    return edited(
      `drop foreign key of ${table.name}.${key?.column}`,
      withTable(plan, table, { ...table, foreignKeys }),
    );
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.foreignKeys.length > 0),
    );
    const key = table?.foreignKeys[0];
    if (table === undefined || key === undefined) return undefined;
    const onDelete = key.onDelete === "cascade" ? "no action" : "cascade";
    return edited(
      `change on delete of ${table.name}.${key.column}`,
      withTable(plan, table, {
        ...table,
        foreignKeys: [{ ...key, onDelete }, ...table.foreignKeys.slice(1)],
      }),
    );
  },
  (plan, random, serial) => {
    const table = tableOf(random, `fresh_${serial}`, 9, 0);
    return edited(`add table ${table.name}`, { ...plan, tables: [...plan.tables, table] });
  },
  (plan, random) => {
    const isFree = (table: TablePlan): boolean =>
      !plan.tables.some((one) => one.foreignKeys.some((key) => key.target === table.name)) &&
      !plan.views.some((view) => view.table === table.name) &&
      !plan.triggers.some((trigger) => trigger.table === table.name) &&
      !plan.grants.some((grant) => grant.table === table.name);
    const table = pick(random, plan.tables.filter(isFree));
    if (table === undefined) return undefined;
    return edited(`drop table ${table.name}`, {
      ...plan,
      tables: plan.tables.filter((one) => one !== table),
    });
  },
  (plan, random, serial) => {
    const isFree = (table: TablePlan): boolean =>
      table.partitions === undefined &&
      !table.softDelete &&
      !table.timestamps &&
      !plan.tables.some((one) => one.foreignKeys.some((key) => key.target === table.name)) &&
      !plan.views.some((view) => view.table === table.name) &&
      !plan.triggers.some((trigger) => trigger.table === table.name) &&
      !plan.grants.some((grant) => grant.table === table.name);
    const table = pick(random, plan.tables.filter(isFree));
    if (table === undefined) return undefined;
    const name = `moved_${serial}`;
    return edited(`rename table ${table.name}`, withTable(plan, table, { ...table, name }), [
      { kind: "table", from: table.name, to: name },
    ]);
  },
  (plan, random, serial) => {
    const type = pick(random, plan.enums);
    if (type === undefined) return undefined;
    const at = Math.floor(random() * (type.values.length + 1));
    const values = [...type.values.slice(0, at), `value_${serial}`, ...type.values.slice(at)];
    return edited(`add value to ${type.name}`, {
      ...plan,
      enums: plan.enums.map((one) => (one === type ? { ...type, values } : one)),
    });
  },
  (plan, random, serial) => {
    const type = pick(random, plan.enums);
    const last = type?.values.at(-1);
    if (type === undefined || last === undefined || type.values.length < 2) return undefined;
    const values = [...type.values.slice(0, -1), `named_${serial}`];
    const rename = { kind: "enum value", of: type.name, from: last, to: `named_${serial}` } as const;
    return edited(
      `rename value of ${type.name}`,
      { ...plan, enums: plan.enums.map((one) => (one === type ? { ...type, values } : one)) },
      [rename],
    );
  },
  (plan, random, serial) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.partitions === undefined),
    );
    if (table === undefined) return undefined;
    const kind = random() < 0.5 ? "view" : "materialized view";
    const view = {
      name: `view_${serial}`,
      kind,
      table: table.name,
      columns: ["id", "title"],
      indexed: kind === "materialized view",
    } as const;
    return edited(`add ${kind} on ${table.name}`, { ...plan, views: [...plan.views, view] });
  },
  (plan, random) => {
    const view = pick(random, plan.views);
    if (view === undefined) return undefined;
    return edited(`drop ${view.kind} ${view.name}`, {
      ...plan,
      views: plan.views.filter((one) => one !== view),
    });
  },
  (plan, random) => {
    const view = pick(
      random,
      plan.views.filter((one) => !one.indexed),
    );
    const table = plan.tables.find((one) => one.name === view?.table);
    const column = table?.columns.find((one) => !view?.columns.includes(one.name));
    if (view === undefined || column === undefined) return undefined;
    const columns = random() < 0.5 ? [...view.columns, column.name] : [column.name, ...view.columns];
    return edited(`change columns of ${view.name}`, {
      ...plan,
      views: plan.views.map((one) => (one === view ? { ...view, columns } : one)),
    });
  },
  (plan, random, serial) => {
    const routine = pick(random, plan.routines);
    if (routine === undefined) return undefined;
    return edited(`change body of ${routine.name}`, {
      ...plan,
      routines: plan.routines.map((one) => (one === routine ? { ...routine, body: serial } : one)),
    });
  },
  (plan, random) => {
    const routine = pick(
      random,
      plan.routines.filter((one) => one.kind === "function"),
    );
    if (routine === undefined) return undefined;
    const returns = routine.returns === "integer" ? "text" : "integer";
    return edited(`change result of ${routine.name}`, {
      ...plan,
      routines: plan.routines.map((one) => (one === routine ? { ...routine, returns } : one)),
    });
  },
  (plan, random, serial) => {
    const routine: RoutinePlan = {
      name: `routine_${serial}`,
      kind: random() < 0.5 ? "function" : "procedure",
      body: serial,
      arguments: ["integer"],
      returns: "integer",
    };
    return edited(`add ${routine.kind} ${routine.name}`, { ...plan, routines: [...plan.routines, routine] });
  },
  (plan, random) => {
    const routine = pick(random, plan.routines);
    if (routine === undefined || plan.routines.length < 2) return undefined;
    return edited(`drop ${routine.kind} ${routine.name}`, {
      ...plan,
      routines: plan.routines.filter((one) => one !== routine),
    });
  },
  (plan, random, serial) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.partitions === undefined),
    );
    if (table === undefined) return undefined;
    const trigger: TriggerPlan = {
      name: `watch_${serial}`,
      table: table.name,
      event: pick(random, ["insert", "update", "delete"] as const) ?? "insert",
    };
    return edited(`add trigger on ${table.name}`, { ...plan, triggers: [...plan.triggers, trigger] });
  },
  (plan, random) => {
    const trigger = pick(random, plan.triggers);
    if (trigger === undefined) return undefined;
    return edited(`drop trigger ${trigger.name}`, {
      ...plan,
      triggers: plan.triggers.filter((one) => one !== trigger),
    });
  },
  (plan, random) => {
    const table = pick(random, plan.tables);
    const privilege = pick(random, ["select", "insert", "update", "delete"] as const);
    if (table === undefined || privilege === undefined) return undefined;
    const isThere = plan.grants.some((one) => one.table === table.name && one.privilege === privilege);
    if (isThere) return undefined;
    return edited(`grant ${privilege} on ${table.name}`, {
      ...plan,
      grants: [...plan.grants, { table: table.name, to: "plinth_reporter", privilege }],
    });
  },
  (plan, random) => {
    const grant = pick(random, plan.grants);
    if (grant === undefined) return undefined;
    return edited(`revoke ${grant.privilege} on ${grant.table}`, {
      ...plan,
      grants: plan.grants.filter((one) => one !== grant),
    });
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.partitions !== undefined),
    );
    if (table?.partitions === undefined) return undefined;
    return edited(
      `add partition to ${table.name}`,
      withTable(plan, table, { ...table, partitions: table.partitions + 1 }),
    );
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter(
        (one) => one.partitions === undefined && !plan.views.some((view) => view.table === one.name),
      ),
    );
    if (table === undefined) return undefined;
    return edited(
      `${table.softDelete ? "end" : "begin"} soft delete of ${table.name}`,
      withTable(plan, table, { ...table, softDelete: !table.softDelete }),
    );
  },
  (plan, random) => {
    const sequence = pick(random, plan.sequences);
    if (sequence === undefined) return undefined;
    const next = { ...sequence, increment: sequence.increment + 1 };
    return edited(`change increment of ${sequence.name}`, {
      ...plan,
      sequences: plan.sequences.map((one) => (one === sequence ? next : one)),
    });
  },
  (plan) => {
    const extensions = plan.extensions.includes("citext") ? ["pg_trgm"] : [...plan.extensions, "citext"];
    return edited(extensions.length > plan.extensions.length ? "add extension" : "drop extension", {
      ...plan,
      extensions,
    });
  },
];

function isPartitionedBy(table: TablePlan, column: ColumnPlan): boolean {
  return table.partitions !== undefined && column.name === "happened_at";
}
