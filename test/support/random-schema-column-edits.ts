import { type ColumnPlan, type ColumnTypePlan, columnOf } from "./random-schema.ts";
import {
  type Draw,
  draw,
  edited,
  isPartitionedBy,
  isPlain,
  isUsed,
  pick,
  withColumn,
  withTable,
} from "./random-schema-draw.ts";

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

/** Those that only some rows survive. */
const NARROWER: readonly (readonly [ColumnTypePlan, ColumnTypePlan])[] = [
  ["varchar(40)", "varchar(20)"],
  ["text", "integer"],
  ["bigint", "integer"],
  ["timestamptz", "date"],
  ["double precision", "numeric(10,2)"],
];

/** Edits of columns, indexes and constraints. */
export const COLUMN_EDITS: readonly Draw[] = [
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
    const found = draw(plan, random, (column) => isPlain(column) && !column.notNull);
    if (found === undefined) return undefined;
    const { table, column } = found;
    if (table.foreignKeys.some((key) => key.column === column.name && key.onDelete === "set null"))
      return undefined;
    return edited(
      `set not null of ${table.name}.${column.name}`,
      withColumn(plan, table, column, { ...column, notNull: true }),
    );
  },
  (plan, random, serial) => {
    const table = pick(random, plan.tables);
    if (table === undefined) return undefined;
    const column: ColumnPlan = {
      ...columnOf(random, `needed_${serial}`),
      notNull: true,
      default: "none",
    };
    return edited(
      `add required column ${table.name}.${column.name}`,
      withTable(plan, table, { ...table, columns: [...table.columns, column] }),
    );
  },
  (plan, random, serial) => {
    const table = pick(random, plan.tables);
    const type = pick(random, [
      ...plan.domains.map(({ name }) => ({ domain: name })),
      ...plan.composites.map(({ name }) => ({ composite: name })),
    ]);
    if (table === undefined || type === undefined) return undefined;
    const column: ColumnPlan = { name: `typed_${serial}`, type, notNull: false, default: "none" };
    return edited(
      `add column ${table.name}.${column.name} of ${Object.values(type).join()}`,
      withTable(plan, table, { ...table, columns: [...table.columns, column] }),
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
  (plan, random) => {
    const found = draw(
      plan,
      random,
      (column, table) =>
        NARROWER.some(([from]) => from === column.type) &&
        column.default === "none" &&
        isPlain(column) &&
        !isUsed(plan, table, column.name),
    );
    if (found === undefined) return undefined;
    const { table, column } = found;
    const type = NARROWER.find(([from]) => from === column.type)?.[1] ?? "text";
    return edited(
      `narrow ${table.name}.${column.name} to ${String(type)}`,
      withColumn(plan, table, column, { ...column, type }),
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
    // Of two keys on the same column in one `create table` PostgreSQL makes one.
    if (table.uniques.some((unique) => unique.column === column.name)) return undefined;
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
];
