import { SchemaError } from "../errors/index.ts";
import type {
  Behaviour,
  DatabaseObject,
  EntityDescription,
  ObjectDescription,
  RoutineDescription,
  SchemaDescription,
  TableAdditions,
} from "../schema/index.ts";
import { keepingObjects } from "./kept-column.ts";
import { grantSql, policyParts } from "./render/access.ts";
import { commentSql } from "./render/comments.ts";
import { createNames, type Names } from "./render/names.ts";
import { orderParts } from "./render/order.ts";
import type { Part } from "./render/part.ts";
import { routinePart } from "./render/routines.ts";
import { tableParts } from "./render/tables.ts";
import { compositePart, domainPart, enumPart, extensionPart, sequencePart } from "./render/types.ts";
import { triggerPart, viewParts } from "./render/views.ts";

/** A schema as SQL, and the way back. One statement an item, in an order that runs. */
export interface SchemaSql {
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** Roles that grants and policies name. They belong to the server, so they must exist before `up` runs. */
  readonly roles: readonly string[];
}

/**
 * Writes a declared schema as SQL for an empty database: everything a module declares, and the functions and triggers
 * of its behaviours. Names in the application's own schema are unqualified, because migrations run with `search_path`
 * set to it: that is what lets `DATABASE_SCHEMA` rename it.
 *
 * What a declaration says it needs comes first: types of columns, `${…}` in its SQL, `dependsOn`. Names that only
 * stand in SQL text are looked for too, and what is left follows the order of kinds and of declaration.
 *
 * @throws {SCHEMA_INVALID} for declarations that need each other in a circle, and two objects of one name.
 *
 * @example
 * ```ts
 * renderSchema(describeSchema(schema), BEHAVIOURS).up.join(";\n\n");
 * // create type "task_status" as enum ('pending', 'done'); create table "tasks" (…); …
 * ```
 */
export function renderSchema(schema: SchemaDescription, behaviours: readonly Behaviour[]): SchemaSql {
  const { entities, enums, objects, policies, schemas, roles } = schema;
  const [home] = schemas;
  if (home === undefined) return { up: [], down: [], roles };
  const names = createNames(schema, home);
  const { up, down } = orderParts([
    ...enums.map(enumPart),
    ...entities.flatMap((entity) => tableParts(entity, names, additionsTo(entity, behaviours))),
    ...behaviourObjects(schema, behaviours).map(behaviourPart),
    ...objects.flatMap((object) => objectParts(object, names)),
    ...policyParts(entities, policies),
  ]);
  const routines = new Map(objects.filter(isRoutine).map((routine) => [routine.name, routine]));
  const grants = objects.flatMap((object) =>
    object.kind === "grant" ? [grantSql(object, routines, names)] : [],
  );
  return {
    up: [...up.flatMap((part) => part.up), ...grants, ...commentSql(schema, names)],
    down: down.flatMap((part) => part.down),
    roles,
  };
}

function objectParts(object: ObjectDescription, names: Names): readonly Part[] {
  switch (object.kind) {
    case "extension":
      return [extensionPart(object)];
    case "domain":
      return [domainPart(object, names)];
    case "composite type":
      return [compositePart(object, names)];
    case "sequence":
      return [sequencePart(object)];
    case "function":
    case "procedure":
      return [routinePart(object, names)];
    case "view":
    case "materialized view":
      return viewParts(object, names);
    case "trigger":
      return [triggerPart(object)];
    case "grant":
      return [];
  }
}

function isRoutine(object: ObjectDescription): object is RoutineDescription {
  return object.kind === "function" || object.kind === "procedure";
}

/** @throws {SCHEMA_INVALID} for an index that has the name of one that a behaviour adds. */
function additionsTo(entity: EntityDescription, behaviours: readonly Behaviour[]): TableAdditions {
  const added = behaviours.flatMap((behaviour) =>
    behaviour.additions !== undefined && behaviour.appliesTo(entity) ? [behaviour.additions(entity)] : [],
  );
  const indexes = added.flatMap((additions) => additions.indexes);
  const taken = indexes.find(({ name }) => entity.indexes.some((index) => index.name === name));
  if (taken !== undefined) {
    throw new SchemaError(
      `index "${taken.name}" of "${entity.name}" has the name of one that a behaviour adds`,
      {
        hint: "Give it another name.",
      },
    );
  }
  return { columns: added.flatMap((additions) => additions.columns), indexes };
}

/** One function may serve several tables. */
function behaviourObjects(
  schema: SchemaDescription,
  behaviours: readonly Behaviour[],
): readonly DatabaseObject[] {
  const { entities, objects } = schema;
  const found = new Map<string, DatabaseObject>();
  for (const entity of entities) {
    for (const behaviour of behaviours) {
      if (!behaviour.appliesTo(entity)) continue;
      const kept = behaviour.additions?.(entity).columns ?? [];
      const own = [
        ...(behaviour.objects?.(entity, entities) ?? []),
        ...kept.flatMap((column) => keepingObjects(entity, column)),
      ];
      for (const object of own) {
        found.set(`${object.kind} ${object.table ?? ""} ${object.name}`, object);
      }
    }
  }
  const made = new Set([...found.values()].flatMap(({ kind, name }) => (kind === "view" ? [name] : [])));
  for (const { name } of entities) refuseTakenView(name, made);
  for (const object of objects)
    if (object.kind === "view" || object.kind === "materialized view") refuseTakenView(object.name, made);
  for (const object of objects) refuseTaken(object, found);
  return [...found.values()];
}

function refuseTakenView(name: string, made: ReadonlySet<string>): void {
  if (!made.has(name)) return;
  throw new SchemaError(`"${name}" has the name of one that a behaviour makes`, {
    hint: "It shows the living rows of a soft-deleted table. Give it another name.",
  });
}

function refuseTaken(object: ObjectDescription, taken: ReadonlyMap<string, DatabaseObject>): void {
  const id = isRoutine(object)
    ? `function  ${object.name}`
    : object.kind === "trigger"
      ? `trigger ${object.table} ${object.name}`
      : undefined;
  if (id === undefined || !taken.has(id) || object.kind === "grant") return;
  throw new SchemaError(`${object.kind} "${object.name}" has the name of one that a behaviour makes`, {
    hint: "Give it another name.",
  });
}

function behaviourPart({ kind, name, table, create, drop }: DatabaseObject): Part {
  const down = drop === undefined ? [] : [drop];
  if (kind === "function") {
    // In PL/pgSQL, which is read when it runs.
    return { ids: [`routine ${name}`], rank: "routine", up: [create], down, needs: [] };
  }
  if (kind === "view") {
    // A table does not take its views along when it is dropped.
    const needs = table === undefined ? [] : [`relation ${table}`];
    const ids = [`relation ${name}`, `type ${name}`];
    return { ids, rank: kind, up: [create], down, needs, text: create };
  }
  const part: Part = {
    ids: idsOf({ kind, name, table }),
    rank: kind === "row security" ? "policy" : kind,
    up: [create],
    down,
    needs: [],
    text: create,
  };
  return table === undefined ? part : { ...part, owner: `relation ${table}` };
}

/** Nothing needs a policy, or that rows are hidden. */
function idsOf({
  kind,
  name,
  table = "",
}: Pick<DatabaseObject, "kind" | "name"> & { readonly table: string | undefined }): readonly string[] {
  if (kind === "policy" || kind === "row security") return [];
  if (kind === "trigger") return [`trigger ${table}.${name}`];
  return [kind === "row" ? `row ${table}.${name}` : `relation ${name}`];
}
