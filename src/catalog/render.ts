import type {
  Behaviour,
  ColumnDescription,
  DatabaseObject,
  EntityDescription,
  EnumDescription,
  ForeignKeyDescription,
  UniqueDescription,
} from "../schema/index.ts";
import { qualifiedName, quoteIdentifier, quoteLiteral } from "../sql/index.ts";

/** A schema as SQL, and the way back. One statement an item, in an order that runs. */
export interface SchemaSql {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/**
 * Writes a declared schema as SQL for an empty database: types, tables, keys, indexes, functions, triggers. Names in
 * the application's own schema are unqualified, because migrations run with `search_path` set to it: that is what
 * lets `DATABASE_SCHEMA` rename it.
 *
 * @example
 * ```ts
 * renderSchema(describeSchema(schema).entities, BEHAVIOURS).up.join(";\n\n");
 * // create type "task_status" as enum ('pending', 'done'); create table "tasks" (…); …
 * ```
 */
export function renderSchema(
  entities: readonly EntityDescription[],
  behaviours: readonly Behaviour[],
): SchemaSql {
  const enums = distinct(entities.flatMap((entity) => entity.enums));
  const objects = distinct(
    entities.flatMap((entity) =>
      behaviours.flatMap((behaviour) =>
        behaviour.appliesTo(entity) ? (behaviour.objects?.(entity, entities) ?? []) : [],
      ),
    ),
  );
  const functions = objects.filter((object) => object.kind === "function");
  const triggers = objects.filter((object) => object.kind === "trigger");
  return {
    up: [
      ...enums.map(createEnum),
      ...entities.map(createTable),
      ...entities.flatMap((entity) => entity.foreignKeys.map((key) => addForeignKey(entity, key))),
      ...entities.flatMap(createIndexes),
      ...functions.map((object) => object.create),
      ...triggers.map((object) => object.create),
    ],
    // Tables take their keys, indexes and triggers with them; foreign keys first, as tables may refer in a circle.
    down: [
      ...entities.flatMap((entity) => entity.foreignKeys.map((key) => dropForeignKey(entity, key))),
      ...entities.toReversed().map((entity) => `drop table ${quoteIdentifier(entity.name)}`),
      ...functions.toReversed().map((object) => object.drop),
      ...enums.toReversed().map((type) => `drop type ${quoteIdentifier(type.name)}`),
    ],
  };
}

/** Several tables use one type, and one function serves several tables. */
function distinct<T extends EnumDescription | DatabaseObject>(items: readonly T[]): readonly T[] {
  const seen = new Map<string, T>();
  for (const item of items) {
    const id = "kind" in item ? `${item.kind} ${item.table ?? ""} ${item.name}` : item.name;
    if (!seen.has(id)) seen.set(id, item);
  }
  return [...seen.values()];
}

function createEnum({ name, values }: EnumDescription): string {
  return `create type ${quoteIdentifier(name)} as enum (${values.map(quoteLiteral).join(", ")})`;
}

function createTable(entity: EntityDescription): string {
  const lines = [
    ...entity.columns.map((column) => columnLine(entity, column)),
    primaryKeyLine(entity),
    ...entity.uniques.filter((unique) => !unique.livingOnly).map(uniqueLine),
    ...entity.checks.map((check) => `constraint ${quoteIdentifier(check.name)} check (${check.expression})`),
  ];
  return `create table ${quoteIdentifier(entity.name)} (\n  ${lines.join(",\n  ")}\n)`;
}

function columnLine(entity: EntityDescription, column: ColumnDescription): string {
  const words = [quoteIdentifier(column.name), typeOf(entity, column)];
  if (column.identity !== undefined) {
    words.push(`generated ${column.identity === "always" ? "always" : "by default"} as identity`);
  } else if (column.generatedSql !== undefined) {
    words.push(`generated always as (${column.generatedSql}) stored`);
  } else {
    if (column.notNull && !column.isPrimaryKey) words.push("not null");
    if (column.defaultSql !== undefined) words.push(`default ${column.defaultSql}`);
  }
  return words.join(" ");
}

/** An enum of the application's own schema goes by its bare name, like everything else in it. */
function typeOf(entity: EntityDescription, column: ColumnDescription): string {
  const own = `${quoteIdentifier(entity.schema)}.`;
  return column.sqlType.startsWith(own) ? column.sqlType.slice(own.length) : column.sqlType;
}

function primaryKeyLine({ primaryKey }: EntityDescription): string {
  return `constraint ${quoteIdentifier(primaryKey.name)} primary key (${columnList(primaryKey.columns)})`;
}

function uniqueLine(unique: UniqueDescription): string {
  const nulls = unique.nullsNotDistinct ? " nulls not distinct" : "";
  return `constraint ${quoteIdentifier(unique.name)} unique${nulls} (${columnList(unique.columns)})`;
}

function addForeignKey(entity: EntityDescription, key: ForeignKeyDescription): string {
  const target =
    key.target.schema === entity.schema
      ? quoteIdentifier(key.target.name)
      : qualifiedName(key.target.schema, key.target.name);
  const onDelete = key.onDelete === "no action" ? "" : ` on delete ${key.onDelete}`;
  const onUpdate = key.onUpdate === "no action" ? "" : ` on update ${key.onUpdate}`;
  return `alter table ${quoteIdentifier(entity.name)} add constraint ${quoteIdentifier(key.name)}
  foreign key (${columnList(key.columns)}) references ${target} (${columnList(key.targetColumns)})${onDelete}${onUpdate}`;
}

function dropForeignKey(entity: EntityDescription, key: ForeignKeyDescription): string {
  return `alter table ${quoteIdentifier(entity.name)} drop constraint ${quoteIdentifier(key.name)}`;
}

function createIndexes(entity: EntityDescription): readonly string[] {
  const table = quoteIdentifier(entity.name);
  const deletedAt = entity.byRole.get("deletedAt");
  const living = entity.uniques
    .filter((unique) => unique.livingOnly)
    .map((unique) => {
      const nulls = unique.nullsNotDistinct ? " nulls not distinct" : "";
      return `create unique index ${quoteIdentifier(unique.name)} on ${table} (${columnList(unique.columns)})${nulls}
  where ${quoteIdentifier(deletedAt?.name ?? "deleted_at")} is null`;
    });
  const declared = entity.indexes.map((index) => {
    const unique = index.isUnique ? "unique " : "";
    const method = index.method === "btree" ? "" : ` using ${index.method}`;
    const where = index.where === undefined ? "" : ` where ${index.where}`;
    return `create ${unique}index ${quoteIdentifier(index.name)} on ${table}${method} (${index.parts.join(", ")})${where}`;
  });
  return [...living, ...declared];
}

function columnList(columns: readonly ColumnDescription[]): string {
  return columns.map((column) => quoteIdentifier(column.name)).join(", ");
}
