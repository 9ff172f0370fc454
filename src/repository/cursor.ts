import { createHash } from "node:crypto";
import { InputError } from "../errors/index.ts";
import type { EntityDescription } from "../schema/index.ts";
import type { Condition, Expression, ParameterNode, TableReference } from "../sql/index.ts";
import { decoderOf } from "../statement/index.ts";
import type { SortColumn } from "./sort.ts";

/** Longer texts are not read. A cursor holds one row's sort values, and a text among them may be long. */
const CURSOR_LENGTH_LIMIT = 1_048_576;
const CHECKSUM_LENGTH = 12;

type Cell = string | null;

/**
 * A place in a total order: the sort values of the last row seen, as PostgreSQL's own text, so that microseconds
 * and numerics are exact. Opaque, and bound to the entity and its sort; the checksum catches anything that was
 * not made for them. It is no secret: a cursor says nothing that the row it was made from did not.
 */
export function encodeCursor(
  entity: EntityDescription,
  order: readonly SortColumn[],
  cells: readonly Cell[],
): string {
  const body = JSON.stringify(cells);
  const cursor = Buffer.from(checksum(entity, order, body) + body).toString("base64url");
  if (cursor.length <= CURSOR_LENGTH_LIMIT) return cursor;
  const message = "the last row's values are too long for a cursor; sort by shorter columns";
  throw new InputError("INVALID_QUERY", [{ path: "sort", message }]);
}

/** @throws {INVALID_CURSOR} */
export function decodeCursor(
  entity: EntityDescription,
  order: readonly SortColumn[],
  cursor: unknown,
): readonly Cell[] {
  if (typeof cursor !== "string" || cursor.length > CURSOR_LENGTH_LIMIT) refuse();
  const bytes = Buffer.from(cursor, "base64url");
  // Decoding passes over characters that do not belong; one place has one cursor.
  if (bytes.toString("base64url") !== cursor) refuse();
  const text = bytes.toString();
  const body = text.slice(CHECKSUM_LENGTH);
  if (text.slice(0, CHECKSUM_LENGTH) !== checksum(entity, order, body)) refuse();
  const cells = parse(body);
  if (!Array.isArray(cells) || cells.length !== order.length) refuse();
  return order.map(({ column }, i) => {
    const cell: unknown = cells[i];
    if (cell === null && !column.notNull) return null;
    if (typeof cell !== "string" || cell.includes("\0")) refuse();
    try {
      decoderOf(column)(cell);
    } catch {
      refuse();
    }
    return cell;
  });
}

function refuse(): never {
  throw new InputError("INVALID_CURSOR", [
    { path: "after", message: "is not a cursor of this list and its sort; null starts from the first page" },
  ]);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    refuse();
  }
}

function checksum(entity: EntityDescription, order: readonly SortColumn[], body: string): string {
  const sort = order.map(({ column, descending }) => (descending ? `-${column.name}` : column.name)).join();
  return createHash("sha256")
    .update(`${entity.schema}.${entity.name} ${sort} ${body}`)
    .digest("base64url")
    .slice(0, CHECKSUM_LENGTH);
}

/**
 * "Comes after these values": column by column, mixed directions and nulls as PostgreSQL sorts them (last when
 * ascending, first when descending). The bound on the first column alone stands in front because an index can use
 * it, which it cannot use the `or` for.
 */
export function afterCursor(
  order: readonly SortColumn[],
  table: TableReference,
  cells: readonly Cell[],
): Condition {
  const steps = order.map(({ column, descending }, i) => ({
    of: { kind: "column", table, name: column.name } as const,
    descending,
    nullable: !column.notNull,
    value:
      cells[i] === null || cells[i] === undefined ? null : ({ kind: "parameter", value: cells[i] } as const),
  }));
  let after: Condition | undefined;
  for (const step of steps.toReversed()) {
    const strict = strictlyAfter(step);
    const rest: Condition[] = after === undefined ? [] : [{ kind: "and", of: [equal(step), after] }];
    after = { kind: "or", of: [...strict, ...rest] };
  }
  const [first] = steps;
  if (after === undefined || first === undefined) return { kind: "and", of: [] };
  if (first.value === null || first.nullable) return after;
  const bound: Condition = {
    kind: "comparison",
    operator: first.descending ? "<=" : ">=",
    left: first.of,
    right: first.value,
  };
  return { kind: "and", of: [bound, after] };
}

interface Step {
  readonly of: Expression;
  readonly descending: boolean;
  readonly nullable: boolean;
  readonly value: ParameterNode | null;
}

function strictlyAfter({ of, descending, nullable, value }: Step): readonly Condition[] {
  if (value === null) return descending ? [{ kind: "null", of, negated: true }] : [];
  const beyond: Condition = { kind: "comparison", operator: descending ? "<" : ">", left: of, right: value };
  return nullable && !descending ? [beyond, { kind: "null", of, negated: false }] : [beyond];
}

function equal({ of, value }: Step): Condition {
  return value === null
    ? { kind: "null", of, negated: false }
    : { kind: "comparison", operator: "=", left: of, right: value };
}
