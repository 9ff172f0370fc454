/** Whether checks show that rows fit a partition, or stay out of it, so that nobody has to look. */
import type { Node, PartitionBoundSpec } from "libpg-query";
import { parseSql } from "../../parse-sql.ts";
import type { Relation } from "../catalog-view.ts";
import { columnOf } from "./family.ts";
import { columnReferred, conjuncts, impliesNotNull, selectedExpression } from "./predicates.ts";

/** A constant in a bound or a check. */
export type Constant = string | number | null;

/** What checks say about one column. */
interface KnownRange {
  readonly isNotNull: boolean;
  readonly atLeast: readonly Edge[];
  readonly below: readonly Edge[];
  /** Lists of which the value is one. */
  readonly among: readonly (readonly Constant[])[];
  readonly others: readonly Constant[];
  /** `a or b`: of each such check, what holds on either way. */
  readonly ways: readonly (readonly Learning[])[];
}

interface Edge {
  readonly value: Constant;
  readonly isInclusive: boolean;
}

/** Every row of `part` belongs to the bound. */
export async function impliesBound(
  parent: Relation,
  part: Relation,
  bound: PartitionBoundSpec,
): Promise<boolean> {
  const siblings = parent.children.filter((id) => id !== parent.partition?.defaultId);
  if (bound.is_default === true) return parent.isKnown && siblings.length === 0;
  const column = keyColumn(parent);
  if (column === undefined) return false;
  const known = await knownRange(part, column);
  if (bound.strategy === "l") return isAmong(known, listOf(bound));
  if (bound.strategy !== "r" || !known.isNotNull) return false;
  const [low, high] = rangeOf(bound);
  const startsInside = low === undefined || known.atLeast.some((edge) => isNotBefore(edge, low));
  const endsInside = high === undefined || known.below.some((edge) => isNotAfter(edge, high));
  return startsInside && endsInside;
}

/** No row of the default partition belongs to the bound. */
export async function excludesBound(
  parent: Relation,
  rest: Relation,
  bound: PartitionBoundSpec,
): Promise<boolean> {
  const column = keyColumn(parent);
  if (column === undefined || bound.is_default === true) return false;
  const known = await knownRange(rest, column);
  return excludes(known, bound) || known.ways.some((ways) => ways.every((way) => excludes(way, bound)));
}

function excludes(known: Omit<KnownRange, "isNotNull" | "ways">, bound: PartitionBoundSpec): boolean {
  if (bound.strategy === "l") {
    const wanted = listOf(bound);
    const isApart = known.among.some((list) =>
      list.every((value) => !wanted.some((one) => isEqual(one, value))),
    );
    return isApart || wanted.every((value) => known.others.some((other) => isEqual(other, value)));
  }
  if (bound.strategy !== "r") return false;
  const [low, high] = rangeOf(bound);
  const endsBefore = low !== undefined && known.below.some((edge) => isNotAfter(edge, low));
  const startsBehind = high !== undefined && known.atLeast.some((edge) => isNotBefore(edge, high));
  return endsBefore || startsBehind;
}

/** A value belongs to the bound. */
export function fitsBound(bound: PartitionBoundSpec, value: Constant): boolean {
  if (bound.strategy === "l") return listOf(bound).some((one) => isEqual(one, value));
  if (bound.strategy !== "r") return false;
  const [low, high] = rangeOf(bound);
  const edge = { value, isInclusive: true };
  return (low === undefined || isNotBefore(edge, low)) && (high === undefined || isNotAfter(edge, high));
}

