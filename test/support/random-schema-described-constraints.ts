import type { ColumnDescription } from "../../src/schema/index.ts";
import {
  type Entity,
  isUsed,
  newColumn,
  newIndex,
  withEntities,
  withEntity,
} from "./random-schema-described.ts";
import { type DescribedDraw, draw, edited, pathOf } from "./random-schema-described-draw.ts";
import { pick } from "./random-schema-draw.ts";

/** Edits of indexes, keys and checks. */
export const DESCRIBED_CONSTRAINT_EDITS: readonly DescribedDraw[] = [
  (schema, random, serial) => {
    const found = draw(schema, random, ({ column }) => column.sqlType !== "jsonb");
    if (found === undefined) return undefined;
    const { entity, column } = found;
    const quoted = `"${column.name}"`;
    const index =
      pick(random, [
        newIndex(`plain_${serial}`, [quoted]),
        newIndex(`partial_${serial}`, [`${quoted} desc nulls last`], { where: `${quoted} is not null` }),
        newIndex(`computed_${serial}`, [`md5(${quoted}::text)`]),
        newIndex(`brin_${serial}`, [`"${entity.primaryKey.columns[0]?.name}"`], { method: "brin" }),
      ]) ?? newIndex(`plain_${serial}`, [quoted]);
    // The text of these depends on settings.
    const isUnstable = /time|date|interval|\[\]|\./.test(column.sqlType) && index.name.startsWith("computed");
    if (isUnstable) return undefined;
    return edited(
      `add index ${index.name} on ${pathOf(found)}`,
      withEntity(schema, entity, { ...entity, indexes: [...entity.indexes, index] }),
    );
  },
  (schema, random) => {
    const entity = pick(
      random,
      schema.entities.filter(({ indexes }) => indexes.length > 0),
    );
    const index = entity === undefined ? undefined : pick(random, entity.indexes);
    if (entity === undefined || index === undefined) return undefined;
    return edited(
      `drop index ${index.name}`,
      withEntity(schema, entity, { ...entity, indexes: entity.indexes.filter((one) => one !== index) }),
    );
  },
  (schema, random, serial) => {
    const found = draw(
      schema,
      random,
      ({ column }) =>
        /^(text|integer|bigint|uuid|date)$/.test(column.sqlType) && column.defaultSql === undefined,
    );
    if (found === undefined) return undefined;
    const { entity, column } = found;
    // Of two keys on the same column in one `create table` PostgreSQL makes one.
    const keys = [entity.primaryKey, ...entity.uniques];
    if (keys.some(({ columns: [first, second] }) => first?.name === column.name && second === undefined))
      return undefined;
    const unique = {
      name: `${entity.name}_unique_${serial}`,
      columns: [column],
      nullsNotDistinct: false,
      livingOnly: entity.softDelete,
    };
    return edited(
      `add unique on ${pathOf(found)}`,
      withEntity(schema, entity, { ...entity, uniques: [...entity.uniques, unique] }),
    );
  },
  (schema, random) => {
    const entity = pick(
      random,
      schema.entities.filter(({ uniques }) => uniques.length > 0),
    );
    if (entity === undefined) return undefined;
    const [unique, ...uniques] = entity.uniques;
    return edited(`drop unique ${unique?.name}`, withEntity(schema, entity, { ...entity, uniques }));
  },
  (schema, random, serial) => {
    const found = draw(schema, random, ({ column }) => /^(text|integer|bigint)$/.test(column.sqlType));
    if (found === undefined) return undefined;
    const { entity, column } = found;
    const quoted = `"${column.name}"`;
    const expression = column.sqlType === "text" ? `length(${quoted}) < 500` : `${quoted} > -1000000`;
    const checks = [...entity.checks, { name: `check_${serial}`, expression }];
    return edited(`add check on ${pathOf(found)}`, withEntity(schema, entity, { ...entity, checks }));
  },
  (schema, random) => {
    const entity = pick(
      random,
      schema.entities.filter(({ checks }) => checks.length > 0),
    );
    const check = entity === undefined ? undefined : pick(random, entity.checks);
    if (entity === undefined || check === undefined) return undefined;
    const checks = entity.checks.filter((one) => one !== check);
    return edited(`drop check ${check.name}`, withEntity(schema, entity, { ...entity, checks }));
  },
  (schema, random) => {
    const entity = pick(
      random,
      schema.entities.filter(({ foreignKeys }) => foreignKeys.length > 0),
    );
    const key = entity === undefined ? undefined : pick(random, entity.foreignKeys);
    if (entity === undefined || key === undefined) return undefined;
    const onDelete = key.onDelete === "cascade" ? "restrict" : "cascade";
    const rest = entity.foreignKeys.filter((one) => one !== key);
    const isDropped = random() < 0.4;
    const foreignKeys = isDropped ? rest : [...rest, { ...key, onDelete: onDelete as typeof key.onDelete }];
    return edited(
      isDropped ? `drop foreign key ${key.name}` : `change ${key.name} to on delete ${onDelete}`,
      withEntity(schema, entity, { ...entity, foreignKeys }),
    );
  },
];

