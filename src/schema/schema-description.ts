import { SchemaError, unknownName } from "../errors/index.ts";
import { collectSchema } from "./declared/collect.ts";
import { refuseSharedNames } from "./declared/shared-names.ts";
import type {
  EntityDescription,
  EnumDescription,
  ForeignKeyDescription,
  PolicyDescription,
} from "./description.ts";
import { describeTable } from "./drizzle-adapter.ts";
import type { ObjectDescription, RenameDescription } from "./object-description.ts";
import type { Relation } from "./relations.ts";

/** A relation with its columns found: `source` columns of this entity equal `target` columns of the other. */
export interface RelationDescription {
  readonly name: string;
  readonly kind: "one" | "many";
  readonly target: EntityDescription;
  readonly sourceColumns: readonly string[];
  readonly targetColumns: readonly string[];
}

/** Everything a schema file exports, described. Ordered by name or declaration, never by export. */
export interface SchemaDescription {
  /** The PostgreSQL schemas it has something in; nearly always one. */
  readonly schemas: readonly string[];
  readonly entities: readonly EntityDescription[];
  readonly enums: readonly EnumDescription[];
  /** Everything else that was declared: functions, triggers, views, extensions, grants, sequences and types. */
  readonly objects: readonly ObjectDescription[];
  /** Of all entities, those linked from outside among them. */
  readonly policies: readonly PolicyDescription[];
  /** Old names, for whoever writes a migration. */
  readonly renames: readonly RenameDescription[];
  /** Roles that grants and policies name, and that must exist on the server. */
  readonly roles: readonly string[];
  relationsOf(entity: EntityDescription): ReadonlyMap<string, RelationDescription>;
}

/**
 * Reads a schema module: its entities, relations and declared objects, with what they need. Exporting an `appSchema`
 * exports what was declared on it. Types, helpers and plain Drizzle tables are passed over.
 *
 * @throws {SCHEMA_INVALID} for two objects of one name, a trigger or grant on what is not exported, a relation no
 * foreign key stands for, one that two could stand for, and a foreign key onto a unique key that holds among living
 * rows only.
 */
export function describeSchema(schema: Readonly<Record<string, unknown>>): SchemaDescription {
  const { relations: declared, ...content } = collectSchema(schema);
  const { entities, enums, objects } = content;
  const relations = new Map<EntityDescription, Map<string, RelationDescription>>();
  for (const { entity, relations: given } of declared) {
    const source = describeTable(entity);
    const found = relations.get(source) ?? new Map<string, RelationDescription>();
    for (const [name, relation] of Object.entries(given)) {
      if (source.byKey.has(name)) {
        throw new SchemaError(`relation "${name}" of "${source.name}" has the name of a column`);
      }
      found.set(name, describeRelation(source, name, relation));
    }
    relations.set(source, found);
  }
  refuseSharedNames(entities, enums, objects);
  for (const entity of entities) for (const key of entity.foreignKeys) refusePartialTarget(entity, key);
  return {
    schemas: schemasOf([...entities, ...objects, ...enums]),
    ...content,
    renames: renamesOf(entities, enums),
    relationsOf: (entity) => relations.get(entity) ?? new Map(),
  };
}

function schemasOf(described: readonly { readonly schema: string | undefined }[]): readonly string[] {
  return [...new Set(described.flatMap(({ schema }) => (schema === undefined ? [] : [schema])))].sort();
}

/** Tables first: columns are named by their table's new name. */
function renamesOf(
  entities: readonly EntityDescription[],
  enums: readonly EnumDescription[],
): readonly RenameDescription[] {
  const tables = entities.flatMap(({ name, renamedFrom }): RenameDescription[] =>
    renamedFrom === undefined ? [] : [{ kind: "table", from: renamedFrom, to: name }],
  );
  const columns = entities.flatMap((entity) =>
    entity.columns.flatMap(({ name, marks }): RenameDescription[] =>
      marks.renamedFrom === undefined
        ? []
        : [{ kind: "column", of: entity.name, from: marks.renamedFrom, to: name }],
    ),
  );
  const values = enums.flatMap(({ name, oldValues = {} }) =>
    Object.entries(oldValues).map(
      ([to, from]): RenameDescription => ({ kind: "enum value", of: name, from, to }),
    ),
  );
  return [...tables, ...columns, ...values];
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
