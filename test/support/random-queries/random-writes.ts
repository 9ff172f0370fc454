/** Random writes of every kind, on rows that are there and on rows that are not. */
import fc from "fast-check";
import { ITEMS } from "./kinds.ts";
import { columnsOf, type EntityName, kindOf, MODEL, type Row } from "./model.ts";
import { operandOf, whereOf } from "./random-where.ts";
import { anyValue, DYING, INITIAL } from "./rows.ts";
import type { Visibility } from "./world.ts";

export type Operation =
  | "add"
  | "subtract"
  | "multiply"
  | "toggle"
  | "append"
  | "remove"
  | "merge"
  | "given"
  | "addGiven";

/** New values, and what becomes of the values that are there: by column, the operation and what it works with. */
export interface Patch {
  readonly values: Row;
  readonly changes: Readonly<Record<string, readonly [Operation, unknown]>>;
}

/** A write, as it stands in a report of what failed. */
export interface Write {
  readonly call:
    | "create"
    | "createMany"
    | "update"
    | "updateMany"
    | "upsert"
    | "upsertMany"
    | "increment"
    | "delete"
    | "deleteMany"
    | "restore";
  readonly entity: EntityName;
  readonly visibility: Visibility;
  readonly inputs: readonly Row[];
  readonly key: Row;
  readonly patch: Patch;
  readonly where: unknown;
  readonly on: readonly string[] | undefined;
  /** What an upsert takes of its row; undefined for a patch. */
  readonly take: readonly string[] | "all" | undefined;
  readonly isIgnoring: boolean;
  readonly returning: boolean | readonly string[] | undefined;
}

/** Several writes, one after the other; within a transaction, or each in its own. */
export interface WriteRun {
  readonly isTransaction: boolean;
  readonly writes: readonly Write[];
}

const WRITTEN: readonly EntityName[] = [
  "sites",
  "sites",
  "sites",
  "regions",
  "readings",
  "siteLabels",
  "labels",
  "notes",
  "permits",
];
const NEW_IDS = ["new1", "new2", "new3", "new4", "new5", "new6", "new7", "new8"];

/** Values of a key column: those that are taken, and a few that are not. */
function keyPart(entity: EntityName, column: string): fc.Arbitrary<unknown> {
  const reference = MODEL[entity].references.find(({ columns }) => columns.some(([own]) => own === column));
  if (reference !== undefined) return parentValue(entity, column, false);
  const taken = INITIAL[entity].map((row) => row[column]);
  const free =
    entity === "permits" ? [1n, 2n, 3n, 4n] : typeof taken[0] === "number" ? [7, 8, 50, 51, 52] : NEW_IDS;
  return fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...taken.slice(0, 10)) },
    { weight: 2, arbitrary: fc.constantFrom(...free) },
  );
}

function keyOf(entity: EntityName): fc.Arbitrary<Row> {
  const { key } = MODEL[entity];
  const taken = INITIAL[entity].map((row) => Object.fromEntries(key.map((part) => [part, row[part]])));
  const made = fc
    .tuple(...key.map((part) => keyPart(entity, part)))
    .map((values) => Object.fromEntries(key.map((part, i) => [part, values[i]])));
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...taken) }, { weight: 1, arbitrary: made });
}

/** Mostly a parent that is there; dead ones among them, and one that never was. */
function parentValue(entity: EntityName, column: string, isNullable: boolean): fc.Arbitrary<unknown> {
  const reference = MODEL[entity].references.find(({ columns }) => columns.some(([own]) => own === column));
  const [, other = ""] = reference?.columns.find(([own]) => own === column) ?? [];
  const there = INITIAL[reference?.target ?? entity].map((row) => row[other]);
  const value = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...there) },
    { weight: 1, arbitrary: fc.constantFrom(other === "no" ? 99 : "nobody") },
  );
  return isNullable ? fc.option(value, { freq: 4 }) : value;
}

function valueFor(entity: EntityName, column: string): fc.Arbitrary<unknown> {
  const { notNull, key, references } = MODEL[entity];
  const isNullable = !notNull.includes(column) && !key.includes(column);
  if (references.some(({ columns }) => columns.some(([own]) => own === column)))
    return parentValue(entity, column, isNullable);
  if (key.includes(column)) return keyPart(entity, column);
  const value = column === "id" ? operandOf(entity, column) : anyValue(kindOf(entity, column));
  return isNullable ? fc.option(value, { freq: 4 }) : value;
}

function record(entity: EntityName, columns: readonly string[]): fc.Arbitrary<Row> {
  return fc
    .tuple(...columns.map((column) => valueFor(entity, column)))
    .map((values) => Object.fromEntries(columns.map((column, i) => [column, values[i]])));
}

function required(entity: EntityName): readonly string[] {
  const { key, notNull } = MODEL[entity];
  return [...key, ...notNull.filter((column) => column !== "status")];
}

function optional(entity: EntityName): readonly string[] {
  return Object.keys(MODEL[entity].columns).filter((column) => !required(entity).includes(column));
}

