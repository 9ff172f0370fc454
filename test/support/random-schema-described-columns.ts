import type { ColumnDescription, ObjectId, SchemaDescription } from "../../src/schema/index.ts";
import {
  isInKey,
  isUsed,
  newColumn,
  newIndex,
  renameColumn,
  renameEntity,
  withColumn,
  withEntity,
} from "./random-schema-described.ts";
import { type DescribedDraw, draw, edited, type Place, pathOf } from "./random-schema-described-draw.ts";
import { pick } from "./random-schema-draw.ts";

/** Types with a default that suits them. */
const TYPES: readonly (readonly [type: string, byDefault: string])[] = [
  ["text", "'it''s'"],
  ["varchar(30)", "'x'"],
  ["integer", "7"],
  ["bigint", "70000000000"],
  ["numeric(10,2)", "1.50"],
  ["boolean", "false"],
  ["date", "'2026-01-01'"],
  ["timestamp with time zone", "now()"],
  ["uuid", "gen_random_uuid()"],
  ["jsonb", "'{}'::jsonb"],
  ["text[]", "'{a,b}'"],
  ["inet", "'10.0.0.1'"],
  ["interval", "'1 day'"],
];

/** Changes of type that keep every value; those of columns in use keep checks and indexes valid, too. */
const WIDER: readonly (readonly [from: string, to: string, suitsUse: boolean])[] = [
  ["integer", "bigint", true],
  ["bigint", "numeric", true],
  ["varchar(30)", "text", true],
  ["numeric(10,2)", "numeric(14,2)", true],
  ["date", "timestamp with time zone", true],
  ["integer", "text", false],
  ["uuid", "text", false],
  ["boolean", "integer", false],
  ["inet", "text", false],
];

/** Those that only some rows survive. */
const NARROWER: readonly (readonly [from: string, to: string])[] = [
  ["text", "varchar(30)"],
  ["text", "integer"],
  ["bigint", "integer"],
  ["timestamp with time zone", "date"],
];

const ADDITIONS: readonly DescribedDraw[] = [
  (schema, random, serial) => {
    const entity = pick(random, schema.entities);
    const [type = "text", byDefault] = pick(random, TYPES) ?? [];
    const form = random();
    const column = newColumn(`extra_${serial}`, type, {
      defaultSql: form < 0.6 ? byDefault : undefined,
      notNull: form < 0.4 || form > 0.9,
    });
    if (entity === undefined) return undefined;
    return edited(
      `add column ${entity.name}.${column.name} ${type}`,
      withEntity(schema, entity, { ...entity, columns: [...entity.columns, column] }),
    );
  },
  (schema, random, serial) => {
    const found = draw(schema, random, ({ column }) => column.sqlType === "text");
    if (found === undefined || found.column.generatedSql !== undefined) return undefined;
    const { entity } = found;
    const column = newColumn(`length_${serial}`, "integer", {
      generatedSql: `length("${found.column.name}")`,
    });
    return edited(
      `add generated column of ${pathOf(found)}`,
      withEntity(schema, entity, { ...entity, columns: [...entity.columns, column] }),
    );
  },
  (schema, random, serial) => {
    const entity = pick(random, schema.entities);
    const target = pick(
      random,
      schema.entities.filter(({ primaryKey }) => primaryKey.columns.length === 1),
    );
    const onDelete = pick(random, ["cascade", "restrict", "set null", "no action"] as const);
    const [key] = target?.primaryKey.columns ?? [];
    if (entity === undefined || target === undefined || key === undefined || onDelete === undefined)
      return undefined;
    const column = newColumn(`link_${serial}`, key.sqlType);
    const foreignKey = {
      name: `${entity.name}_link_${serial}_${target.name}_fk`,
      columns: [column],
      target,
      targetColumns: [key],
      onDelete,
      onUpdate: "no action" as const,
      carriesTenant: false,
    };
    const index = newIndex(`${entity.name}_link_${serial}_idx`, [`"link_${serial}"`]);
    return edited(
      `add foreign key from ${entity.name} to ${target.name}, on delete ${onDelete}`,
      withEntity(schema, entity, {
        ...entity,
        columns: [...entity.columns, column],
        foreignKeys: [...entity.foreignKeys, foreignKey],
        indexes: random() < 0.5 ? [...entity.indexes, index] : entity.indexes,
      }),
    );
  },
  (schema, random, serial) => {
    const entity = pick(random, schema.entities);
    const type = pick(random, schema.enums);
    if (entity === undefined || type === undefined) return undefined;
    const first = type.values[0];
    const column = newColumn(`kind_${serial}`, `"${type.schema ?? ""}"."${type.name}"`, {
      defaultSql: `'${first}'`,
      notNull: random() < 0.5,
    });
    const needs: readonly ObjectId[] = [...entity.needs, `type ${type.name}`];
    return edited(
      `add column ${entity.name}.${column.name} of ${type.name}`,
      withEntity(schema, entity, { ...entity, columns: [...entity.columns, column], needs }),
    );
  },
];

