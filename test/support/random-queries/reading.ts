/** What a read gives: filtered, sorted, cut, and with the related rows, one row after the other. */
import { entriesOf, holds, listOf, type Related } from "./conditions.ts";
import { columnsOf, type EntityName, kindOf, MODEL, type Row } from "./model.ts";
import { areEqual, levels, relatedIn, type Visibility, visibleRows, type World } from "./world.ts";

/** Options of a read or of a relation, as callers write them. */
export interface Options {
  readonly where?: unknown;
  readonly sort?: unknown;
  readonly with?: unknown;
  readonly counts?: unknown;
  readonly columns?: readonly string[];
  readonly reveal?: readonly string[];
  readonly limit?: number;
  readonly page?: number;
  readonly total?: string;
  readonly distinctOn?: readonly string[];
  readonly maxDepth?: number;
  readonly strategy?: string;
}

/** One of those who ask. */
export interface Reader {
  /** The rows that are like this, sorted, as they are in memory. */
  rows(entity: EntityName, options: Options): readonly Row[];
  /** A row as it is shown. */
  shown(entity: EntityName, row: Row, options: Options): Row;
  isLike(entity: EntityName, row: Row, where: unknown): boolean;
}

export function readerOf(world: World, visibility: Visibility): Reader {
  const related = relatedIn(world, visibility);
  const isLike = (entity: EntityName, row: Row, where: unknown): boolean =>
    where === undefined || holds(related, entity, row, where) === true;
  const shown = (entity: EntityName, row: Row, options: Options): Row => {
    const { columns = columnsOf(entity), reveal = [], with: nested, counts } = options;
    const values = [...columns, ...reveal].map((column) => [column, row[column]]);
    const relations = entriesOf(nested).map(([name, asked]) => [name, relation(entity, row, name, asked)]);
    const counted = entriesOf(counts).map(([name, asked]) => [
      name,
      related(entity, row, name).filter((one) => isLike(targetOf(entity, name), one, optionsOf(asked).where))
        .length,
    ]);
    return {
      ...Object.fromEntries([...values, ...relations]),
      ...(counts === undefined ? {} : { counts: Object.fromEntries(counted) }),
    };
  };
  const relation = (entity: EntityName, row: Row, name: string, asked: unknown): unknown => {
    const target = targetOf(entity, name);
    const options = optionsOf(asked);
    const { kind, walk, on } = MODEL[entity].relations[name] ?? {};
    const found = related(entity, row, name).filter((one) => isLike(target, one, options.where));
    if (kind === "one") return found[0] === undefined ? null : shown(target, found[0], options);
    const depths =
      walk === undefined
        ? [found]
        : levels(row, (from) =>
            visibleRows(world, target, visibility === "living" ? "living" : "all").filter((one) =>
              areEqual(from, one, on ?? []),
            ),
          )
            .slice(0, options.maxDepth)
            .map((level) => level.filter((one) => found.includes(one)));
    // Unless another order was asked for, the nearest come first.
    const ordered =
      options.sort === undefined
        ? depths.flatMap((level) => sorted(related, target, level, undefined))
        : sorted(related, target, depths.flat(), options.sort);
    return ordered.slice(0, options.limit).map((one) => shown(target, one, options));
  };
  return {
    rows(entity, { where, sort, distinctOn }) {
      const found = visibleRows(world, entity, visibility).filter((row) => isLike(entity, row, where));
      if (distinctOn === undefined) return sorted(related, entity, found, sort);
      const { defaultSort = [] } = MODEL[entity];
      const ordered = sorted(related, entity, found, sort ?? [distinctOn, defaultSort].flat());
      return ordered.filter((row, i) => {
        const before = ordered[i - 1];
        return before === undefined || !distinctOn.every((column) => areAlike(entity, column, before, row));
      });
    },
    shown,
    isLike,
  };
}

function targetOf(entity: EntityName, relation: string): EntityName {
  const target = MODEL[entity].relations[relation]?.target;
  if (target === undefined) throw new TypeError(`no relation ${relation} of ${entity}`);
  return target;
}

function optionsOf(asked: unknown): Options {
  return typeof asked === "object" && asked !== null ? asked : {};
}

function areAlike(entity: EntityName, column: string, a: Row, b: Row): boolean {
  return compareValues(entity, column, a[column] ?? null, b[column] ?? null, false) === 0;
}

/** One term of an order. */
interface Term {
  readonly by: string;
  readonly isDescending: boolean;
  readonly nullsFirst: boolean;
}

function termOf(given: unknown): Term {
  if (typeof given === "string") {
    const isDescending = given.startsWith("-");
    return { by: isDescending ? given.slice(1) : given, isDescending, nullsFirst: isDescending };
  }
  const { by, direction, nulls } = Object.fromEntries(entriesOf(given));
  const isDescending = direction === "desc";
  return { by: String(by), isDescending, nullsFirst: nulls === undefined ? isDescending : nulls === "first" };
}

/** In the order that was asked for, or the entity's own; the key breaks ties, in the direction of the last term. */
export function sorted(
  related: Related,
  entity: EntityName,
  rows: readonly Row[],
  sort: unknown,
): readonly Row[] {
  const asked = sort ?? MODEL[entity].defaultSort ?? [];
  const named = (Array.isArray(asked) ? listOf(asked) : [asked]).map(termOf);
  // Of a column that is named twice, the second time says nothing.
  const terms = named.filter((term, i) => named.findIndex(({ by }) => by === term.by) === i);
  const isDescending = terms.at(-1)?.isDescending ?? false;
  const key = MODEL[entity].key.map((by): Term => ({ by, isDescending, nullsFirst: isDescending }));
  const ways = [...terms, ...key].map((term) => ({ ...term, ...columnAt(entity, term.by) }));
  const valueAt = (row: Row, path: readonly string[], column: string): unknown => {
    let [at, from]: [Row | undefined, EntityName] = [row, entity];
    for (const name of path) {
      at = at === undefined ? undefined : related(from, at, name)[0];
      from = targetOf(from, name);
    }
    return at?.[column] ?? null;
  };
  return [...rows].sort((a, b) => {
    for (const { owner, path, column, isDescending: isDown, nullsFirst } of ways) {
      const [x, y] = [valueAt(a, path, column), valueAt(b, path, column)];
      const order = compareValues(owner, column, x, y, nullsFirst);
      const isNull = x === null || y === null;
      if (order !== 0) return isDown && !isNull ? -order : order;
    }
    return 0;
  });
}

/** `region.parent.name`: the relations on the way, and whose column it is. */
function columnAt(
  entity: EntityName,
  by: string,
): { readonly owner: EntityName; readonly path: readonly string[]; readonly column: string } {
  const path = by.split(".");
  const column = path.pop() ?? "";
  return { owner: path.reduce<EntityName>((from, name) => targetOf(from, name), entity), path, column };
}

/** Nulls are equal to each other here, and stand at one end. */
function compareValues(
  entity: EntityName,
  column: string,
  a: unknown,
  b: unknown,
  nullsFirst: boolean,
): number {
  if (a === null || b === null) {
    const order = Number(a === null) - Number(b === null);
    return nullsFirst ? -order : order;
  }
  return kindOf(entity, column).order?.(a, b) ?? 0;
}
