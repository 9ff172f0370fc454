import { isPgEnum, isPgSequence } from "drizzle-orm/pg-core";
import { SchemaError } from "../../errors/index.ts";
import { quoteIdentifier } from "../../sql/index.ts";
import type { ColumnDescription, ObjectId } from "../description.ts";
import { nameOfRelation } from "../drizzle-sql.ts";
import { declaredAs } from "./registry.ts";

const GROUPS: Readonly<Record<string, "type" | "relation" | "routine" | "extension">> = {
  function: "routine",
  procedure: "routine",
  view: "relation",
  "materialized view": "relation",
  sequence: "relation",
  enum: "type",
  domain: "type",
  "composite type": "type",
  extension: "extension",
};

/** What an object is called in the order of things; `undefined` for what is none, or lives in another schema. */
export function objectId(object: object, home: string): ObjectId | undefined {
  const declared = declaredAs(object);
  if (declared !== undefined) {
    const group = GROUPS[declared.kind];
    return group === undefined || declared.schema !== home ? undefined : `${group} ${declared.name}`;
  }
  if (isPgEnum(object)) return object.schema === home ? `type ${object.enumName}` : undefined;
  if (isPgSequence(object)) return object.schema === home ? `relation ${object.seqName ?? ""}` : undefined;
  const relation = nameOfRelation(object);
  return relation?.schema === home ? `relation ${relation.name}` : undefined;
}

export function objectIds(objects: Iterable<object>, home: string): readonly ObjectId[] {
  const ids = new Set<ObjectId>();
  for (const object of objects) {
    const id = objectId(object, home);
    if (id !== undefined) ids.add(id);
  }
  return [...ids];
}

/**
 * The ids of what a declaration says it depends on.
 *
 * @throws {SCHEMA_INVALID} for what is none of the schema's objects: it would order nothing.
 */
export function dependencyIds(what: string, dependsOn: readonly object[], home: string): readonly ObjectId[] {
  return dependsOn.map((object) => {
    const id = objectId(object, home);
    if (id !== undefined) return id;
    throw new SchemaError(`${what} depends on something that is not declared in schema "${home}"`, {
      hint: "dependsOn takes entities and what app.function(…), app.view(…) and the like gave.",
    });
  });
}

/** The declared types that columns, arguments or attributes are of. */
export function typeIds(columns: readonly ColumnDescription[], home: string): readonly ObjectId[] {
  const prefix = `${quoteIdentifier(home)}.`;
  return columns.flatMap(({ sqlType, domain = sqlType }): ObjectId[] => {
    const quoted = domain.startsWith(prefix) ? /^"((?:[^"]|"")+)"/.exec(domain.slice(prefix.length)) : null;
    return quoted?.[1] === undefined ? [] : [`type ${quoted[1].replaceAll('""', '"')}`];
  });
}
