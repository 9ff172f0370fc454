/** One read, asked of the database and of the rows in memory. */
import { expect } from "vitest";
import { Average, aggregated, distinctValues } from "./aggregates.ts";
import { isPlainObject } from "./conditions.ts";
import { type AnyRepository, type Depot, keyOf } from "./depot.ts";
import type { Row } from "./model.ts";
import type { Read } from "./random-reads.ts";
import { type Reader, readerOf } from "./reading.ts";

/** A walk over more pages than there are rows has lost its way. */
const PAGES_LIMIT = 200;

/** Fails the test where the two do not agree. */
export async function agree(depot: Depot, read: Read): Promise<void> {
  const repository = depot.repository(read.entity, read.visibility);
  const reader = readerOf(depot.world, read.visibility);
  if (read.call === "list") return listsAgree(repository, reader, read);
  if (read.call === "aggregate") {
    const actual = await repository.aggregate(read.measures ?? {});
    const { where, compute } = read.measures ?? {};
    const rows = reader.rows(read.entity, { where, compute }).map((row) => whole(reader, read, row));
    const expected = aggregated(read.entity, rows, read.measures ?? {});
    expect(actual).toEqual(alike(read.measures?.groupBy === undefined ? expected[0] : expected, actual));
    return;
  }
  expect(await asked(repository, read)).toEqual(answered(reader, read));
}

async function asked(repository: AnyRepository, read: Read): Promise<unknown> {
  const { entity, call, options, keys = [], column = "", batchSize } = read;
  switch (call) {
    case "walk":
      return walked(repository, options);
    case "stream": {
      const rows: Row[] = [];
      for await (const row of repository.stream({ ...options, batchSize })) rows.push(row);
      return rows;
    }
    case "count":
      return repository.count(options.where);
    case "exists":
      return repository.exists(options.where);
    case "find":
      // In one tick, so that they may travel together.
      return Promise.all(keys.map((key) => repository.find(keyOf(entity, key), options)));
    case "findBy":
      return repository.findBy(keys[0] ?? {}, options);
    case "findMany":
      return repository.findMany(
        keys.map((key) => keyOf(entity, key)),
        options,
      );
    case "distinct":
      return repository.distinct(column, { where: options.where });
    default:
      throw new TypeError(`cannot ask ${call}`);
  }
}

/** A row with what stands at the end of the paths that numbers are asked of. */
function whole(reader: Reader, { entity, measures = {} }: Read, row: Row): Row {
  const { groupBy, countDistinct, sum, avg, min, max } = measures;
  const paths = [groupBy, countDistinct, sum, avg, min, max].flatMap((asked) => asked ?? []);
  return {
    ...row,
    ...Object.fromEntries(paths.map((path) => [path, reader.valueAt(entity, row, path)])),
  };
}

/** All pages of a list, one after the other. */
async function walked(repository: AnyRepository, options: object): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let after: unknown = null;
  for (let page = 0; page < PAGES_LIMIT; page++) {
    const { data, meta } = await repository.list({ ...options, after });
    rows.push(...data);
    if (meta.nextCursor === null) return rows;
    expect(data).toHaveLength(Number(meta.limit));
    after = meta.nextCursor;
  }
  throw new Error("the cursors lead nowhere");
}

function answered(reader: Reader, { entity, call, options, keys = [], column = "" }: Read): unknown {
  const found = reader.rows(
    entity,
    call === "walk" || call === "stream" ? options : { where: options.where, compute: options.compute },
  );
  const byKey = (key: Row): Row | undefined => {
    const row = found.find((one) => Object.keys(key).every((part) => one[part] === key[part]));
    return row === undefined ? undefined : reader.shown(entity, row, options);
  };
  switch (call) {
    case "count":
      return found.length;
    case "exists":
      return found.length > 0;
    case "find":
    case "findMany":
      return keys.map(byKey);
    case "findBy":
      return byKey(keys[0] ?? {});
    case "distinct":
      return distinctValues(
        entity,
        found.map((row) => ({ ...row, [column]: reader.valueAt(entity, row, column) })),
        column,
      );
    default:
      return found.map((row) => reader.shown(entity, row, options));
  }
}

async function listsAgree(
  repository: AnyRepository,
  reader: Reader,
  { entity, options }: Read,
): Promise<void> {
  const { data, meta } = await repository.list(options);
  const found = reader.rows(entity, options);
  const { limit = 10, page = 1, total = "exact" } = options;
  const shown = found.slice((page - 1) * limit, page * limit);
  expect(data).toEqual(shown.map((row) => reader.shown(entity, row, options)));
  const counted = { page, limit, total: found.length, totalPages: Math.ceil(found.length / limit) };
  if (total === "exact") expect(meta).toEqual(counted);
  else if (total === "none") expect(meta).toEqual({ page, limit, hasNextPage: found.length > page * limit });
  else if (meta.isEstimated === false) expect(meta).toEqual({ ...counted, isEstimated: false });
  // What the planner expects is its own affair, but not less than what the page shows.
  else expect(meta.total).toBeGreaterThanOrEqual((page - 1) * limit * Number(data.length > 0) + data.length);
}

/** What was expected, with averages written as the database writes them. */
function alike(expected: unknown, actual: unknown): unknown {
  if (expected instanceof Average) return expected.like(actual);
  if (Array.isArray(expected)) return expected.map((item, i) => alike(item, Object(actual)[i]));
  if (!isPlainObject(expected)) return expected;
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => [key, alike(value, Object(actual)[key])]),
  );
}
