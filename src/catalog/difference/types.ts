/** What changing a column's type means for the rows that are there. */
export interface Conversion {
  /** How `using` reads the old value; `undefined` where the server converts by itself. */
  readonly using: string | undefined;
  /** The rows are written anew, or checked one by one. */
  readonly rewrites: boolean;
  /** Values may be cut or rounded, without an error. */
  readonly loses: boolean;
  /** There are values it has no place for: then the statement fails. */
  readonly mayFail: boolean;
}

interface TypeName {
  readonly base: string;
  readonly modifiers: readonly number[];
  readonly isArray: boolean;
}

/** `character varying(20)[]`, `timestamp(3) without time zone`, `numeric(10,2)`. */
function parseType(text: string): TypeName {
  const isArray = text.endsWith("[]");
  const plain = isArray ? text.replace(/(\[\])+$/, "") : text;
  const match = /\(([\d,-]+)\)/.exec(plain);
  const base = match === null ? plain : plain.replace(match[0], "");
  return {
    base: base.replace(/\s+/g, " ").trim(),
    modifiers: match?.[1]?.split(",").map(Number) ?? [],
    isArray,
  };
}

const TEXTS: readonly string[] = ["text", "character varying", "character", "name", '"char"'];
const NUMBERS: readonly string[] = ["smallint", "integer", "bigint", "numeric", "real", "double precision"];
const STAMPS: readonly string[] = ["date", "timestamp without time zone", "timestamp with time zone"];
const TIMES: readonly string[] = ["time without time zone", "time with time zone"];

/**
 * Pairs that the server converts when it assigns, besides those from anything to text.
 *
 * @see https://www.postgresql.org/docs/current/catalog-pg-cast.html
 */
const ASSIGNED: ReadonlySet<string> = new Set([
  ...pairs(NUMBERS),
  ...pairs(STAMPS),
  ...pairs(TIMES),
  ...pairs(["json", "jsonb"]),
  ...pairs(["inet", "cidr"]),
  ...pairs(["bit", "bit varying"]),
  ...pairs(["numeric", "money"]),
  ...pairs(["time without time zone", "interval"]),
  ...STAMPS.slice(1).map((type) => `${type}>time without time zone`),
  "timestamp with time zone>time with time zone",
  "integer>money",
  "bigint>money",
  ...["smallint", "integer", "bigint"].map((type) => `${type}>oid`),
  "oid>integer",
  "oid>bigint",
]);

/** Pairs that have a cast, which has to be asked for. Every other pair goes by way of text. */
const EXPLICIT: ReadonlySet<string> = new Set([
  ...pairs(["boolean", "integer"]),
  "bit>integer",
  "bit>bigint",
  "integer>bit",
  "bigint>bit",
  ...[...NUMBERS, "boolean"].map((type) => `jsonb>${type}`),
]);

/** Of those that are assigned: no value changes, and none is refused. */
const WIDENINGS: ReadonlySet<string> = new Set([
  "smallint>integer",
  "smallint>bigint",
  "integer>bigint",
  "smallint>numeric",
  "integer>numeric",
  "bigint>numeric",
  "smallint>real",
  "smallint>double precision",
  "integer>double precision",
  "real>double precision",
  "real>numeric",
  "date>timestamp without time zone",
  "date>timestamp with time zone",
  "timestamp without time zone>timestamp with time zone",
  "timestamp with time zone>timestamp without time zone",
  "time without time zone>time with time zone",
  "time without time zone>interval",
  "json>jsonb",
  "jsonb>json",
  "cidr>inet",
  "bit>bit varying",
]);

function pairs(types: readonly string[]): readonly string[] {
  return types.flatMap((from) => types.filter((to) => to !== from).map((to) => `${from}>${to}`));
}

const NOTHING: Conversion = { using: undefined, rewrites: false, loses: false, mayFail: false };

/**
 * How the values of a column are brought from one type to another. `column` is its quoted name.
 *
 * @see https://www.postgresql.org/docs/current/sql-altertable.html for which changes write the table anew
 */
