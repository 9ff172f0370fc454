import type {
  EntityDescription,
  ObjectDescription,
  RoutineDescription,
  SchemaDescription,
} from "../../schema/index.ts";
import { quoteIdentifier, quoteLiteral } from "../../sql/index.ts";
import type { Names } from "./names.ts";
import { signatureOf } from "./routines.ts";

/** What everything says about itself. Comments go with what they are on. */
export function commentSql(schema: SchemaDescription, names: Names): readonly string[] {
  const enums = schema.enums.flatMap(({ name, comment }) => says(`type ${quoteIdentifier(name)}`, comment));
  return [
    ...enums,
    ...schema.entities.flatMap(ofEntity),
    ...schema.policies.flatMap(({ name, table, comment }) =>
      says(`policy ${quoteIdentifier(name)} on ${quoteIdentifier(table)}`, comment),
    ),
    ...schema.objects.flatMap((object) => ofObject(object, names)),
  ];
}

function ofEntity(entity: EntityDescription): readonly string[] {
  const table = quoteIdentifier(entity.name);
  const keys = [entity.primaryKey, ...entity.foreignKeys, ...entity.checks];
  return [
    ...says(`table ${table}`, entity.comment),
    ...entity.columns.flatMap(({ name, marks }) =>
      says(`column ${table}.${quoteIdentifier(name)}`, marks.comment),
    ),
    ...keys.flatMap(({ name, comment }) => says(`constraint ${quoteIdentifier(name)} on ${table}`, comment)),
    ...entity.uniques.flatMap(({ name, comment, livingOnly }) =>
      // Among living rows only, a unique key is an index.
      says(
        livingOnly ? `index ${quoteIdentifier(name)}` : `constraint ${quoteIdentifier(name)} on ${table}`,
        comment,
      ),
    ),
    ...entity.indexes.flatMap(({ name, comment }) => says(`index ${quoteIdentifier(name)}`, comment)),
    ...(entity.partitioning?.partitions ?? []).flatMap(({ name, comment }) =>
      says(`table ${quoteIdentifier(name)}`, comment),
    ),
  ];
}

function ofObject(object: ObjectDescription, names: Names): readonly string[] {
  if (object.kind === "grant") return [];
  const name = quoteIdentifier(object.name);
  switch (object.kind) {
    case "function":
    case "procedure":
      return says(
        `${object.kind} ${signatureOf(object satisfies RoutineDescription, names)}`,
        object.comment,
      );
    case "trigger":
      return says(`trigger ${name} on ${quoteIdentifier(object.table)}`, object.comment);
    case "composite type":
      return says(`type ${name}`, object.comment);
    case "view":
    case "materialized view":
      return [
        ...says(`${object.kind} ${name}`, object.comment),
        ...object.indexes.flatMap((index) => says(`index ${quoteIdentifier(index.name)}`, index.comment)),
      ];
    default:
      return says(`${object.kind} ${name}`, object.comment);
  }
}

function says(what: string, comment: string | undefined): readonly string[] {
  return comment === undefined ? [] : [`comment on ${what} is ${quoteLiteral(comment).trim()}`];
}
