import { InputError, unknownName } from "../errors/index.ts";
import type { ColumnDescription, EntityDescription, RelationDescription } from "../schema/index.ts";
import type { Join, Projection, Select } from "../sql/index.ts";
import type { Slot } from "../statement/index.ts";
import { computing } from "./computing.ts";
import { behaviourFilters, type TableScope } from "./context.ts";
import { type FollowUp, planFollowUp } from "./follow-up.ts";
import { type Given, partOf } from "./given.ts";
import { plainObject, refuse, refuseUnknownOptions } from "./options.ts";
import type { Joined, JoinedRows } from "./order.ts";
import { countingParameter, nestedOptions, relatedSelect, type Strategy } from "./related.ts";
import { isJoinable, relatedConditions, relatedRows } from "./related-rows.ts";
import { conditionOf } from "./where.ts";

/** What one read gives: the tree's projections and, position by position, what they become in a row. */
export interface Selection {
  readonly projections: readonly Projection[];
  readonly slots: readonly Slot[];
  /** Rows of which there is at most one for each row read. */
  readonly joins: readonly Join[];
  /** Those of them that no condition of the caller's narrows, for an order that needs them too. */
  readonly joined: JoinedRows;
  /** Related rows that statements of their own read, once the rows are known. */
  readonly followUps: readonly FollowUp[];
}

/** What a read may ask for besides its rows. */
export interface ReadShape {
  readonly with?: object | undefined;
  readonly reveal?: readonly string[] | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly compute?: object | undefined;
  /** Of a relation through a table of links: columns of that. */
  readonly link?: readonly string[] | undefined;
  readonly counts?: object | undefined;
}

/** Where in a call a selection stands. */
export interface Place {
  /** Relations around it. */
  readonly depth: number;
  /** Whether a statement of its own can bring the rows of a relation to many. */
  readonly mayFollow: MayFollow;
  /** How many rows such a statement is for. @default "many" */
  readonly belongsTo?: "one" | "many";
}

type MayFollow = (
  scope: TableScope,
  relation: RelationDescription,
  columns: readonly ColumnDescription[],
) => boolean;

/** Rows inside rows come with them. */
const NEVER: MayFollow = () => false;

/** Relations inside relations; deeper ones are a mistake or an attack. */
const DEPTH_LIMIT = 6;

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

/** What a read asks for: columns, and relations as deep as the options go. `given` stands for those options. */
export function selectionOf(scope: TableScope, given: Given, place: Place): Selection {
  const { entity, table } = scope;
  const shape = readShape(given.value);
  const columns = chosenColumns(entity, shape, place.depth === 0 ? "columns" : `${given.path}.columns`);
  const parts: Part[] = columns.map((column) => ({
    projections: [{ kind: "value", of: { kind: "column", table, name: column.name } }],
    slots: [{ kind: "column", key: column.key, column }],
  }));
  for (const { column, of } of scope.computed?.values() ?? []) {
    parts.push({
      projections: [{ kind: "value", of }],
      slots: [{ kind: "column", key: column.key, column }],
    });
  }
  if (shape.link !== undefined) parts.push(linkPart(scope, partOf(given, "link")));
  const asked = partOf(given, "with", place.depth === 0 ? "with" : undefined);
  for (const [name, wanted] of Object.entries(plainObject(shape.with ?? {}, asked.path))) {
    if (wanted === false || wanted === undefined) continue;
    const nested = partOf(asked, name);
    const relation = relationNamed(scope, name, nested.path);
    if (place.depth >= DEPTH_LIMIT) refuse(nested.path, `is nested more than ${DEPTH_LIMIT} levels deep`);
    parts.push(relatedPart(scope, relation, nested, place, columns));
  }
  const counts = partOf(given, "counts", place.depth === 0 ? "counts" : undefined);
  if (shape.counts !== undefined) parts.push(countsPart(scope, counts));
  return {
    projections: parts.flatMap((part) => part.projections),
    slots: parts.flatMap((part) => part.slots),
    joins: parts.flatMap((part) => part.joins ?? []),
    joined: new Map(parts.flatMap((part) => [...(part.joined ?? [])])),
    followUps: parts.flatMap((part) => part.followUps ?? []),
  };
}