const CHANGES: readonly DescribedDraw[] = [
  (schema, random) => {
    const found = draw(schema, random, ({ entity, column }) => !isUsed(schema, entity, column));
    if (found === undefined) return undefined;
    const { entity, column } = found;
    const columns = entity.columns.filter((one) => one !== column);
    return edited(`drop column ${pathOf(found)}`, withEntity(schema, entity, { ...entity, columns }));
  },
  (schema, random, serial) => {
    const found = draw(schema, random, ({ column }) => column.marks.role === undefined);
    if (found === undefined || isAliased(schema, found)) return undefined;
    const { entity, column } = found;
    const name = `renamed_${serial}`;
    return edited(`rename column ${pathOf(found)}`, renameColumn(schema, entity, column, name), [
      { kind: "column", of: entity.name, from: column.name, to: name },
    ]);
  },
  (schema, random, serial) => {
    const entity = pick(random, schema.entities);
    if (entity === undefined) return undefined;
    const name = `moved_${serial}`;
    return edited(`rename table ${entity.name}`, renameEntity(schema, entity, name), [
      { kind: "table", from: entity.name, to: name },
    ]);
  },
  (schema, random) => {
    const found = draw(schema, random, ({ entity, column }) => {
      if (isInKey(schema, entity, column) || column.generatedSql !== undefined) return false;
      const used = isUsed(schema, entity, column);
      return WIDER.some(([from, , suitsUse]) => from === column.sqlType && (suitsUse || !used));
    });
    const change = WIDER.find(([from]) => from === found?.column.sqlType);
    if (found === undefined || change === undefined) return undefined;
    const { entity, column } = found;
    const [, type] = change;
    const byDefault = column.defaultSql === undefined || type === "text" || type === "integer";
    const next = { ...column, ...typed(type), defaultSql: byDefault ? undefined : column.defaultSql };
    return edited(`widen ${pathOf(found)} to ${type}`, withColumn(schema, entity, column, next));
  },
  (schema, random) => {
    const found = draw(
      schema,
      random,
      ({ entity, column }) =>
        NARROWER.some(([from]) => from === column.sqlType) &&
        column.defaultSql === undefined &&
        !isUsed(schema, entity, column),
    );
    const change = pick(
      random,
      NARROWER.filter(([from]) => from === found?.column.sqlType),
    );
    if (found === undefined || change === undefined) return undefined;
    const { entity, column } = found;
    const next = { ...column, ...typed(change[1]) };
    return edited(`narrow ${pathOf(found)} to ${change[1]}`, withColumn(schema, entity, column, next));
  },
  (schema, random) => {
    const found = draw(
      schema,
      random,
      ({ column }) => !column.isPrimaryKey && column.generatedSql === undefined,
    );
    if (found === undefined) return undefined;
    const { entity, column } = found;
    const isNulled = entity.foreignKeys.some(
      (key) => key.onDelete === "set null" && key.columns.some(({ name }) => name === column.name),
    );
    if (isNulled) return undefined;
    const next = { ...column, notNull: !column.notNull };
    return edited(
      `${next.notNull ? "set" : "drop"} not null of ${pathOf(found)}`,
      withColumn(schema, entity, column, next),
    );
  },
  (schema, random) => {
    const found = draw(
      schema,
      random,
      ({ entity, column }) => column.generatedSql === undefined && !isInKey(schema, entity, column),
    );
    if (found === undefined) return undefined;
    const { entity, column } = found;
    const byDefault = TYPES.find(([type]) => type === column.sqlType)?.[1];
    const defaultSql = column.defaultSql === undefined ? byDefault : undefined;
    if (defaultSql === column.defaultSql) return undefined;
    const next = { ...column, defaultSql, hasServerDefault: defaultSql !== undefined };
    return edited(
      `${defaultSql === undefined ? "drop" : "set"} default of ${pathOf(found)}`,
      withColumn(schema, entity, column, next),
    );
  },
  (schema, random, serial) => {
    const found = draw(schema, random, () => true);
    if (found === undefined) return undefined;
    const { entity, column } = found;
    const comment = column.marks.comment === undefined ? `What it's for, ${serial}` : undefined;
    const { comment: _old, ...others } = column.marks;
    const marks = comment === undefined ? others : { ...others, comment };
    return edited(`comment on ${pathOf(found)}`, withColumn(schema, entity, column, { ...column, marks }));
  },
];

function typed(type: string): Pick<ColumnDescription, "sqlType" | "castType" | "marks"> {
  return { sqlType: type, castType: type, marks: {} };
}

/** A view calls it by its first name already. */
function isAliased(schema: SchemaDescription, { entity, column }: Place): boolean {
  return schema.objects.some(
    (object) =>
      "query" in object &&
      object.needs.includes(`relation ${entity.name}`) &&
      object.query.includes(`"${column.name}" as `),
  );
}

/** Edits of columns, and of tables' names. */
export const DESCRIBED_COLUMN_EDITS: readonly DescribedDraw[] = [...ADDITIONS, ...CHANGES];
