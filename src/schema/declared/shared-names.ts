import { SchemaError } from "../../errors/index.ts";
import type { EntityDescription, EnumDescription } from "../description.ts";
import type { ObjectDescription } from "../object-description.ts";

/** Names that exclude each other, and what has them. PostgreSQL has one set of names for each of these. */
type Namespace = Map<string, string>;

/**
 * Refuses two things of one name where PostgreSQL has room for one: tables, views, sequences and indexes; types and
 * what has a row type; functions and procedures; triggers of one table.
 *
 * @throws {SCHEMA_INVALID}
 */
export function refuseSharedNames(
  entities: readonly EntityDescription[],
  enums: readonly EnumDescription[],
  objects: readonly ObjectDescription[],
): void {
  const relations: Namespace = new Map();
  const types: Namespace = new Map();
  const routines: Namespace = new Map();
  const triggers: Namespace = new Map();
  const extensions: Namespace = new Map();
  const taken = (spaces: readonly Namespace[], place: string, name: string, what: string): void => {
    for (const space of spaces) {
      const id = JSON.stringify([place, name]);
      const other = space.get(id);
      if (other !== undefined) throw sharedName(place, name, other, what);
      space.set(id, what);
    }
  };
  for (const entity of entities) {
    taken([relations, types], entity.schema, entity.name, "entity");
    for (const { name } of entity.partitioning?.partitions ?? []) {
      taken([relations, types], entity.schema, name, `partition of "${entity.name}"`);
    }
  }
  for (const { schema = "", name } of enums) taken([types], schema, name, "enum");
  for (const object of objects) {
    const { kind, schema } = object;
    switch (kind) {
      case "grant":
        break;
      case "view":
      case "materialized view":
        taken([relations, types], schema, object.name, kind);
        break;
      case "sequence":
        taken([relations], schema, object.name, kind);
        break;
      case "domain":
      case "composite type":
        taken([types], schema, object.name, kind);
        break;
      case "function":
      case "procedure":
        taken([routines], schema, object.name, kind);
        break;
      case "trigger":
        taken([triggers], `${schema}.${object.table}`, object.name, kind);
        break;
      case "extension":
        taken([extensions], "", object.name, kind);
        break;
    }
  }
  for (const { schema, name, index } of indexNames(entities, objects))
    taken([relations], schema, index, `index of "${name}"`);
}

interface IndexName {
  readonly schema: string;
  readonly name: string;
  readonly index: string;
}

/** Keys have an index of their name. */
function indexNames(
  entities: readonly EntityDescription[],
  objects: readonly ObjectDescription[],
): readonly IndexName[] {
  const ofTables = entities.flatMap(({ schema, name, primaryKey, uniques, indexes }) =>
    [primaryKey, ...uniques, ...indexes].map((index) => ({ schema, name, index: index.name })),
  );
  const ofViews = objects.flatMap((object) =>
    object.kind === "materialized view" || object.kind === "view"
      ? object.indexes.map((index) => ({ schema: object.schema, name: object.name, index: index.name }))
      : [],
  );
  return [...ofTables, ...ofViews];
}

function sharedName(place: string, name: string, one: string, other: string): SchemaError {
  const where = one === "extension" ? "" : ` in ${one === "trigger" ? "table" : "schema"} "${place}"`;
  const both = one === other ? `two ${plural(one)}` : `${article(one)} and ${article(other)}`;
  const hint =
    one === "function" || one === "procedure"
      ? "One name has one signature here: give the other its own name, or an argument a default."
      : "Give one of them another name.";
  return new SchemaError(
    `${both} are called "${name}"${where}`,
    one === "entity" && other === one ? {} : { hint },
  );
}

function article(what: string): string {
  return /^[aeiou]/.test(what) ? `an ${what}` : `a ${what}`;
}

/** `partition of "t"` is `partitions of "t"`. */
function plural(what: string): string {
  const [kind = "", ...of] = what.split(" of ");
  const many = kind === "entity" ? "entities" : kind === "index" ? "indexes" : `${kind}s`;
  return [many, ...of].join(" of ");
}