type Part = Pick<Selection, "projections" | "slots"> &
  Partial<Pick<Selection, "joins" | "joined" | "followUps">>;

function relationNamed({ context, entity }: TableScope, name: string, path: string): RelationDescription {
  const relations = context.schema.relationsOf(entity);
  return relations.get(name) ?? refuse(path, unknownName("relation", name, [...relations.keys()]));
}

/** What was asked for by name, in the entity's own order; secrets have to be revealed first. */
function chosenColumns(
  entity: EntityDescription,
  { columns, reveal }: ReadShape,
  path: string,
): readonly ColumnDescription[] {
  const allowed = publicColumns(entity, reveal);
  if (columns === undefined) return allowed;
  const keys = [...columnKeys(allowed, columns, path), ...(reveal ?? [])];
  return allowed.filter(({ key }) => keys.includes(key));
}

/** The keys of columns that were named, each of which is allowed. */
export function columnKeys(
  allowed: readonly ColumnDescription[],
  keys: unknown,
  path: string,
): readonly unknown[] {
  if (!Array.isArray(keys) || keys.length === 0) refuse(path, "must be a list of columns");
  const known = allowed.map(({ key }) => key);
  for (const key of keys) {
    if (!known.includes(key)) refuse(path, unknownName("column", key, known));
  }
  return keys;
}

/** Columns of the row between, which stand in an object of their own. */
function linkPart({ entity, context, computed, link }: TableScope, { value, path }: Given): Part {
  if (link === undefined) refuse(path, "is for relations through a table of links");
  const isTaken =
    entity.byKey.has("link") || context.schema.relationsOf(entity).has("link") || computed?.has("link");
  if (isTaken) refuse(path, `would stand where "${entity.name}" has a link of its own`);
  const allowed = publicColumns(link.entity);
  const keys = columnKeys(allowed, value, path);
  const chosen = allowed.filter(({ key }) => keys.includes(key));
  return {
    projections: chosen.map(({ name }) => ({
      kind: "value",
      of: { kind: "column", table: link.table, name },
    })),
    slots: [
      {
        kind: "group",
        key: "link",
        slots: chosen.map((column) => ({ kind: "column", key: column.key, column })),
        isOptional: false,
      },
    ],
  };
}

function relatedPart(
  scope: TableScope,
  relation: RelationDescription,
  given: Given,
  place: Place,
  columns: readonly ColumnDescription[],
): Part {
  const depth = place.depth + 1;
  switch (strategyOf(scope, relation, given, place.mayFollow(scope, relation, columns))) {
    case "join":
      return joinedPart(scope, relation, given, depth);
    case "statement":
      return {
        projections: [],
        slots: [{ kind: "related", key: relation.name }],
        followUps: [
          planFollowUp(scope, relation, given, place.belongsTo ?? "many", (inside) =>
            selectionOf(inside, given, { depth, mayFollow: NEVER }),
          ),
        ],
      };
    case "json": {
      const { maxDepth } = nestedOptions(relation, given);
      const deepest = maxDepth === undefined ? undefined : countingParameter(partOf(given, "maxDepth"));
      const found = relatedRows(scope, relation, deepest);
      const rows = { ...found, inside: computing(found.inside, given) };
      const selection = selectionOf(rows.inside, given, { depth, mayFollow: NEVER });
      const many = relation.kind === "many";
      return {
        projections: [{ kind: "nested", many, of: relatedSelect(rows, relation, given, selection) }],
        slots: [{ kind: "nested", key: relation.name, many, slots: selection.slots }],
      };
    }
  }
}

/**
 * How a relation is read. One row is joined; many rows are a statement of their own, which reads them as they are
 * instead of through JSON, where the rows it belongs to are many themselves; everywhere else JSON brings them along.
 */
