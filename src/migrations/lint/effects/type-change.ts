/** Whether `alter column … type` has to write every row anew: PostgreSQL's own reasoning, in its order. */
import type { Node, TypeName } from "libpg-query";
import type { CatalogView, Column, TypeFacts } from "../catalog-view.ts";
import { typeNameOf } from "../names.ts";

/** A type with its modifier, as `pg_attribute.atttypmod`: -1 is none. */
export interface ModifiedType {
  readonly type: TypeFacts;
  readonly modifier: number;
}

/** The type a statement names. Undefined when it is not known. */
export async function resolveType(
  view: CatalogView,
  node: TypeName | undefined,
): Promise<ModifiedType | undefined> {
  const { isArray, ...name } = typeNameOf(node);
  const type = await view.type(name, isArray);
  return type === undefined ? undefined : { type, modifier: modifierOf(type, node) };
}

/** Numbers in brackets after a type. */
function numbersOf(node: TypeName | undefined): readonly number[] {
  return (node?.typmods ?? []).map((mod) =>
    "A_Const" in mod && mod.A_Const.ival !== undefined ? (mod.A_Const.ival.ival ?? 0) : Number.NaN,
  );
}

/** `VARHDRSZ`: what length words of varchar, char and numeric begin with. */
const HEADER = 4;

/** As the type's `typmodin` function encodes it. */
function modifierOf(type: TypeFacts, node: TypeName | undefined): number {
  const [first, second = 0] = numbersOf(node);
  if (first === undefined) return -1;
  switch (type.name) {
    case "varchar":
    case "bpchar":
      return first + HEADER;
    case "numeric":
      // The scale has 11 bits and may be negative.
      return ((first << 16) | (second & 0x7ff)) + HEADER;
    case "interval":
      return (
        ((second === 0 && (node?.typmods ?? []).length < 2 ? FULL_PRECISION : second) | (first << 16)) >>> 0
      );
    default:
      return first;
  }
}

const FULL_PRECISION = 0xffff;
const FULL_RANGE = 0x7fff;

/** A value on its way from the old type to the new one. */
interface Travelling extends ModifiedType {
  /** Something that is more than a new label was done to it. */
  readonly isTouched: boolean;
}

/**
 * Whether the change computes new values. Undefined when it depends on a type that is not known.
 *
 * Between `timestamp` and `timestamptz` nothing is computed while `TimeZone` is UTC, which is assumed.
 *
 * @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/commands/tablecmds.c ATColumnChangeRequiresRewrite
 */
export async function touchesValues(
  view: CatalogView,
  column: Column,
  target: ModifiedType,
  using: Node | undefined,
): Promise<boolean | undefined> {
  const start: Travelling = { type: column.type, modifier: column.modifier, isTouched: false };
  const expressed = using === undefined ? start : await travelThrough(view, column, using, start);
  if (expressed === undefined) return undefined;
  if (expressed.isTouched) return true;
  const arrived = await travel(view, expressed, target);
  return arrived?.isTouched;
}

/** A `using` that only casts the column. Everything else computes. */
async function travelThrough(
  view: CatalogView,
  column: Column,
  expression: Node,
  start: Travelling,
): Promise<Travelling | undefined> {
  if ("ColumnRef" in expression) {
    const last = expression.ColumnRef.fields?.at(-1);
    const isColumn = last !== undefined && "String" in last && last.String.sval === column.name;
    return isColumn ? start : { ...start, isTouched: true };
  }
  if (!("TypeCast" in expression) || expression.TypeCast.arg === undefined) {
    return { ...start, isTouched: true };
  }
  const inner = await travelThrough(view, column, expression.TypeCast.arg, start);
  if (inner === undefined || inner.isTouched) return inner;
  const target = await resolveType(view, expression.TypeCast.typeName);
  return target === undefined ? undefined : travel(view, inner, target);
}

