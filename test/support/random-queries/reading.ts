/** What a read gives: filtered, sorted, cut, and with the related rows, one row after the other. */
import { computedRow, namesOf } from "./computing.ts";
import { entriesOf, holds, listOf, type Related } from "./conditions.ts";
import { columnsOf, type EntityName, kindOf, MODEL, type Row, sameKey } from "./model.ts";
import { areEqual, levels, relatedIn, type Visibility, visibleRows, type World } from "./world.ts";

/** Options of a read or of a relation, as callers write them. */
export interface Options {
  readonly where?: unknown;
  readonly sort?: unknown;
  readonly with?: unknown;
  readonly counts?: unknown;
  readonly columns?: readonly string[];
  readonly compute?: unknown;
  readonly link?: readonly string[];
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
  /** What stands at the end of a path such as `region.parent.name`. */
  valueAt(entity: EntityName, row: Row, path: string): unknown;
}

export function readerOf(world: World, visibility: Visibility): Reader {
  const related = relatedIn(world, visibility);
  const isLike = (entity: EntityName, row: Row, where: unknown): boolean =>
    where === undefined || holds(related, entity, row, where) === true;
  const shown = (entity: EntityName, row: Row, options: Options): Row => {
    const { columns = columnsOf(entity), reveal = [], with: nested, counts, compute, link } = options;
    const names = [...columns, ...reveal, ...namesOf(compute)];
    const values = names.map((column) => [column, row[column]]);
    const linked = link?.map((column) => [column, row[`link.${column}`]]);
    const relations = entriesOf(nested).map(([name, asked]) => [name, relation(entity, row, name, asked)]);
    const counted = entriesOf(counts).map(([name, asked]) => [
      name,
      related(entity, row, name).filter((one) => isLike(targetOf(entity, name), one, optionsOf(asked).where))
        .length,
    ]);
    return {
      ...Object.fromEntries([...values, ...relations]),
      ...(linked === undefined ? {} : { link: Object.fromEntries(linked) }),
      ...(counts === undefined ? {} : { counts: Object.fromEntries(counted) }),
    };
  };
  const relation = (entity: EntityName, row: Row, name: string, asked: unknown): unknown => {
    const target = targetOf(entity, name);
    const options = optionsOf(asked);
    const { kind, walk, on } = MODEL[entity].relations[name] ?? {};
    const whole = (one: Row): Row => withLink(entity, name, row, computedRow(one, options.compute));
    const found = related(entity, row, name)
      .map(whole)
      .filter((one) => isLike(target, one, options.where));
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
            .map((level) =>
              level.flatMap(
                (one): readonly Row[] | Row => found.find((other) => sameKey(target, one, other)) ?? [],
              ),
            );
    // Unless another order was asked for, the nearest come first.
    const ordered =
      options.sort === undefined
        ? depths.flatMap((level) => sorted(related, target, level, undefined))
        : sorted(related, target, depths.flat(), options.sort);
    return ordered.slice(0, options.limit).map((one) => shown(target, one, options));
  };
  /** With the columns of the row between the two, under the names that an order gives them. */
  const withLink = (entity: EntityName, name: string, from: Row, to: Row): Row => {
    const { through, on = [] } = MODEL[entity].relations[name] ?? {};
    if (through === undefined) return to;
    const seen = visibleRows(world, through.entity, visibility === "living" ? "living" : "all");
    const link = seen.find((one) => areEqual(from, one, on) && areEqual(one, to, through.on)) ?? {};
    const values = Object.entries(link).map(([column, value]) => [`link.${column}`, value]);
    return { ...to, ...Object.fromEntries(values) };
  };
  return {
    valueAt: (entity, row, path) => valueAt(related, entity, row, path),
    rows(entity, { where, sort, distinctOn, compute }) {
      const found = visibleRows(world, entity, visibility)
        .map((row) => computedRow(row, compute))
        .filter((row) => isLike(entity, row, where));
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
  return [...rows].sort((a, b) => {
    for (const { by, isDescending: isDown, nullsFirst } of [...terms, ...key]) {
      const [x, y] = [valueAt(related, entity, a, by), valueAt(related, entity, b, by)];
      const order = compareValues(entity, by, x, y, nullsFirst);
      const isNull = x === null || y === null;
      if (order !== 0) return isDown && !isNull ? -order : order;
    }
    return 0;
  });
}

/** `region.parent.name`: the rows on the way, as far as there are any. Columns of a link stand in the row itself. */
function valueAt(related: Related, entity: EntityName, row: Row, path: string): unknown {
  if (Object.hasOwn(row, path) || !path.includes(".")) return row[path] ?? null;
  const [name = "", ...rest] = path.split(".");
  const next = related(entity, row, name)[0];
  return next === undefined ? null : valueAt(related, targetOf(entity, name), next, rest.join("."));
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
  const kind = column.startsWith("link.")
    ? kindOf("siteLabels", column.slice("link.".length))
    : kindOf(entity, column);
  return kind.order?.(a, b) ?? 0;
}