/** Edits of whole tables. */
export const DESCRIBED_TABLE_EDITS: readonly DescribedDraw[] = [
  (schema, random, serial) => {
    const source = pick(random, schema.entities);
    if (source === undefined) return undefined;
    const name = `fresh_${serial}`;
    const id = newColumn("id", "bigint", { identity: "always", isPrimaryKey: true, notNull: true });
    const own = source.columns.filter(
      ({ identity, marks }) => identity === undefined && marks.role === undefined,
    );
    const columns = [id, ...own.filter(({ name: other }) => other !== "id")].map((column) =>
      column === id ? column : { ...column, isPrimaryKey: false, generatedSql: undefined },
    );
    const table: Entity = {
      ...source,
      name,
      columns,
      primaryKey: { name: `${name}_pkey`, columns: [id] },
      uniques: [],
      foreignKeys: [],
      indexes: [],
      checks: [{ name: `${name}_positive`, expression: `"id" > 0` }],
      policies: [],
      rowSecurity: false,
      softDelete: false,
      renamedFrom: undefined,
      comment: `Like ${source.name}`,
    };
    return edited(`add table ${name}`, withEntities(schema, [...schema.entities, table]));
  },
  (schema, random) => {
    const isFree = (entity: Entity): boolean =>
      schema.entities.every((one) => one.foreignKeys.every((key) => key.target !== entity)) &&
      schema.objects.every((object) => !object.needs.includes(`relation ${entity.name}`));
    const entity = pick(random, schema.entities.filter(isFree));
    if (entity === undefined || schema.entities.length < 3) return undefined;
    return edited(
      `drop table ${entity.name}`,
      withEntities(
        schema,
        schema.entities.filter((one) => one !== entity),
      ),
    );
  },
  (schema, random) => {
    const entity = pick(random, schema.entities);
    if (entity === undefined) return undefined;
    const stamps = [
      newColumn("deleted_at", "timestamp with time zone", { key: "deletedAt", marks: { role: "deletedAt" } }),
      newColumn("deleted_by", "text", { key: "deletedBy", marks: { role: "deletedBy" } }),
    ];
    const isStamp = ({ marks }: ColumnDescription): boolean =>
      marks.role === "deletedAt" || marks.role === "deletedBy";
    const softDelete = !entity.softDelete;
    const columns = softDelete
      ? [...entity.columns, ...stamps]
      : entity.columns.filter((one) => !isStamp(one));
    const uniques = entity.uniques.map((unique) => ({ ...unique, livingOnly: softDelete }));
    if (entity.columns.some((one) => isStamp(one) && isUsed(schema, entity, one))) return undefined;
    return edited(
      `${softDelete ? "begin" : "end"} soft delete of ${entity.name}`,
      withEntity(schema, entity, { ...entity, softDelete, columns, uniques }),
    );
  },
  (schema, random, serial) => {
    const entity = pick(random, schema.entities);
    if (entity === undefined) return undefined;
    const comment = entity.comment === undefined ? `Table ${serial}, "quoted"` : undefined;
    return edited(`comment on ${entity.name}`, withEntity(schema, entity, { ...entity, comment }));
  },
];
