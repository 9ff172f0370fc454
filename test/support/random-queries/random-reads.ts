/** Random reads of every kind. */
import fc from "fast-check";
import type { Measures } from "./aggregates.ts";
import { computeOf, namesOf, sortableNames } from "./computing.ts";
import type { Kind } from "./kinds.ts";
import { columnsOf, ENTITIES, type EntityName, kindOf, MODEL, sortableColumns } from "./model.ts";
import { columnCondition, operandOf, someOf, whereOf } from "./random-where.ts";
import type { Options } from "./reading.ts";
import { INITIAL } from "./rows.ts";
import type { Visibility } from "./world.ts";

/** A read, as it stands in a report of what failed. */
export interface Read {
  readonly call:
    | "list"
    | "walk"
    | "stream"
    | "count"
    | "exists"
    | "find"
    | "findBy"
    | "findMany"
    | "aggregate"
    | "distinct";
  readonly entity: EntityName;
  readonly visibility: Visibility;
  readonly options: Options;
  /** Of calls that name rows. */
  readonly keys?: readonly Readonly<Record<string, unknown>>[];
  readonly measures?: Measures;
  readonly column?: string;
  readonly batchSize?: number;
}

const CONDITION_DEPTH = 2;
const NESTING_DEPTH = 3;

function termOf(path: string): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.constantFrom(path, `-${path}`),
    fc.record(
      {
        by: fc.constant(path),
        direction: fc.constantFrom("asc", "desc"),
        nulls: fc.constantFrom("first", "last"),
      },
      { requiredKeys: ["by"], noNullPrototype: true },
    ),
  );
}

/** Own columns, and those of rows that relations to one lead to. */
function sortPaths(entity: EntityName, depth: number): readonly string[] {
  const ones = Object.entries(MODEL[entity].relations).filter(([, { kind }]) => kind === "one");
  return [
    ...sortableColumns(entity),
    ...(depth === 0
      ? []
      : ones.flatMap(([name, { target }]) => sortPaths(target, depth - 1).map((path) => `${name}.${path}`))),
  ];
}

function sortOf(entity: EntityName): fc.Arbitrary<unknown> {
  const own = fc.constantFrom(...sortableColumns(entity));
  const path = fc.oneof(
    { weight: 3, arbitrary: own },
    { weight: 1, arbitrary: fc.constantFrom(...sortPaths(entity, 2)) },
  );
  const term = path.chain(termOf);
  return fc.oneof(term, fc.array(term, { minLength: 1, maxLength: 3 }));
}

const columnsIn = (entity: EntityName) => fc.subarray([...columnsOf(entity)], { minLength: 1 });

function countsOf(entity: EntityName): fc.Arbitrary<unknown> | undefined {
  const many = Object.entries(MODEL[entity].relations).filter(([, { kind }]) => kind === "many");
  if (many.length === 0) return undefined;
  const parts = many.map(([name, { target }]) => [
    name,
    fc.oneof(
      fc.constant(true),
      whereOf(target, 1).map((where) => ({ where })),
    ),
  ]);
  return someOf(Object.fromEntries(parts), 2);
}

/** Relations of relations, as deep as this. Only those right below many rows can be statements of their own. */
function withOf(entity: EntityName, depth: number, mayFollow: boolean): fc.Arbitrary<unknown> {
  const parts = Object.entries(MODEL[entity].relations).map(([name, { kind, target, walk, through }]) => {
    const strategies =
      kind === "one" ? ["join", "json"] : mayFollow && walk === undefined ? ["statement", "json"] : ["json"];
    const options: Record<string, fc.Arbitrary<unknown>> = {
      ...nestedParts(target, depth - 1, false),
      where: whereOf(target, 1),
      strategy: fc.constantFrom(...strategies),
      ...(kind === "one" ? {} : { sort: sortOf(target), limit: fc.integer({ min: 1, max: 4 }) }),
      ...(through === undefined ? {} : linkParts(target)),
      ...(walk === undefined ? {} : { maxDepth: fc.integer({ min: 1, max: 3 }) }),
    };
    return [
      name,
      fc.oneof(
        { weight: 1, arbitrary: fc.constant(true) },
        {
          weight: 4,
          arbitrary: manyOf(options).chain((asked) => usingNames(target, asked, kind === "many")),
        },
      ),
    ];
  });
  return someOf(Object.fromEntries(parts), 2);
}

/** Columns of the rows between, to show and to sort by. */
function linkParts(target: EntityName): Record<string, fc.Arbitrary<unknown>> {
  const columns = Object.keys(MODEL.siteLabels.columns);
  const ofLink = fc.constantFrom(...columns.map((column) => `link.${column}`)).chain(termOf);
  return {
    link: fc.subarray(columns, { minLength: 1 }),
    sort: fc
      .tuple(ofLink, sortOf(target), fc.boolean())
      .map(([link, sort, isAlone]) => (isAlone ? link : [link, sort].flat())),
  };
}