/** Rows that give the same columns; and now and then one that gives others. */
function inputsOf(entity: EntityName, on: readonly string[], isMixed: boolean): fc.Arbitrary<readonly Row[]> {
  const columns = fc
    .subarray([...optional(entity)])
    .map((chosen) => [...new Set([...required(entity), ...on, ...chosen])]);
  const alike = columns.chain((chosen) => fc.array(record(entity, chosen), { minLength: 1, maxLength: 5 }));
  const others = fc.array(
    columns.chain((chosen) => record(entity, chosen)),
    { minLength: 2, maxLength: 4 },
  );
  return isMixed ? fc.oneof({ weight: 3, arbitrary: alike }, { weight: 1, arbitrary: others }) : alike;
}

const NUMBERS = { number: [-2, 0, 1, 3], bigint: [-2n, 0n, 1n, 5n], decimal: ["0.01", "1.50", "-2.00"] };

/** What may become of a column's value, beside taking another. */
function changesOf(
  entity: EntityName,
  column: string,
): readonly fc.Arbitrary<readonly [Operation, unknown]>[] {
  const { number, family } = kindOf(entity, column);
  const { key, references } = MODEL[entity];
  if (key.includes(column) || references.some(({ columns }) => columns.some(([own]) => own === column)))
    return [];
  const of = (operation: Operation, operands: readonly unknown[]) =>
    fc.constantFrom(...operands).map((operand): readonly [Operation, unknown] => [operation, operand]);
  // The product of a large whole number and another is exact in the database, and no safe integer here.
  if (number !== undefined && column !== "safe")
    return (["add", "subtract", "multiply"] as const).map((operation) => of(operation, NUMBERS[number]));
  if (column === "flag") return [of("toggle", [null])];
  if (column === "tags") return [of("append", [[], ["a"], ["b", null]]), of("remove", ITEMS.tags ?? [])];
  return family === "document" ? [of("merge", [{}, { a: 1 }, { b: { c: null } }, { "": "x", a: [1] }])] : [];
}

/** The key that an upsert meets on stays as it is: two rows could meet where only one was. */
function patchOf(entity: EntityName, on?: readonly string[]): fc.Arbitrary<Patch> {
  const { key } = MODEL[entity];
  const isUpsert = on !== undefined;
  const columns = Object.keys(MODEL[entity].columns).filter(
    (column) => !key.includes(column) && on?.includes(column) !== true,
  );
  return fc.subarray(columns, { minLength: 1, maxLength: Math.min(4, columns.length) }).chain((chosen) =>
    fc.tuple(...chosen.map((column) => partOf(entity, column, isUpsert))).map((parts) => ({
      values: Object.fromEntries(
        parts.flatMap((part, i) => ("value" in part ? [[chosen[i], part.value]] : [])),
      ),
      changes: Object.fromEntries(
        parts.flatMap((part, i) => ("change" in part ? [[chosen[i], part.change]] : [])),
      ),
    })),
  );
}

type Part = { readonly value: unknown } | { readonly change: readonly [Operation, unknown] };

function partOf(entity: EntityName, column: string, isUpsert: boolean): fc.Arbitrary<Part> {
  const value = valueFor(entity, column).map((one): Part => ({ value: one }));
  const isNumber = kindOf(entity, column).number !== undefined && column !== "safe";
  const changes = [
    ...changesOf(entity, column),
    ...(isUpsert ? [fc.constant<readonly [Operation, unknown]>(["given", null])] : []),
    ...(isUpsert && isNumber ? [fc.constant<readonly [Operation, unknown]>(["addGiven", null])] : []),
  ];
  return changes.length === 0
    ? value
    : fc.oneof(value, ...changes.map((one) => one.map((change): Part => ({ change }))));
}

/** Of `by`, as `increment` has it, only what can be added. */
function increaseOf(entity: EntityName): fc.Arbitrary<Patch> | undefined {
  const columns = Object.keys(MODEL[entity].columns).filter((column) => {
    const { number } = kindOf(entity, column);
    return changesOf(entity, column).length > 0 && (number === "number" || number === "bigint");
  });
  if (columns.length === 0) return undefined;
  return fc.subarray(columns, { minLength: 1, maxLength: Math.min(2, columns.length) }).chain((chosen) =>
    fc
      .tuple(
        ...chosen.map((column) => fc.constantFrom(...NUMBERS[kindOf(entity, column).number ?? "number"])),
      )
      .map((values) => ({
        values: {},
        changes: Object.fromEntries(chosen.map((column, i) => [column, ["add", values[i]] as const])),
      })),
  );
}

const NOTHING: Omit<Write, "call" | "entity"> = {
  visibility: "living",
  inputs: [],
  key: {},
  patch: { values: {}, changes: {} },
  where: undefined,
  on: undefined,
  take: undefined,
  isIgnoring: false,
  returning: undefined,
};

