/**
 * Changes of a described schema, so that random edits can be made to any module: what `describeSchema` gives of an
 * edited module is the description with the change in it. Keys name their columns by the same objects as the tables.
 */
import type {
  ColumnDescription,
  EntityDescription,
  IndexDescription,
  KeyDescription,
  SchemaDescription,
} from "../../src/schema/index.ts";
import type { PlannedRename } from "./random-schema.ts";

/** A change of a schema, and the one it leads to. */
export interface DescribedEdit {
  readonly what: string;
  readonly schema: SchemaDescription;
  readonly renames: readonly PlannedRename[];
}

export type Entity = EntityDescription;

/** As plain data: the keys of a described table are looked up when they are asked for. */
export function asData(schema: SchemaDescription): SchemaDescription {
  const entities = schema.entities.map((entity) => ({ ...entity, foreignKeys: entity.foreignKeys }));
  return withEntities(schema, entities);
}

/** The schema with one entity changed, or several; what refers to them refers to the changed ones. */
export function withEntities(
  schema: SchemaDescription,
  entities: readonly EntityDescription[],
): SchemaDescription {
  const copies = entities.map((entity) => ({ ...entity }));
  const byName = new Map(copies.map((copy) => [copy.name, copy]));
  for (const copy of copies) {
    const own = columnsIn(copy);
    Object.assign(copy, {
      byKey: new Map(copy.columns.map((column) => [column.key, column])),
      byRole: new Map(copy.columns.flatMap((column) => roleOf(column).map((role) => [role, column]))),
      primaryKey: own(copy.primaryKey),
      uniques: copy.uniques.map(own),
      foreignKeys: copy.foreignKeys.map((key) => {
        const target = byName.get(key.target.name) ?? key.target;
        const targetColumns = columnsIn(target)({ name: "", columns: key.targetColumns }).columns;
        // A cascade between a soft-deleted table and another is refused.
        const isMixed = target.softDelete !== copy.softDelete;
        const onDelete = isMixed && key.onDelete === "cascade" ? "restrict" : key.onDelete;
        return { ...own(key), target, targetColumns, onDelete };
      }),
    });
  }
  const policies = copies.flatMap((copy) => copy.policies);
  return { ...schema, entities: copies, policies };
}

export function withEntity(schema: SchemaDescription, old: Entity, entity: Entity): SchemaDescription {
  return withEntities(
    schema,
    schema.entities.map((one) => (one === old ? entity : one)),
  );
}

function columnsIn(entity: Entity): <K extends KeyDescription>(key: K) => K {
  const byName = new Map(entity.columns.map((column) => [column.name, column]));
  return (key) => ({ ...key, columns: key.columns.flatMap(({ name }) => byName.get(name) ?? []) });
}

function roleOf(column: ColumnDescription): readonly string[] {
  return column.marks.role === undefined ? [] : [column.marks.role];
}

/** A plain column of a type. */
export function newColumn(name: string, sqlType: string, rest: Partial<ColumnDescription> = {}) {
  return {
    key: name,
    name,
    sqlType,
    castType: sqlType,
    kind: "text",
    domain: undefined,
    item: undefined,
    fields: undefined,
    enumValues: undefined,
    notNull: false,
    hasServerDefault: rest.defaultSql !== undefined,
    defaultSql: undefined,
    identity: undefined,
    identityOptions: undefined,
    generatedSql: undefined,
    isPrimaryKey: false,
    produce: undefined,
    marks: {},
    custom: undefined,
    ...rest,
  } satisfies ColumnDescription;
}

export function newIndex(name: string, parts: readonly string[], rest: Partial<IndexDescription> = {}) {
  return {
    name,
    isUnique: false,
    method: "btree",
    parts,
    uniqueColumns: undefined,
    where: undefined,
    options: [],
    comment: undefined,
    ...rest,
  } satisfies IndexDescription;
}

export function withColumn(
  schema: SchemaDescription,
  entity: Entity,
  old: ColumnDescription,
  column: ColumnDescription,
): SchemaDescription {
  const columns = entity.columns.map((one) => (one === old ? column : one));
  return withEntity(schema, entity, { ...entity, columns });
}

