import { InputError, unknownName } from "../errors/index.ts";
import type {
  ColumnDescription,
  EntityDescription,
  RelationDescription,
  Visibility,
} from "../schema/index.ts";
import type { Condition, ParameterNode, Projection, Select, TableReference } from "../sql/index.ts";
import type { Slot } from "../statement/index.ts";
import { behaviourFilters, type RepositoryContext } from "./context.ts";
import { plainObject, refuse, refuseUnknownOptions } from "./options.ts";
import { orderings, totalOrder } from "./sort.ts";
import { conditionOf } from "./where.ts";

/** What one read gives: the tree's projections and, position by position, what they become in a row. */
export interface Selection {
  readonly projections: readonly Projection[];
  readonly slots: readonly Slot[];
}

interface NestedOptions {
  readonly with?: object;
  readonly where?: object;
  readonly sort?: unknown;
  readonly limit?: unknown;
}

/** Relations inside relations; deeper ones are a mistake or an attack. */
const DEPTH_LIMIT = 6;
const ONE_OPTION_NAMES = ["with", "where"];
const MANY_OPTION_NAMES = [...ONE_OPTION_NAMES, "sort", "limit"];

/** The columns that leave a repository: all but secrets, and those secrets that were asked for by name. */
export function publicColumns(
  entity: EntityDescription,
  reveal: readonly string[] = [],
): readonly ColumnDescription[] {
  if (!Array.isArray(reveal)) refuse("reveal", "must be a list");
  for (const key of reveal) {
    if (entity.byKey.get(key)?.marks.secret === true) continue;
    const secrets = entity.columns
      .filter((column) => column.marks.secret === true)
      .map((column) => column.key);
    throw new InputError("INVALID_QUERY", [
      { path: "reveal", message: unknownName("secret column", key, secrets) },
    ]);
  }
  return entity.columns.filter((column) => column.marks.secret !== true || reveal.includes(column.key));
}

export function selectionOf(
  context: RepositoryContext,
  entity: EntityDescription,
  table: TableReference,
  reference: (entity: EntityDescription) => TableReference,
  options: { readonly with?: object | undefined; readonly reveal?: readonly string[] | undefined },
  visibility: Visibility,
  depth = 0,
  within = "with",
): Selection {
  const columns = publicColumns(entity, options.reveal);
  const projections: Projection[] = columns.map((column) => ({
    kind: "value",
    of: { kind: "column", table, name: column.name },
  }));
  const slots: Slot[] = columns.map((column) => ({ kind: "column", key: column.key, column }));
  const relations = context.schema.relationsOf(entity);
  for (const [name, wanted] of Object.entries(plainObject(options.with ?? {}, within))) {
    if (wanted === false || wanted === undefined) continue;
    const path = `${within}.${name}`;
    const relation = relations.get(name);
    if (relation === undefined) refuse(path, unknownName("relation", name, [...relations.keys()]));
    if (depth >= DEPTH_LIMIT) refuse(path, `is nested more than ${DEPTH_LIMIT} levels deep`);
    const wantedOptions = nestedOptions(relation, wanted, path);
    const nested = nestedSelect(context, relation, table, reference, wantedOptions, visibility, depth, path);
    projections.push({ kind: "nested", many: relation.kind === "many", of: nested.select });
    slots.push({ kind: "nested", key: name, many: relation.kind === "many", slots: nested.slots });
  }
  return { projections, slots };
}

/** Whoever asked for the dead sees their relations as they are; everybody else sees living rows at every depth. */
function nestedSelect(
  context: RepositoryContext,
  relation: RelationDescription,
  outer: TableReference,
  reference: (entity: EntityDescription) => TableReference,
  options: NestedOptions,
  visibility: Visibility,
  depth: number,
  path: string,
): { readonly select: Select; readonly slots: readonly Slot[] } {
  const { target } = relation;
  const table = reference(target);
  const seen: Visibility = visibility === "living" ? "living" : "all";
  const selection = selectionOf(
    context,
    target,
    table,
    reference,
    { with: options.with },
    seen,
    depth + 1,
    `${path}.with`,
  );
  const own =
    options.where === undefined
      ? []
      : [{ condition: conditionOf(target, table, options.where, `${path}.where`) }];
  return {
    slots: selection.slots,
    select: {
      kind: "select",
      from: table,
      projections: selection.projections,
      filters: [
        ...joinConditions(relation, table, outer).map((condition) => ({ condition })),
        ...own,
        ...behaviourFilters(context, target, table, seen),
      ],
      orderBy:
        relation.kind === "many" ? orderings(totalOrder(target, options.sort, `${path}.sort`), table) : [],
      limit: relation.kind === "many" ? nestedLimit(options.limit, `${path}.limit`) : undefined,
    },
  };
}

function joinConditions(
  relation: RelationDescription,
  table: TableReference,
  outer: TableReference,
): readonly Condition[] {
  return relation.targetColumns.map((name, i) => ({
    kind: "comparison",
    operator: "=",
    left: { kind: "column", table, name },
    right: { kind: "column", table: outer, name: relation.sourceColumns[i] ?? name },
  }));
}

function nestedOptions(relation: RelationDescription, wanted: unknown, path: string): NestedOptions {
  if (wanted === true) return {};
  if (typeof wanted !== "object" || wanted === null) refuse(path, "must be true or an object of options");
  refuseUnknownOptions(wanted, relation.kind === "many" ? MANY_OPTION_NAMES : ONE_OPTION_NAMES, path);
  return wanted;
}

function nestedLimit(limit: unknown, path: string): ParameterNode | undefined {
  if (limit === undefined) return undefined;
  if (typeof limit !== "number" || !Number.isSafeInteger(limit) || limit < 1) {
    refuse(path, "must be a whole number, 1 or more");
  }
  return { kind: "parameter", value: String(limit) };
}