/** Each of these properties, or not; none at all as well. */
function manyOf(parts: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  return fc.record(parts, { requiredKeys: [], noNullPrototype: true });
}

/** What any read of rows may ask for besides. */
function nestedParts(
  entity: EntityName,
  depth: number,
  mayFollow: boolean,
): Record<string, fc.Arbitrary<unknown>> {
  const counts = countsOf(entity);
  return {
    columns: columnsIn(entity),
    compute: computeOf(entity),
    ...(depth > 0 ? { with: withOf(entity, depth, mayFollow) } : {}),
    ...(counts === undefined ? {} : { counts }),
  };
}

/** A row that does not show by which values others belong to it cannot have them brought by a statement of their own. */
function withoutImpossible(entity: EntityName, options: Options): Options {
  const { columns, with: nested } = options;
  if (columns === undefined || typeof nested !== "object" || nested === null) return options;
  const possible = Object.entries(nested).map(([name, asked]: [string, unknown]) => {
    const isShown = MODEL[entity].relations[name]?.on.every(([own]) => columns.includes(own));
    if (isShown || typeof asked !== "object" || asked === null) return [name, asked];
    const { strategy, ...rest } = asked as Options;
    return [name, strategy === "statement" ? rest : asked];
  });
  return { ...options, with: Object.fromEntries(possible) };
}

function readOptions(entity: EntityName, mayFollow: boolean): fc.Arbitrary<Options> {
  const { secret } = MODEL[entity];
  const parts = nestedParts(entity, NESTING_DEPTH, mayFollow);
  return manyOf({ ...parts, ...(secret === undefined ? {} : { reveal: fc.constant([secret]) }) }).map(
    (options) => withoutImpossible(entity, options),
  );
}

function listOptions(entity: EntityName): fc.Arbitrary<Options> {
  return fc
    .tuple(
      readOptions(entity, true),
      manyOf({ where: whereOf(entity, CONDITION_DEPTH), sort: sortOf(entity) }),
    )
    .chain(([read, list]) => usingNames(entity, { ...read, ...list }, true));
}

/** Filtered and sorted by what is computed as well, where something is. */
function usingNames(entity: EntityName, options: Options, isSorted: boolean): fc.Arbitrary<Options> {
  const { compute, where, sort } = options;
  const [names, sortable] = [namesOf(compute), isSorted ? sortableNames(compute) : []];
  if (names.length === 0) return fc.constant(options);
  const own = fc
    .constantFrom(...names)
    .chain((name) => columnCondition(entity, name).map((part) => ({ [name]: part })));
  const filtered = own.chain((part) =>
    fc.constantFrom(
      ...(where === undefined
        ? [part]
        : [{ ...part, and: [where] }, { or: [where, part] }, { and: [part, where] }]),
    ),
  );
  const term = sortable.length === 0 ? undefined : fc.constantFrom(...sortable).chain(termOf);
  const others = sort === undefined ? [] : [sort].flat();
  return fc
    .tuple(
      fc.option(filtered, { freq: 2 }),
      term === undefined ? fc.constant(null) : fc.option(term, { freq: 2 }),
      fc.boolean(),
    )
    .map(([condition, by, isFirst]) => ({
      ...options,
      ...(condition === null ? {} : { where: condition }),
      ...(by === null ? {} : { sort: isFirst ? [by, ...others] : [...others, by] }),
    }));
}

/** Of rows that are equal in these columns the first, in an order that begins with them. */
function distinctOptions(entity: EntityName): fc.Arbitrary<Options> {
  const chosen = fc.subarray([...sortableColumns(entity)], { minLength: 1, maxLength: 2 });
  return fc
    .tuple(listOptions(entity), chosen, sortOf(entity), fc.boolean())
    .map(([options, distinctOn, sort, hasSort]) => {
      const { sort: _, ...others } = options;
      const ordered = hasSort ? { sort: [...distinctOn, sort].flat() } : {};
      return { ...others, distinctOn, ...ordered };
    });
}

function keysOf(
  entity: EntityName,
  names: readonly string[],
): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const taken = INITIAL[entity].map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));
  const whole = taken.filter((key) => names.every((name) => (key[name] ?? null) !== null));
  const made = fc
    .tuple(...names.map((name) => operandOf(entity, name)))
    .map((values) => Object.fromEntries(names.map((name, i) => [name, values[i]])));
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...whole) }, { weight: 1, arbitrary: made });
}

/** Of the rows themselves, of those they lead to, and of what is computed. */
function measuresOf(entity: EntityName): fc.Arbitrary<Measures> {
  return fc
    .option(computeOf(entity), { freq: 2 })
    .chain((compute) =>
      measuresWith(entity, namesOf(compute)).map((measures) =>
        compute === null ? measures : { ...measures, compute },
      ),
    );
}