/** Everything that speaks of a column by its quoted name, as an author would write it anew. */
export function renameColumn(
  schema: SchemaDescription,
  entity: Entity,
  column: ColumnDescription,
  name: string,
): SchemaDescription {
  const said = (text: string): string => text.replaceAll(`"${column.name}"`, `"${name}"`);
  const saidOrNot = (text: string | undefined) => (text === undefined ? undefined : said(text));
  const named = (one: ColumnDescription): ColumnDescription =>
    one.name === column.name ? { ...one, key: name, name } : one;
  const inKey = <K extends KeyDescription>(key: K): K => ({ ...key, columns: key.columns.map(named) });
  const renamed: Entity = {
    ...entity,
    columns: entity.columns.map(named).map((one) => ({ ...one, generatedSql: saidOrNot(one.generatedSql) })),
    primaryKey: inKey(entity.primaryKey),
    uniques: entity.uniques.map(inKey),
    foreignKeys: entity.foreignKeys.map(inKey),
    checks: entity.checks.map((check) => ({ ...check, expression: said(check.expression) })),
    indexes: entity.indexes.map((index) => ({
      ...index,
      parts: index.parts.map(said),
      where: saidOrNot(index.where),
    })),
    policies: entity.policies.map((policy) => ({
      ...policy,
      using: saidOrNot(policy.using),
      check: saidOrNot(policy.check),
    })),
  };
  const entities = schema.entities.map((one) =>
    one === entity ? renamed : { ...one, foreignKeys: one.foreignKeys.map(towards) },
  );
  function towards<K extends Entity["foreignKeys"][number]>(key: K): K {
    if (key.target !== entity) return key;
    return { ...key, targetColumns: key.targetColumns.map(named) };
  }
  const objects = schema.objects.map((object) =>
    (object.kind === "view" || object.kind === "materialized view") &&
    object.needs.includes(`relation ${entity.name}`)
      ? { ...object, query: object.query.replaceAll(`"${column.name}"`, `"${name}" as "${column.name}"`) }
      : object,
  );
  return withEntities({ ...schema, objects }, entities);
}

/** A new name for a table, and for what is named after it. */
export function renameEntity(schema: SchemaDescription, entity: Entity, name: string): SchemaDescription {
  const own = (text: string): string =>
    text.startsWith(`${entity.name}_`) ? `${name}${text.slice(entity.name.length)}` : text;
  const named = <T extends { readonly name: string }>(one: T): T => ({ ...one, name: own(one.name) });
  const renamed: Entity = {
    ...entity,
    name,
    primaryKey: named(entity.primaryKey),
    uniques: entity.uniques.map(named),
    foreignKeys: entity.foreignKeys.map(named),
    indexes: entity.indexes.map(named),
    checks: entity.checks.map(named),
    policies: entity.policies.map((policy) => ({ ...policy, table: name })),
  };
  const entities = schema.entities.map((one) => (one === entity ? renamed : one));
  // Keys find their table by name.
  const target = { ...entity, name };
  const retargeted = entities.map((one) => ({
    ...one,
    foreignKeys: one.foreignKeys.map((key) => (key.target === entity ? { ...key, target } : key)),
  }));
  const objects = schema.objects.map((object) => {
    const onIt = object.needs.includes(`relation ${entity.name}`);
    if (!onIt) return object;
    const needs = object.needs.map((need) =>
      need === `relation ${entity.name}` ? (`relation ${name}` as const) : need,
    );
    if (object.kind === "trigger") return { ...object, needs, table: name };
    if (object.kind === "grant") return { ...object, needs, on: { ...object.on, name } };
    if ("query" in object)
      return { ...object, needs, query: object.query.replaceAll(`"${entity.name}"`, `"${name}"`) };
    return { ...object, needs };
  });
  return withEntities({ ...schema, objects }, retargeted);
}

/** Whether anything else speaks of it: a key, check, index, policy, view, generated column or behaviour. */
export function isUsed(schema: SchemaDescription, entity: Entity, column: ColumnDescription): boolean {
  const texts = [
    ...entity.checks.map(({ expression }) => expression),
    ...entity.indexes.flatMap(({ parts, where = "" }) => [...parts, where]),
    ...entity.policies.flatMap(({ using = "", check = "" }) => [using, check]),
    ...entity.columns.map(({ generatedSql = "" }) => generatedSql),
    ...schema.objects.flatMap((object) =>
      "query" in object && object.needs.includes(`relation ${entity.name}`) ? [object.query] : [],
    ),
  ];
  return isInKey(schema, entity, column) || texts.some((text) => text.includes(`"${column.name}"`));
}

/** Rows are told apart by it, or joined on it. */
export function isInKey(schema: SchemaDescription, entity: Entity, column: ColumnDescription): boolean {
  const keys = [entity.primaryKey, ...entity.uniques, ...entity.foreignKeys];
  const targets = schema.entities.flatMap(({ foreignKeys }) =>
    foreignKeys.flatMap((key) => (key.target === entity ? key.targetColumns : [])),
  );
  return [...keys.flatMap(({ columns }) => columns), ...targets].some(({ name }) => name === column.name);
}
