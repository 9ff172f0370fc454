import { InputError } from "../errors/index.ts";
import type { EntityDescription } from "../schema/index.ts";
import type { Call, Condition, Expression, ParameterNode } from "../sql/index.ts";
import { decoderOf } from "../statement/index.ts";
import type { SortTerm } from "./sort.ts";

/** Longer texts are not read. A cursor holds one row's sort values, and a text among them may be long. */
const CURSOR_LENGTH_LIMIT = 1_048_576;

/** One sort value, as PostgreSQL's text. */
export type Cell = string | null;

/**
 * Places in a total order: the sort values of the last row seen, as PostgreSQL's own text, so that microseconds
 * and numerics are exact. Opaque, and bound to the entity and its sort; the checksum catches anything that was
 * not made for them. It is no secret: a cursor says nothing that the row it was made from did not.
 *
 * Made once for each shape of a list.
 */
export class Cursors {
  readonly #order: readonly SortTerm[];
  readonly #decoders: readonly ((cell: string) => unknown)[];
  readonly #placeIn: (call: Call) => string;

  constructor(entity: EntityDescription, order: readonly SortTerm[]) {
    this.#order = order;
    this.#decoders = order.map(({ column }) => decoderOf(column));
    const placeIn = (call: Call): string => JSON.stringify([entity.schema, entity.name, sortIn(order, call)]);
    const place = order.some(({ computed }) => computed !== undefined) ? undefined : placeIn(NO_CALL);
    this.#placeIn = place === undefined ? placeIn : () => place;
  }

  encode(cells: readonly Cell[], call: Call): string {
    const body = JSON.stringify(cells);
    const cursor = Buffer.from(checksum(this.#placeIn(call), body) + body).toString("base64url");
    if (cursor.length <= CURSOR_LENGTH_LIMIT) return cursor;
    const message = "the last row's values are too long for a cursor; sort by shorter columns";
    throw new InputError("INVALID_QUERY", [{ path: "sort", message }]);
  }

  /** @throws {INVALID_CURSOR} */
  decode(cursor: unknown, call: Call): readonly Cell[] {
    if (typeof cursor !== "string" || cursor.length > CURSOR_LENGTH_LIMIT) refuse();
    const bytes = Buffer.from(cursor, "base64url");
    // Decoding passes over characters that do not belong; one place has one cursor.
    if (bytes.toString("base64url") !== cursor) refuse();
    const text = bytes.toString();
    const body = text.slice(CHECKSUM_LENGTH);
    if (text.slice(0, CHECKSUM_LENGTH) !== checksum(this.#placeIn(call), body)) refuse();
    const cells = parse(body);
    if (!Array.isArray(cells) || cells.length !== this.#order.length) refuse();
    return this.#order.map(({ isNullable }, i) => {
      const cell: unknown = cells[i];
      if (cell === null && isNullable) return null;
      if (typeof cell !== "string" || cell.includes("\0")) refuse();
      try {
        this.#decoders[i]?.(cell);
      } catch {
        refuse();
      }
      return cell;
    });
  }
}

const NO_CALL: Call = { input: [], actor: undefined };

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

function sortIn(order: readonly SortTerm[], call: Call): unknown {
  return order.map(({ through, column, computed, descending, nullsFirst, isNullable }) => [
    ...through.map(({ name }) => name),
    column.name,
    ...(computed === undefined ? [] : [computed.identityIn(call)]),
    descending,
    isNullable && nullsFirst,
  ]);
}

const WORD_LENGTH = 7;
const CHECKSUM_LENGTH = 2 * WORD_LENGTH;

/**
 * Two words of 32 bits over both texts, each by multiplication and exclusive or (FNV-1a with two primes, then mixed). It
 * guards against mistakes, and costs a tenth of a cryptographic hash, which nobody would have to break to write a cursor.
 */
function checksum(place: string, body: string): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (const text of [place, " ", body]) {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b ^ code, 0x85ebca6b);
    }
  }
  return word(a ^ (b >>> 15)) + word(b ^ (a >>> 13));
}

function word(bits: number): string {
  return (bits >>> 0).toString(36).padStart(WORD_LENGTH, "0");
}

/**
 * "Comes after these values": column by column, mixed directions, and nulls where the order puts them. Where all columns
 * go one way and none is null, one comparison of rows says it, which an index on them follows. Otherwise the bound on
 * the first column alone stands in front because an index can use it, which it cannot use the `or` for. Which of the
 * values are null decides the form; the others are parameters.
 *
 * @param of what the order's terms are in the statement, one for each.
 */
export function afterCursor(
  order: readonly SortTerm[],
  of: readonly Expression[],
  cells: readonly Cell[],
  cellsIn: (call: Call) => readonly Cell[],
): Condition {
  const steps = order.flatMap((term, i): Step[] => {
    const expression = of[i];
    if (expression === undefined) return [];
    const cell: ParameterNode = { kind: "parameter", value: (call) => cellsIn(call)[i] ?? null };
    return [{ ...term, of: expression, value: (cells[i] ?? null) === null ? null : cell }];
  });
  const [first] = steps;
  if (first === undefined) return { kind: "and", of: [] };
  if (steps.every((step) => step.descending === first.descending && !step.isNullable)) return beyond(steps);
  let after: Condition | undefined;
  for (const step of steps.toReversed()) {
    const rest: Condition[] = after === undefined ? [] : [{ kind: "and", of: [equal(step), after] }];
    after = { kind: "or", of: [...strictlyAfter(step), ...rest] };
  }
  if (after === undefined) return { kind: "and", of: [] };
  if (first.value === null || (first.isNullable && !first.nullsFirst)) return after;
  return {
    kind: "and",
    of: [
      {
        kind: "comparison",
        operator: first.descending ? "<=" : ">=",
        left: first.of,
        right: first.value,
      },
      after,
    ],
  };
}

interface Step extends SortTerm {
  readonly of: Expression;
  readonly value: ParameterNode | null;
}

/** Of columns that go one way and are never null. */
function beyond(steps: readonly Step[]): Condition {
  const operator = steps[0]?.descending === true ? "<" : ">";
  const left = steps.map(({ of }) => of);
  const right = steps.flatMap(({ value }) => (value === null ? [] : [value]));
  const [column] = left;
  const [value] = right;
  return steps.length === 1 && column !== undefined && value !== undefined
    ? { kind: "comparison", operator, left: column, right: value }
    : { kind: "row-comparison", operator, left, right };
}

function strictlyAfter({ of, descending, nullsFirst, isNullable, value }: Step): readonly Condition[] {
  if (value === null) return nullsFirst ? [{ kind: "null", of, negated: true }] : [];
  const past: Condition = { kind: "comparison", operator: descending ? "<" : ">", left: of, right: value };
  return isNullable && !nullsFirst ? [past, { kind: "null", of, negated: false }] : [past];
}

function equal({ of, value }: Step): Condition {
  return value === null
    ? { kind: "null", of, negated: false }
    : { kind: "comparison", operator: "=", left: of, right: value };
}
