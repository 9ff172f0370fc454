import { SchemaError, unknownName } from "../errors/index.ts";
import type { EntityDescription, ForeignKeyDescription } from "./description.ts";
import { describeTable } from "./drizzle-adapter.ts";
import { isEntity } from "./entity.ts";
import { isRelations, type Relation } from "./relations.ts";

/** A relation with its columns found: `source` columns of this entity equal `target` columns of the other. */
export interface RelationDescription {
  readonly name: string;
  readonly kind: "one" | "many";
  readonly target: EntityDescription;
  readonly sourceColumns: readonly string[];
  readonly targetColumns: readonly string[];
}

/** Everything a schema file exports, described. */
export interface SchemaDescription {
  readonly entities: readonly EntityDescription[];
  relationsOf(entity: EntityDescription): ReadonlyMap<string, RelationDescription>;
}

/**
 * Reads a schema module: its entities and relations. Other exports (enums, types, helpers) are passed over.
 *
 * @throws {SCHEMA_INVALID} for two tables of one name, a relation no foreign key stands for, one that two could
 * stand for, and a foreign key onto a unique key that holds among living rows only.
 */
export function describeSchema(schema: Readonly<Record<string, unknown>>): SchemaDescription {
  const entities: EntityDescription[] = [];
  const relations = new Map<EntityDescription, Map<string, RelationDescription>>();
  for (const exported of Object.values(schema)) {
    if (isEntity(exported)) entities.push(describeTable(exported));
    if (!isRelations(exported)) continue;
    const source = describeTable(exported.entity);
    const found = relations.get(source) ?? new Map<string, RelationDescription>();
    for (const [name, relation] of Object.entries(exported.relations)) {
      if (source.byKey.has(name)) {
        throw new SchemaError(`relation "${name}" of "${source.name}" has the name of a column`);
      }
      found.set(name, describeRelation(source, name, relation));
    }
    relations.set(source, found);
  }
  // A module's exports come alphabetically from Node and as written from bundlers; what is rendered must not depend on it.
  entities.sort((a, b) => (a.name < b.name ? -1 : 1));
  refuseSharedNames(entities);
  for (const entity of entities) for (const key of entity.foreignKeys) refusePartialTarget(entity, key);
  return { entities, relationsOf: (entity) => relations.get(entity) ?? new Map() };
}

function describeRelation(source: EntityDescription, name: string, relation: Relation): RelationDescription {
  const target = describeTable(relation.target);
  const outgoing = relation.kind === "one" ? keysBetween(source, target, relation.via) : [];
  const incoming = keysBetween(target, source, relation.via);
  const [key, ...others] = outgoing.length > 0 ? outgoing : incoming;
  if (key === undefined) {
    throw new SchemaError(
      `relation "${name}" of "${source.name}": no foreign key joins it to "${target.name}"`,
      {
        hint: viaHint(relation.via, source, target),
      },
    );
  }
  if (others.length > 0) {
    const choices = [key, ...others].map((candidate) => `"${candidate.columns[0]?.key}"`).join(" or ");
    throw new SchemaError(
      `relation "${name}" of "${source.name}": several foreign keys join it to "${target.name}"`,
      {
        hint: `Say which: { via: ${choices} }.`,
      },
    );
  }
  const isOutgoing = outgoing.length > 0;
  if (relation.kind === "one" && !isOutgoing && !isUnique(target, key.columns)) {
    throw new SchemaError(
      `relation "${name}" of "${source.name}": several rows of "${target.name}" may refer to one, as "${key.columns.map((c) => c.key).join(", ")}" is not unique`,
      { hint: `Declare it as r.many(…), or make the column unique.` },
    );
  }
  const own = key.columns.map((column) => column.name);
  const other = key.targetColumns.map((column) => column.name);
  return {
    name,
    kind: relation.kind,
    target,
    sourceColumns: isOutgoing ? own : other,
    targetColumns: isOutgoing ? other : own,
  };
}

function keysBetween(
  from: EntityDescription,
  to: EntityDescription,
  via: string | undefined,
): readonly ForeignKeyDescription[] {
  return from.foreignKeys.filter(
    (key) => key.target === to && (via === undefined || key.columns.some((column) => column.key === via)),
  );
}

function isUnique(entity: EntityDescription, columns: readonly { name: string }[]): boolean {
  const keys = [entity.primaryKey, ...entity.uniques].map((unique) => unique.columns);
  const indexes = entity.indexes.map((index) => index.uniqueColumns ?? []);
  return [...keys, ...indexes].some((unique) => sameColumns(unique, columns));
}

function viaHint(via: string | undefined, source: EntityDescription, target: EntityDescription): string {
  const keys = [...source.foreignKeys, ...target.foreignKeys].flatMap((key) => key.columns.map((c) => c.key));
  return via === undefined || keys.length === 0
    ? "Declare one: .references(() => other.id)."
    : `${unknownName("foreign key", via, keys)}.`;
}

function refuseSharedNames(entities: readonly EntityDescription[]): void {
  const seen = new Set<string>();
  for (const { schema, name } of entities) {
    const id = `${schema}.${name}`;
    if (seen.has(id)) throw new SchemaError(`two entities are called "${name}" in schema "${schema}"`);
    seen.add(id);
  }
}

/** PostgreSQL lets a foreign key name full unique constraints only, and a soft-deleted entity's are partial. */
function refusePartialTarget(entity: EntityDescription, key: ForeignKeyDescription): void {
  const isPrimary = sameColumns(key.targetColumns, key.target.primaryKey.columns);
  if (isPrimary || !key.target.softDelete) return;
  throw new SchemaError(
    `foreign key "${key.name}" of "${entity.name}" names a unique key of "${key.target.name}", which is soft-deleted`,
    {
      hint: "There the key holds among living rows only, which PostgreSQL cannot refer to. Refer to the primary key.",
    },
  );
}

function sameColumns(a: readonly { name: string }[], b: readonly { name: string }[]): boolean {
  return a.length === b.length && a.every((column) => b.some((other) => other.name === column.name));
}
