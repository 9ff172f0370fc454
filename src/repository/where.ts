import { unknownName } from "../errors/index.ts";
import type { ColumnDescription } from "../schema/index.ts";
import type { Condition } from "../sql/index.ts";
import type { TableScope } from "./context.ts";
import { type Given, partOf } from "./given.ts";
import { isPlainObject, refuse } from "./options.ts";
import { columnCondition } from "./where/column-condition.ts";
import { propertiesOf } from "./where/properties.ts";
import { relationCondition } from "./where/relation-condition.ts";
import { sqlCondition } from "./where/sql.ts";

/** Conditions inside conditions; deeper ones are no longer something a person wrote. */
const DEPTH_LIMIT = 20;
/** Relations inside relations, as in `with`. */
const RELATION_DEPTH_LIMIT = 6;
/** Operators of columns in one `where`; a list of values is one. Each has two of a statement's 65,535 parameters at most. */
const CONDITIONS_LIMIT = 10_000;
/** Each is a subselect that PostgreSQL plans and, where it expects many rows, compiles: 100 of them took it 20 s to compile. */
const RELATION_CONDITIONS_LIMIT = 20;

/** Where in a `where` a condition stands. */
interface Standing {
  readonly scope: TableScope;
  /** The entities around it, the nearest first: what SQL of the application's own may name. */
  readonly around: readonly TableScope[];
  readonly depth: number;
  /** Of the whole `where`, so far. */
  readonly count: { columns: number; relations: number };
}

/** A `where` that may be left out: then it holds for every row. */
export function optionalCondition(scope: TableScope, given: Given): Condition {
  return given.value === undefined ? { kind: "and", of: [] } : conditionOf(scope, given);
}

/**
 * A caller's `where` as a condition of the tree. Unknown properties, `undefined` and unfit values are refused: a
 * filter that silently fell away would show or touch every row.
 *
 * @throws {INVALID_QUERY} {INVALID_VALUE} with the path of each offender.
 */
export function conditionOf(scope: TableScope, given: Given): Condition {
  return conditionAt({ scope, around: [], depth: 0, count: { columns: 0, relations: 0 } }, given);
}

function conditionAt(standing: Standing, given: Given): Condition {
  const { scope, around, depth } = standing;
  if (depth > DEPTH_LIMIT) refuse(given.path, `is nested more than ${DEPTH_LIMIT} levels deep`);
  const own = sqlCondition([scope, ...around], given);
  if (own !== undefined) return own;
  const keys = propertiesOf(given.value, given.path);
  return { kind: "and", of: keys.map((key) => propertyCondition(standing, key, partOf(given, key))) };
}

function propertyCondition(standing: Standing, key: string, given: Given): Condition {
  const { scope, depth, count } = standing;
  const deeper = { ...standing, depth: depth + 1 };
  if (given.value === undefined) refuse(given.path, "is undefined; leave the property out instead");
  if (key === "and" || key === "or") {
    if (!Array.isArray(given.value)) refuse(given.path, "must be a list of conditions");
    return { kind: key, of: Array.from(given.value, (_, i) => conditionAt(deeper, partOf(given, i))) };
  }
  if (key === "not" && !scope.entity.byKey.has("not")) return { kind: "not", of: conditionAt(deeper, given) };
  const relation = scope.context.schema.relationsOf(scope.entity).get(key);
  if (relation !== undefined) {
    if (++count.relations > RELATION_CONDITIONS_LIMIT)
      refuse(given.path, `is one of more than ${RELATION_CONDITIONS_LIMIT} conditions on relations`);
    if (standing.around.length >= RELATION_DEPTH_LIMIT)
      refuse(given.path, `is nested more than ${RELATION_DEPTH_LIMIT} relations deep`);
    const around = [scope, ...standing.around];
    return relationCondition(scope, relation, given, (inside, part) =>
      conditionAt({ ...deeper, scope: inside, around }, part),
    );
  }
  count.columns += isPlainObject(given.value) ? Math.max(1, Object.keys(given.value).length) : 1;
  if (count.columns > CONDITIONS_LIMIT)
    refuse(
      given.path,
      `is one of more than ${CONDITIONS_LIMIT.toLocaleString("en")} conditions; a list of values (in) counts as one`,
    );
  const computed = scope.computed?.get(key);
  if (computed !== undefined) return columnCondition(computed.column, computed.of, given);
  const column = filterableColumn(scope, key, given.path);
  return columnCondition(column, { kind: "column", table: scope.table, name: column.name }, given);
}

function filterableColumn(
  { entity, context, computed }: TableScope,
  key: string,
  path: string,
): ColumnDescription {
  const column = entity.byKey.get(key);
  if (column !== undefined && column.marks.secret !== true) return column;
  const columns = entity.columns.filter((candidate) => candidate.marks.secret !== true).map((c) => c.key);
  const known = [...columns, ...(computed?.keys() ?? []), ...context.schema.relationsOf(entity).keys()];
  return refuse(path, unknownName("column", key, known));
}
