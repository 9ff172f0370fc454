/** The rows that every run begins with: drawn at random, always the same. */
import fc from "fast-check";
import type { Kind } from "./kinds.ts";
import { type EntityName, kindOf, MODEL, type Row } from "./model.ts";

const SEED = 20_261_121;

/** A value of a column: mostly one that others have too. */
export function anyValue(kind: Kind): fc.Arbitrary<unknown> {
  const usual = fc.constantFrom(...kind.values);
  return kind.isFree ? fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: anyText }) : usual;
}

export const anyText = fc
  .string({ unit: "grapheme", maxLength: 6 })
  .filter((text) => !text.includes("\0") && text.isWellFormed());

function named(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(2, "0")}`);
}

const uuids = Array.from({ length: 9 }, (_, i) => `0193506f-0000-7000-8000-00000000000${i}`);
const [regions, sites, labels] = [named("r", 14), named("s", 24), named("l", 8)];

/** Ids that rows have, and some that none has. */
export const IDS = [...regions, ...sites, ...labels];
export const FREE_IDS = ["new1", "new2", ""];
export const UUIDS = [...uuids, "0193506f-0000-7000-8000-0000000000ff"];

/** A row with values for all columns but those of `given`, which are drawn from there. */
function rowOf(
  entity: EntityName,
  given: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<Row> {
  const { columns, notNull } = MODEL[entity];
  const parts = Object.keys(columns).map((column): [string, fc.Arbitrary<unknown>] => {
    const value = given[column] ?? anyValue(kindOf(entity, column));
    const isKept = notNull.includes(column) || Object.hasOwn(given, column);
    return [column, isKept ? value : fc.option(value, { freq: 4 })];
  });
  return fc.record(Object.fromEntries(parts));
}

function drawn(
  entity: EntityName,
  count: number,
  given: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): Row[] {
  const rows = fc.sample(rowOf(entity, given), { seed: SEED + entity.length, numRuns: count });
  return rows.map((row) => ({ ...row }));
}

const maybe = (of: readonly unknown[]) => fc.option(fc.constantFrom(...of), { freq: 5 });

function makeRegions(): readonly Row[] {
  const rows = drawn("regions", regions.length, { id: fc.constant(""), parentId: fc.constant(null) });
  // A forest in which later ones are below earlier ones, and a circle of two with a tail.
  const parents = [null, 0, 0, 1, 1, 2, 3, 6, null, 8, 8, 12, 11, 12];
  return rows.map((row, i) => {
    const parent = parents[i] ?? null;
    return { ...row, id: regions[i], parentId: parent === null ? null : regions[parent] };
  });
}

function makeSites(): readonly Row[] {
  const rows = drawn("sites", sites.length, { id: fc.constant(""), regionId: maybe(regions) });
  const codes = ["x", "y", "X", "", "x y", "%"];
  return rows.map((row, i) => ({ ...row, id: sites[i], code: codes[i] ?? null }));
}

function makeReadings(): readonly Row[] {
  const rows = drawn("readings", 34, { siteId: fc.constantFrom(...sites.slice(0, 14)) });
  return distinct(
    rows.map((row, i) => ({ ...row, no: i % 4 })),
    ["siteId", "no"],
  );
}

function distinct(rows: readonly Row[], key: readonly string[]): readonly Row[] {
  const seen = new Map(rows.map((row) => [JSON.stringify(key.map((part) => row[part])), row]));
  return [...seen.values()];
}

function makeNotes(readings: readonly Row[]): readonly Row[] {
  const given = { siteId: fc.constant(null), no: fc.constant(null) };
  return drawn("notes", 30, given).map((row, i) => {
    // Half a reference refers to nothing.
    const { siteId = null, no = null } = readings[(i * 7) % 19] ?? {};
    const whole = i % 5 === 0 ? { siteId: null, no: i % 2 === 0 ? null : 1 } : { siteId, no };
    return { ...row, id: i - 3, ...whole };
  });
}

const readings = makeReadings();

export const INITIAL: Readonly<Record<EntityName, readonly Row[]>> = {
  regions: makeRegions(),
  sites: makeSites(),
  permits: drawn("permits", 9, { id: fc.constant(0n), siteId: fc.constant("") }).map((row, i) => ({
    ...row,
    id: 2n ** 53n + BigInt(i),
    siteId: sites[i * 2],
  })),
  readings,
  notes: makeNotes(readings),
  labels: drawn("labels", labels.length, { id: fc.constant("") }).map((row, i) => ({
    ...row,
    id: labels[i],
  })),
  siteLabels: distinct(
    drawn("siteLabels", 40, {
      siteId: fc.constantFrom(...sites.slice(0, 12)),
      labelId: fc.constantFrom(...labels),
    }),
    ["siteId", "labelId"],
  ),
  hosts: drawn("hosts", uuids.length, { id: fc.constant(""), siteId: maybe(sites) }).map((row, i) => ({
    ...row,
    id: uuids[i],
  })),
};

/** What each permit keeps to itself. */
export const TOKEN = "a secret";

/** Rows that die before the first run, in this order. */
export const DYING: readonly (readonly [EntityName, Row])[] = [
  ["siteLabels", pick("siteLabels", 1)],
  ["siteLabels", pick("siteLabels", 6)],
  ["sites", { id: sites[3] }],
  ["sites", { id: sites[9] }],
  ["labels", { id: labels[5] }],
  ["regions", { id: regions[6] }],
  ["regions", { id: regions[10] }],
  ["sites", { id: sites[20] }],
];

function pick(entity: EntityName, position: number): Row {
  const row = INITIAL[entity][position] ?? {};
  return Object.fromEntries(MODEL[entity].key.map((part) => [part, row[part]]));
}