/** Which properties of its row an upsert takes. */
function takenOf(entity: EntityName, columns: readonly string[]): fc.Arbitrary<readonly string[] | "all"> {
  const { key } = MODEL[entity];
  return fc.oneof(
    fc.constant("all" as const),
    fc.subarray(columns.filter((column) => !key.includes(column))),
  );
}

type Asked = Pick<Write, "call"> & Partial<Write>;

function writesOf(entity: EntityName): fc.Arbitrary<Write> {
  const { key, uniques, isSoft } = MODEL[entity];
  const seen = isSoft
    ? fc.constantFrom<Visibility>("living", "living", "all", "dead")
    : fc.constant<Visibility>("living");
  const returning = fc.oneof(
    fc.constantFrom(undefined, true, false),
    fc.subarray([...columnsOf(entity)], { minLength: 1 }),
  );
  const where = fc.oneof(
    { weight: 5, arbitrary: whereOf(entity, 1) },
    { weight: 1, arbitrary: fc.constant("all") },
  );
  const on = fc.constantFrom(key, ...uniques);
  const one = keyOf(entity);
  const known = DYING.flatMap(([dying, key]) => (dying === entity ? [key] : []));
  const dead = known.length === 0 ? one : fc.oneof(one, fc.constantFrom(...known));
  const made = (call: Write["call"], parts: { readonly [K in keyof Write]?: fc.Arbitrary<Write[K]> }) =>
    fc.record(parts, { noNullPrototype: true }).map((some): Asked => ({ call, ...some }));
  const upserts = (call: "upsert" | "upsertMany") =>
    on.chain((chosen) =>
      inputsOf(entity, chosen, false).chain((rows) => {
        const inputs = call === "upsert" ? rows.slice(0, 1) : rows;
        const columns = Object.keys(inputs[0] ?? {}).filter((column) => !chosen.includes(column));
        return fc.oneof(
          takenOf(entity, columns).map((taken): Asked => ({ call, on: chosen, inputs, take: taken })),
          patchOf(entity, chosen).map((patch): Asked => ({ call, on: chosen, inputs, patch })),
        );
      }),
    );
  const increase = increaseOf(entity);
  const kinds: readonly fc.WeightedArbitrary<Asked>[] = [
    {
      weight: 2,
      arbitrary: inputsOf(entity, [], true).map(
        (inputs): Asked => ({ call: "create", inputs: inputs.slice(0, 1) }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.boolean().chain((isIgnoring) =>
        made("createMany", {
          inputs: inputsOf(entity, [], !isIgnoring),
          isIgnoring: fc.constant(isIgnoring),
          on: isIgnoring ? fc.option(on, { nil: undefined }) : fc.constant(undefined),
        }),
      ),
    },
    { weight: 3, arbitrary: made("update", { key: one, patch: patchOf(entity), visibility: seen }) },
    {
      weight: 2,
      arbitrary: made("update", { key: one, patch: patchOf(entity), where: whereOf(entity, 1) }),
    },
    {
      weight: 3,
      arbitrary: made("updateMany", { where, patch: patchOf(entity), visibility: seen }),
    },
    { weight: 2, arbitrary: upserts("upsert") },
    { weight: 2, arbitrary: upserts("upsertMany") },
    ...(increase === undefined
      ? []
      : [{ weight: 1, arbitrary: made("increment", { key: one, patch: increase }) }]),
    { weight: 3, arbitrary: made("delete", { key: one }) },
    { weight: 2, arbitrary: made("deleteMany", { where, visibility: seen }) },
    ...(isSoft ? [{ weight: 3, arbitrary: made("restore", { key: dead }) }] : []),
  ];
  return fc
    .tuple(fc.oneof(...kinds), returning)
    .map(([write, asked]) => ({ ...NOTHING, entity, returning: asked, ...write }));
}

const WRITES = new Map(WRITTEN.map((entity) => [entity, writesOf(entity)]));

const anyWrite = fc.constantFrom(...WRITTEN).chain((entity) => WRITES.get(entity) ?? writesOf(entity));

/** Something dies, something else happens, and what died returns. */
const lifeAndDeath: fc.Arbitrary<readonly Write[]> = fc
  .constantFrom<EntityName>("sites", "regions", "labels", "siteLabels")
  .chain((entity) => fc.tuple(fc.constant(entity), keyOf(entity), fc.array(anyWrite, { maxLength: 2 })))
  .map(([entity, key, between]) => [
    { ...NOTHING, entity, key, call: "delete" },
    ...between,
    { ...NOTHING, entity, key, call: "restore" },
  ]);

export const anyWriteRun: fc.Arbitrary<WriteRun> = fc.record(
  {
    isTransaction: fc.boolean(),
    writes: fc.oneof(
      { weight: 3, arbitrary: fc.array(anyWrite, { minLength: 1, maxLength: 6 }) },
      { weight: 1, arbitrary: lifeAndDeath },
    ),
  },
  { noNullPrototype: true },
);
