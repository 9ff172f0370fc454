import type { ColumnDescription, RelationDescription } from "../schema/index.ts";
import type { Expression, Join, Ordering, TableReference } from "../sql/index.ts";
import { behaviourFilters, type TableScope } from "./context.ts";
import { relatedConditions, within } from "./related-rows.ts";
import type { SortTerm } from "./sort.ts";

/** A row that a relation to one leads to, as it is joined to the rows of a statement. */
export interface Joined {
  readonly inside: TableScope;
  readonly join: Join;
}

/** Rows that a statement joins anyway, by the relations that lead to them: `project`, `project.owner`. */
export type JoinedRows = ReadonlyMap<string, Joined>;

/** An order within a statement. */
export interface PlacedOrder {
  readonly orderBy: readonly Ordering[];
  /** What the order refers to beside the table itself. */
  readonly orderJoins: readonly Join[];
}

/** Writes an order for a table. Related rows are joined where the statement does not join them already. */
export function placeOrder(
  scope: TableScope,
  order: readonly SortTerm[],
  joined: JoinedRows = new Map(),
): PlacedOrder {
  const reach = createReach(scope, joined);
  const orderBy = order.map((term): Ordering => {
    const table = term.link ?? reach.to(term.through).table;
    return ordering(term.computed?.of ?? { kind: "column", table, name: term.column.name }, term);
  });
  return { orderBy, orderJoins: reach.joins() };
}

/** Related rows that parts of a statement refer to, each joined once. */
export interface Reach {
  /** The row that relations to one lead to; without any, the table's own. */
  to(through: readonly RelationDescription[]): TableScope;
  /** What has been reached. */
  joins(): readonly Join[];
}

export function createReach(scope: TableScope, joined: JoinedRows = new Map()): Reach {
  const known = new Map(joined);
  const joins = new Set<Join>();
  return {
    to(through) {
      let [at, way] = [scope, ""];
      for (const relation of through) {
        way = way === "" ? relation.name : `${way}.${relation.name}`;
        let found = known.get(way);
        if (found === undefined) {
          const inside = within(at, relation.target);
          const on = [...relatedConditions(at, inside, relation), ...behaviourFilters(inside)];
          found = { inside, join: { table: inside.table, on } };
          known.set(way, found);
        }
        joins.add(found.join);
        at = found.inside;
      }
      return at;
    },
    joins: () => [...joins],
  };
}

/** PostgreSQL puts nulls last, and first when descending: only another wish is written down. */
export function ordering(
  of: Expression,
  { descending, nullsFirst, isNullable }: Pick<SortTerm, "descending" | "nullsFirst" | "isNullable">,
): Ordering {
  if (!isNullable || nullsFirst === descending) return { of, descending };
  return { of, descending, nulls: nullsFirst ? "first" : "last" };
}

/** Columns of the table itself, the last in each first. */
export function descendingBy(
  columns: readonly ColumnDescription[],
  table: TableReference,
): readonly Ordering[] {
  return columns.map(({ name }) => ({ of: { kind: "column", table, name }, descending: true }));
}