/** The one plain column a table is partitioned by. */
export function keyColumn(parent: Relation): string | undefined {
  const match = /^(?:RANGE|LIST) \(("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)\)$/.exec(parent.partition?.key ?? "");
  const name = match?.[1];
  return name?.startsWith('"') === true ? name.slice(1, -1).replaceAll('""', '"') : name;
}

async function knownRange(relation: Relation, column: string): Promise<KnownRange> {
  const known = {
    isNotNull: columnOf(relation, column)?.isNotNull === true,
    atLeast: [] as Edge[],
    below: [] as Edge[],
    among: [] as (readonly Constant[])[],
    others: [] as Constant[],
    ways: [] as (readonly Learning[])[],
  };
  for (const { kind, isValid, isEnforced, expression } of relation.constraints) {
    if (kind !== "check" || !isValid || !isEnforced || expression === undefined) continue;
    const { statements } = await parseSql(`select ${expression}`);
    const tree = statements[0]?.tree;
    if (tree === undefined) continue;
    if (impliesNotNull(tree, column)) known.isNotNull = true;
    for (const part of conjuncts(selectedExpression(tree))) {
      learn(known, part, column);
      known.ways.push(...waysIn(part, column));
    }
  }
  return known;
}

interface Learning {
  readonly atLeast: Edge[];
  readonly below: Edge[];
  readonly among: (readonly Constant[])[];
  readonly others: Constant[];
}

function waysIn(part: Node, column: string): readonly (readonly Learning[])[] {
  if (!("BoolExpr" in part) || part.BoolExpr.boolop !== "OR_EXPR") return [];
  const ways = (part.BoolExpr.args ?? []).map((way): Learning => {
    const known = { atLeast: [], below: [], among: [], others: [] };
    for (const one of conjuncts(way)) learn(known, one, column);
    return known;
  });
  return [ways];
}

function learn(known: Learning, part: Node, column: string): void {
  if (!("A_Expr" in part)) return;
  const { kind, name, lexpr, rexpr } = part.A_Expr;
  const [word] = name ?? [];
  const operator = word !== undefined && "String" in word ? word.String.sval : undefined;
  if (columnOfSide(lexpr) !== column || operator === undefined) return;
  if (kind === "AEXPR_OP_ANY" && operator === "=") {
    const list = constantsIn(rexpr);
    if (list !== undefined) known.among.push(list);
    return;
  }
  const value = constantOf(rexpr);
  if (kind !== "AEXPR_OP" || value === undefined) return;
  if (operator === ">=" || operator === ">") known.atLeast.push({ value, isInclusive: operator === ">=" });
  if (operator === "<=" || operator === "<") known.below.push({ value, isInclusive: operator === "<=" });
  if (operator === "<>") known.others.push(value);
  if (operator !== "=") return;
  known.atLeast.push({ value, isInclusive: true });
  known.below.push({ value, isInclusive: true });
  known.among.push([value]);
}

/** `(column)::text` is how the server writes a varchar column in a comparison. */
function columnOfSide(node: Node | undefined): string | undefined {
  return node !== undefined && "TypeCast" in node ? columnOfSide(node.TypeCast.arg) : columnReferred(node);
}

function constantsIn(node: Node | undefined): readonly Constant[] | undefined {
  if (node === undefined) return undefined;
  if ("TypeCast" in node) return constantsIn(node.TypeCast.arg);
  if (!("A_ArrayExpr" in node)) return undefined;
  const values = (node.A_ArrayExpr.elements ?? []).map((element) => constantOf(element));
  return values.some((value) => value === undefined)
    ? undefined
    : values.filter((value) => value !== undefined);
}

export function constantOf(node: Node | undefined): Constant | undefined {
  if (node === undefined) return undefined;
  if ("TypeCast" in node) return constantOf(node.TypeCast.arg);
  if (!("A_Const" in node)) return undefined;
  const { isnull, ival, fval, sval, boolval } = node.A_Const;
  if (isnull === true) return null;
  if (ival !== undefined) return ival.ival ?? 0;
  if (fval !== undefined) return Number(fval.fval);
  if (boolval !== undefined) return boolval.boolval === true ? "t" : "f";
  return sval?.sval ?? "";
}

function listOf(bound: PartitionBoundSpec): readonly Constant[] {
  return (bound.listdatums ?? []).flatMap((node) => {
    const value = constantOf(node);
    return value === undefined ? [] : [value];
  });
}

/** From and to; undefined where it is open. */
function rangeOf(bound: PartitionBoundSpec): readonly [Constant | undefined, Constant | undefined] {
  return [constantOf(bound.lowerdatums?.[0]), constantOf(bound.upperdatums?.[0])];
}

function isAmong(known: KnownRange, wanted: readonly Constant[]): boolean {
  const isNullable = wanted.includes(null) || known.isNotNull;
  return (
    isNullable && known.among.some((list) => list.every((value) => wanted.some((one) => isEqual(one, value))))
  );
}

function isEqual(left: Constant, right: Constant): boolean {
  return compare(left, right) === 0 || (left === null && right === null);
}

function isNotBefore(edge: Edge, low: Constant): boolean {
  const order = compare(edge.value, low);
  return order !== undefined && order >= 0;
}

function isNotAfter(edge: Edge, high: Constant): boolean {
  const order = compare(edge.value, high);
  return order !== undefined && (edge.isInclusive ? order < 0 : order <= 0);
}

/** Numbers by value, dates and times by the moment, other texts only when they are the same. */
function compare(left: Constant, right: Constant): number | undefined {
  if (left === null || right === null) return undefined;
  const [a, b] = [momentOf(left), momentOf(right)];
  if (a !== undefined && b !== undefined) return a - b;
  const [one, other] = [Number(left), Number(right)];
  if (left !== "" && right !== "" && !Number.isNaN(one) && !Number.isNaN(other)) return one - other;
  return left === right ? 0 : undefined;
}

function momentOf(value: string | number): number | undefined {
  if (typeof value === "number") return undefined;
  const match = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(
    value,
  );
  if (match === null) return undefined;
  const [, date, time = "00:00:00", zone = "Z"] = match;
  const offset = zone === "Z" ? zone : `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}`;
  const moment = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}${offset}`);
  return Number.isNaN(moment) ? undefined : moment;
}