async function travel(
  view: CatalogView,
  from: Travelling,
  to: ModifiedType,
): Promise<Travelling | undefined> {
  if (isSameType(from.type, to.type)) return cut(from, to);
  if (to.type.kind === "domain" && !to.type.isArray && to.type.base !== undefined) {
    const below = await travel(view, from, { type: to.type.base, modifier: to.type.baseModifier });
    if (below === undefined) return undefined;
    return { ...to, isTouched: below.isTouched || to.type.isConstrained };
  }
  if (from.type.kind === "domain" && !from.type.isArray && from.type.base !== undefined) {
    // A domain's own modifier is forgotten on the way.
    return travel(view, { ...from, type: from.type.base, modifier: -1 }, to);
  }
  if (isZoneChange(from.type, to.type)) return cut({ ...from, type: to.type, modifier: -1 }, to);
  if (from.type.isArray || to.type.isArray) return { ...to, isTouched: true };
  const isSame = await view.isBinaryCoercible(from.type, to.type);
  if (isSame === undefined) return undefined;
  return isSame ? cut({ ...from, type: to.type, modifier: -1 }, to) : { ...to, isTouched: true };
}

export function isSameType(left: TypeFacts, right: TypeFacts): boolean {
  return left.name === right.name && left.schema === right.schema && left.isArray === right.isArray;
}

function isZoneChange(from: TypeFacts, to: TypeFacts): boolean {
  const pair = `${from.name} ${to.name}`;
  return (
    !from.isArray && !to.isArray && (pair === "timestamp timestamptz" || pair === "timestamptz timestamp")
  );
}

/** To a length or precision of the same type. */
function cut(from: Travelling, to: ModifiedType): Travelling {
  const { modifier } = to;
  if (modifier === from.modifier || modifier < 0) return { ...to, isTouched: from.isTouched };
  return { ...to, isTouched: from.isTouched || !isWider(to.type, from.modifier, modifier) };
}

/** Every value of the old modifier is one of the new: what the length functions' support functions find out. */
function isWider(type: TypeFacts, before: number, after: number): boolean {
  if (type.isArray) return false;
  switch (type.name) {
    case "varchar":
      return before >= HEADER && after >= before;
    case "varbit":
      return before > 0 && after >= before;
    case "numeric": {
      if (before < HEADER) return false;
      const [old, wanted] = [numericOf(before), numericOf(after)];
      return wanted.scale === old.scale && wanted.precision >= old.precision;
    }
    case "timestamp":
    case "timestamptz":
    case "time":
    case "timetz":
      return after >= (before < 0 ? SECOND_DIGITS : before);
    case "interval":
      return isWiderInterval(before, after);
    default:
      return false;
  }
}

const SECOND_DIGITS = 6;

function numericOf(modifier: number): { readonly precision: number; readonly scale: number } {
  const bare = modifier - HEADER;
  return { precision: (bare >> 16) & 0xffff, scale: bare & 0x7ff };
}

/** Bits of the field masks, from the smallest field on. */
const INTERVAL_FIELDS = [1 << 12, 1 << 11, 1 << 10, 1 << 3, 1 << 1, 1 << 2] as const;

/** @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/utils/adt/timestamp.c interval_support */
function isWiderInterval(before: number, after: number): boolean {
  const old = intervalOf(before);
  const wanted = intervalOf(after);
  const isFineEnough =
    old.least > 0 || wanted.precision >= SECOND_DIGITS || wanted.precision >= old.precision;
  return wanted.least <= old.least && isFineEnough;
}

function intervalOf(modifier: number): { readonly least: number; readonly precision: number } {
  if (modifier < 0) return { least: 0, precision: FULL_PRECISION };
  const range = (modifier >> 16) & FULL_RANGE;
  const least = range === FULL_RANGE ? 0 : INTERVAL_FIELDS.findIndex((bit) => (range & bit) !== 0);
  return { least: Math.max(least, 0), precision: modifier & 0xffff };
}