function strategyOf(
  scope: TableScope,
  relation: RelationDescription,
  given: Given,
  mayFollow: boolean,
): Strategy {
  const { strategy: wanted } = nestedOptions(relation, given);
  const possible: readonly Strategy[] =
    relation.kind === "one"
      ? isJoinable(relation, scope)
        ? ["join", "json"]
        : ["json"]
      : mayFollow
        ? ["statement", "json"]
        : ["json"];
  if (wanted === undefined) return possible[0] ?? "json";
  return (
    possible.find((strategy) => strategy === wanted) ??
    refuse(`${given.path}.strategy`, `must be ${possible.join(" or ")} here`)
  );
}

/** The related row's columns stand among those of its row; whether there is one, its primary key tells. */
function joinedPart(outer: TableScope, relation: RelationDescription, given: Given, depth: number): Part {
  const inside = computing(relatedRows(outer, relation).inside, given);
  const { table, entity } = inside;
  const { where } = nestedOptions(relation, given);
  const selection = selectionOf(inside, given, { depth, mayFollow: NEVER });
  const markedBy = markerIn(selection.slots, entity);
  const found = (entity.primaryKey.columns[0] ?? entity.columns[0])?.name ?? "";
  const marker: Projection = { kind: "value", of: { kind: "column", table, name: found } };
  const own = where === undefined ? [] : [{ condition: conditionOf(inside, partOf(given, "where")) }];
  const on = [...relatedConditions(outer, inside, relation), ...own, ...behaviourFilters(inside)];
  const join: Join = { table, on };
  return {
    projections: [...(markedBy === undefined ? [marker] : []), ...selection.projections],
    slots: [{ kind: "group", key: relation.name, slots: selection.slots, isOptional: true, markedBy }],
    joins: [join, ...selection.joins],
    joined: where === undefined ? joinedBy(relation, { inside, join }, selection.joined) : new Map(),
  };
}

/** A column among those shown that is never null in a row: a key's, unless its own mapping could make null of a value. */
function markerIn(slots: readonly Slot[], { primaryKey }: EntityDescription): string | undefined {
  const marker = slots.find(
    (slot) =>
      slot.kind === "column" &&
      slot.column.kind !== "custom" &&
      slot.column.kind !== "json" &&
      primaryKey.columns.includes(slot.column),
  );
  return marker?.key;
}

function joinedBy({ name }: RelationDescription, joined: Joined, further: JoinedRows): JoinedRows {
  return new Map([[name, joined], ...[...further].map(([way, found]) => [`${name}.${way}`, found] as const)]);
}

/** How many related rows there are, of each relation asked for. */
function countsPart(scope: TableScope, given: Given): Part {
  const counted = Object.entries(plainObject(given.value, given.path))
    .filter(([, wanted]) => wanted !== false && wanted !== undefined)
    .map(([name]) => {
      const asked = partOf(given, name);
      const relation = relationNamed(scope, name, asked.path);
      if (relation.kind === "one") refuse(asked.path, "is one row; counts are of relations to many");
      const rows = relatedRows(scope, relation);
      const { where } = countOptions(asked);
      const own =
        where === undefined ? [] : [{ condition: conditionOf(rows.inside, partOf(asked, "where")) }];
      const of: Select = {
        kind: "select",
        from: rows.inside.table,
        link: rows.link,
        walk: rows.walk,
        projections: [],
        filters: [...rows.filters, ...own],
        orderBy: [],
      };
      return { name, projection: { kind: "value", of: { kind: "count-of", of } } as const };
    });
  return {
    projections: counted.map(({ projection }) => projection),
    slots: [
      {
        kind: "group",
        key: "counts",
        slots: counted.map(({ name }) => ({ kind: "count", key: name })),
        isOptional: false,
      },
    ],
  };
}

function countOptions({ value, path }: Given): { readonly where?: unknown } {
  if (value === true) return {};
  refuseUnknownOptions(value, ["where"], path);
  return typeof value === "object" && value !== null ? value : {};
}

/** What `true` stands for has no options of its own. */
function readShape(options: unknown): ReadShape {
  return typeof options === "object" && options !== null ? options : {};
}
