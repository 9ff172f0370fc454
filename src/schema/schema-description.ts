import { SchemaError } from "../errors/index.ts";
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
import { refuseRelatedSorts } from "./related-sorts.ts";
import { describeRelation, type RelationDescription, sameColumns } from "./relation-description.ts";
import { refuseMissingTrigrams } from "./search-description.ts";
import { refuseOpenPolicies, refuseOpenViews } from "./tenant.ts";

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
 * foreign key stands for, one that two could stand for, a foreign key onto a unique key that holds among living rows
 * only, and a CASCADE between a soft-deleted entity and another.
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
  refuseMissingTrigrams(entities, objects);
  refuseOpenPolicies(entities, content.policies);
  refuseOpenViews(entities, objects);
  const relationsOf = (entity: EntityDescription) => relations.get(entity) ?? new Map();
  for (const entity of entities) {
    refuseRelatedSorts(entity, relationsOf);
    for (const key of entity.foreignKeys) {
      refusePartialTarget(entity, key);
      refuseMixedCascade(entity, key);
    }
  }
  return {
    schemas: schemasOf([...entities, ...objects, ...enums]),
    ...content,
    renames: renamesOf(entities, enums),
    relationsOf,
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
  const tables = entities.flatMap(({ name, renamedFrom, history }): RenameDescription[] => {
    if (renamedFrom === undefined) return [];
    const past = history === undefined ? [] : ["_history", "_history_default"];
    return ["", ...past].map((end) => ({ kind: "table", from: renamedFrom + end, to: name + end }));
  });
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

/**
 * A soft-deleted parent would take children along that no restore brings back. A parent that is really deleted would take
 * rows along that are to be kept: PostgreSQL deletes them behind the back of whoever asked, and where a trigger keeps one
 * it is left without the row it refers to.
 */
function refuseMixedCascade(entity: EntityDescription, key: ForeignKeyDescription): void {
  if (key.onDelete !== "cascade" || entity.softDelete === key.target.softDelete) return;
  const [soft, other] = entity.softDelete ? [entity, key.target] : [key.target, entity];
  throw new SchemaError(
    `foreign key "${key.name}" of "${entity.name}" cascades between "${soft.name}", which is soft-deleted, and "${other.name}", which is not`,
    {
      hint: `Declare softDelete for "${other.name}" too, or let the foreign key restrict or set null.`,
    },
  );
}