export function conversionOf(column: string, from: string, to: string): Conversion {
  const [old, next] = [parseType(from), parseType(to)];
  if (old.isArray !== next.isArray) return acrossArrays(column, next, to);
  if (old.base === next.base) return sameBase(old, next);
  const pair = `${old.base}>${next.base}`;
  if (isPlainText(old) && isPlainText(next)) {
    const isWider = next.modifiers.length === 0;
    return { ...NOTHING, rewrites: !isWider || old.isArray, mayFail: !isWider };
  }
  if (TEXTS.includes(next.base)) {
    return { ...NOTHING, rewrites: true, mayFail: next.modifiers.length > 0, loses: next.base === "name" };
  }
  if (TEXTS.includes(old.base)) return throughText(`${column}::${to}`);
  if (WIDENINGS.has(pair) && next.modifiers.length === 0) {
    return { ...NOTHING, rewrites: pair !== "cidr>inet" };
  }
  if (ASSIGNED.has(pair)) {
    return { ...NOTHING, rewrites: true, loses: isRounding(old, next), mayFail: !isPartOfStamp(old, next) };
  }
  if (EXPLICIT.has(pair)) return throughText(`${column}::${to}`);
  return throughText(`${column}::text${old.isArray ? "[]" : ""}::${to}`);
}

function throughText(using: string): Conversion {
  return { using, rewrites: true, loses: false, mayFail: true };
}

function acrossArrays(column: string, next: TypeName, to: string): Conversion {
  if (TEXTS.includes(next.base) && !next.isArray) {
    return { ...NOTHING, rewrites: true, mayFail: next.modifiers.length > 0 };
  }
  if (next.isArray) return throughText(asOnlyElement(column, to));
  return throughText(`${column}::text::${to}`);
}

/** A value becomes an array of one; null stays null. */
export function asOnlyElement(column: string, to: string): string {
  return `case when ${column} is null then null else array[${column}::text]::${to} end`;
}

function isPlainText({ base }: TypeName): boolean {
  return base === "text" || base === "character varying" || /(^|\.)citext$/.test(base);
}

/** A point in time has a date and a time of day, whatever it is. */
function isPartOfStamp(old: TypeName, next: TypeName): boolean {
  return STAMPS.includes(old.base) && (next.base === "date" || TIMES.includes(next.base));
}

/** From a number or a point in time to a coarser one. */
function isRounding(old: TypeName, next: TypeName): boolean {
  const isFraction = /^(numeric|real|double precision|money)$/.test(old.base);
  return (
    (isFraction && [...NUMBERS, "money"].includes(next.base)) ||
    /^(timestamp|time|interval)/.test(old.base) ||
    /^(real|double precision)$/.test(next.base) ||
    next.modifiers.length > 1
  );
}

/** The same type with other modifiers: wider ones leave the rows alone. */
function sameBase(old: TypeName, next: TypeName): Conversion {
  const [before, after] = [old.modifiers, next.modifiers];
  if (before.join() === after.join()) return NOTHING;
  if (next.base === "numeric") return betweenNumerics(old, next);
  const isTime = /^(time|interval)/.test(next.base);
  const isUnlimited = after.length === 0 && !["character", "bit"].includes(next.base);
  // Points in time keep six digits where nothing is said.
  const isWider =
    isUnlimited || (before.length > 0 && (after[0] ?? 1) >= (before[0] ?? 1)) || (isTime && after[0] === 6);
  const isPadded = next.base === "character" || next.base === "bit";
  if (isWider) return { ...NOTHING, rewrites: isPadded || next.isArray, mayFail: next.base === "bit" };
  return { ...NOTHING, rewrites: true, loses: isTime, mayFail: !isTime };
}

function betweenNumerics(old: TypeName, next: TypeName): Conversion {
  const [precision = 0, scale = 0] = old.modifiers;
  const [newPrecision = 0, newScale = 0] = next.modifiers;
  if (next.modifiers.length === 0) return { ...NOTHING, rewrites: next.isArray };
  const wasLimited = old.modifiers.length > 0;
  if (wasLimited && scale === newScale && newPrecision >= precision) {
    return { ...NOTHING, rewrites: next.isArray };
  }
  return {
    using: undefined,
    rewrites: true,
    loses: !wasLimited || newScale < scale,
    mayFail: !wasLimited || newPrecision - newScale < precision - scale,
  };
}

/** Types whose values may be compressed and stored out of line say `extended`, but for these. */
export function usualStorage(type: string): string {
  const { base, isArray } = parseType(type);
  return !isArray && ["numeric", "inet", "cidr"].includes(base) ? "main" : "extended";
}