function measuresWith(entity: EntityName, names: readonly string[]): fc.Arbitrary<Measures> {
  const own = Object.keys(MODEL[entity].columns);
  const columns = [...new Set([...own, ...names, ...sortPaths(entity, 2)])];
  const those = (is: (kind: Kind) => boolean) => {
    const fit = columns.filter((column) => is(kindOf(entity, column)));
    return fc.shuffledSubarray(fit, { minLength: 1, maxLength: Math.min(3, fit.length) });
  };
  const summable = columns.some((column) => kindOf(entity, column).sum !== undefined);
  const parts: Record<string, fc.Arbitrary<unknown>> = {
    countDistinct: those(({ isSortable }) => isSortable),
    min: those(({ isRanked, isExact }) => isRanked && isExact),
    max: those(({ isRanked, isExact }) => isRanked && isExact),
    ...(summable
      ? { sum: those(({ sum }) => sum !== undefined), avg: those(({ sum }) => sum !== undefined) }
      : {}),
    where: whereOf(entity, CONDITION_DEPTH),
  };
  const groups = manyOf({
    having: fc.integer({ min: 1, max: 3 }).map((gte) => ({ count: { gte } })),
    sort: fc.constantFrom("count", "-count"),
    limit: fc.integer({ min: 1, max: 5 }),
  });
  const groupBy = those(({ isSortable, isExact }) => isSortable && isExact);
  return fc.tuple(manyOf(parts), fc.option(fc.tuple(groupBy, groups))).map(([measures, grouped]) => {
    if (grouped === null) return { ...measures, count: true };
    return { ...measures, count: true, groupBy: grouped[0], ...grouped[1] };
  });
}

function readsOf(entity: EntityName): fc.Arbitrary<Omit<Read, "entity" | "visibility">> {
  const { key, uniques } = MODEL[entity];
  const limit = fc.integer({ min: 1, max: 12 });
  const pages = fc.record(
    { limit, page: fc.integer({ min: 1, max: 4 }), total: fc.constantFrom("exact", "estimated", "none") },
    { requiredKeys: [], noNullPrototype: true },
  );
  const anyList = fc.oneof(
    { weight: 5, arbitrary: listOptions(entity) },
    { weight: 1, arbitrary: distinctOptions(entity) },
  );
  const condition = whereOf(entity, CONDITION_DEPTH + 1).map((where) => ({ where }));
  const exact = sortPaths(entity, 1).filter((path) => kindOf(entity, path).isExact);
  const list = fc
    .tuple(anyList, pages)
    .map(([options, page]) => ({ call: "list", options: { ...options, ...page } }) as const);
  const walk = fc
    .tuple(anyList, limit)
    .map(([options, size]) => ({ call: "walk", options: { ...options, limit: size } }) as const);
  const stream = fc
    .tuple(listOptions(entity), limit)
    .map(([options, batchSize]) => ({ call: "stream", options, batchSize }) as const);
  const find = fc
    .tuple(readOptions(entity, false), fc.array(keysOf(entity, key), { minLength: 1, maxLength: 3 }))
    .map(([options, keys]) => ({ call: "find", options, keys }) as const);
  const findBy = fc
    .constantFrom(key, ...uniques)
    .chain((names) => fc.tuple(readOptions(entity, false), keysOf(entity, names)))
    .map(([options, one]) => ({ call: "findBy", options, keys: [one] }) as const);
  const findMany = fc
    .tuple(readOptions(entity, true), fc.array(keysOf(entity, key), { maxLength: 6 }))
    .map(([options, keys]) => ({ call: "findMany", options, keys }) as const);
  return fc.oneof(
    { weight: 8, arbitrary: list },
    { weight: 4, arbitrary: walk },
    { weight: 2, arbitrary: stream },
    { weight: 2, arbitrary: condition.map((options) => ({ call: "count", options }) as const) },
    { weight: 1, arbitrary: condition.map((options) => ({ call: "exists", options }) as const) },
    { weight: 1, arbitrary: find },
    { weight: 1, arbitrary: findBy },
    { weight: 2, arbitrary: findMany },
    {
      weight: 2,
      arbitrary: measuresOf(entity).map(
        (measures) => ({ call: "aggregate", options: {}, measures }) as const,
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(condition, fc.constantFrom(...exact))
        .map(([options, column]) => ({ call: "distinct", options, column }) as const),
    },
  );
}

const READS = new Map(ENTITIES.map((entity) => [entity, readsOf(entity)]));

/** A read of any entity, by somebody who sees the living, all, or the dead. */
export const anyRead: fc.Arbitrary<Read> = fc
  .oneof(
    { weight: 3, arbitrary: fc.constant<EntityName>("sites") },
    { weight: 4, arbitrary: fc.constantFrom(...ENTITIES) },
  )
  .chain((entity) => {
    const living = { weight: 3, arbitrary: fc.constant<Visibility>("living") };
    const others = { weight: 1, arbitrary: fc.constantFrom<Visibility>("all", "dead") };
    const visibility = MODEL[entity].isSoft ? fc.oneof(living, others) : fc.constant<Visibility>("living");
    return fc
      .tuple(visibility, READS.get(entity) ?? readsOf(entity))
      .map(([seen, read]) => ({ entity, visibility: seen, ...read }));
  });
