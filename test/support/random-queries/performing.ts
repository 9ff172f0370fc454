/** Writes to the database and to the rows in memory, compared after each of them. */
import fc from "fast-check";
import { add, append, given, isPlinthError, merge, multiply, remove, subtract, toggle } from "plinth";
import { expect } from "vitest";
import { type Depot, keyOf } from "./depot.ts";
import { ENTITIES, type EntityName, MODEL, type Row, sameKey } from "./model.ts";
import type { Operation, Patch, Write, WriteRun } from "./random-writes.ts";
import { readerOf } from "./reading.ts";
import { copyOf, type World } from "./world.ts";
import { Death, Refused, write } from "./writing.ts";

/** Fails the test where the tables and the rows in memory part. Leaves the database as it was. */
export async function agreeOnWrites(depot: Depot, run: WriteRun): Promise<void> {
  if (!run.isTransaction) {
    try {
      return await allAgree(depot, run, (work) => work());
    } finally {
      await depot.restore();
    }
  }
  const undo = new Error("undo");
  const transaction = depot.db.transaction(async () => {
    // Each in a savepoint, so that one which is refused takes nothing along.
    await allAgree(depot, run, (work) => depot.db.transaction(() => work()));
    throw undo;
  });
  await transaction.catch((error: unknown) => {
    if (error !== undo) throw error;
  });
}

type Within = <T>(work: () => PromiseLike<T>) => PromiseLike<T>;

async function allAgree(depot: Depot, { writes }: WriteRun, within: Within): Promise<void> {
  let world = copyOf(depot.world);
  for (const one of writes) {
    const next = copyOf(world);
    const expected = attempt(() => write(next, one));
    const actual = await outcomeOf(within(async () => perform(depot, one)));
    if (expected instanceof Refused) {
      expect(actual).toBeInstanceOf(Error);
      expect(expected.codes, String(actual)).toContain(isPlinthError(actual) ? actual.code : actual);
    } else {
      if (actual instanceof Error) throw actual;
      world = next;
    }
    const tables = await tablesOf(depot);
    adoptDeaths(world, tables);
    const reader = readerOf(world, "all");
    for (const entity of ENTITIES) {
      const rows = reader.rows(entity, { sort: MODEL[entity].key });
      expect(tables[entity]).toEqual(rows.map((row) => reader.shown(entity, row, {})));
    }
    if (!(expected instanceof Refused))
      expect(inAnyOrder(one, actual)).toEqual(inAnyOrder(one, settled(expected)));
  }
}

function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

async function outcomeOf(call: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    return error;
  }
}

function perform(depot: Depot, one: Write): PromiseLike<unknown> {
  const { entity, call, inputs, key, patch, where, on, take, returning } = one;
  const repository = depot.repository(entity, one.visibility);
  const [input = {}] = inputs;
  const asked = returning === undefined ? {} : { returning };
  const update = take === undefined ? patchOf(patch) : take === "all" ? undefined : take;
  const upsert = { on, ...asked, ...(update === undefined ? {} : { update }) };
  switch (call) {
    case "create":
      return repository.create(input, asked);
    case "createMany": {
      const conflict = one.isIgnoring ? { onConflict: "ignore", ...(on === undefined ? {} : { on }) } : {};
      return repository.createMany(inputs, { ...asked, ...conflict });
    }
    case "update":
      return repository.update(keyOf(entity, key), patchOf(patch), {
        ...asked,
        ...(where === undefined ? {} : { where }),
      });
    case "updateMany":
      return repository.updateMany({ where }, patchOf(patch), asked);
    case "upsert":
      return repository.upsert(input, upsert);
    case "upsertMany":
      return repository.upsertMany(inputs, upsert);
    case "increment": {
      const by = Object.entries(patch.changes).map(([column, [, operand]]) => [column, operand]);
      return repository.increment(keyOf(entity, key), Object.fromEntries(by), asked);
    }
    case "delete":
      return repository.delete(keyOf(entity, key), asked);
    case "deleteMany":
      return repository.deleteMany({ where }, asked);
    case "restore":
      return repository.restore(keyOf(entity, key), asked);
  }
}

/** A patch as callers write it. */
function patchOf({ values, changes }: Patch): object {
  const made = Object.entries(changes).map(([column, [operation, operand]]) => [
    column,
    changeOf(operation, operand),
  ]);
  return { ...values, ...Object.fromEntries(made) };
}

function changeOf(operation: Operation, operand: unknown): unknown {
  switch (operation) {
    case "add":
      return add(operand as number);
    case "subtract":
      return subtract(operand as number);
    case "multiply":
      return multiply(operand as number);
    case "toggle":
      return toggle();
    case "append":
      return append(operand as readonly unknown[]);
    case "remove":
      return remove(operand);
    case "merge":
      return merge(operand as object);
    case "given":
      return given();
    case "addGiven":
      return add(given());
  }
}

type Tables = Readonly<Record<EntityName, readonly Row[]>>;

/** All rows, the dead too, in the order of their keys. */
async function tablesOf(depot: Depot): Promise<Tables> {
  const read = async (entity: EntityName) => {
    const repository = depot.repository(entity, MODEL[entity].isSoft ? "all" : "living");
    const { data } = await repository.list({ sort: MODEL[entity].key, limit: 100, total: "none" });
    return [entity, data] as const;
  };
  return Object.fromEntries(await Promise.all(ENTITIES.map(read))) as Tables;
}

/** When something died is what the database says of the first row that did: for all that died with it. */
const TIMES = new WeakMap<Death, unknown>();

function adoptDeaths(world: World, tables: Tables): void {
  for (const entity of ENTITIES) {
    world[entity] = world[entity].map((row) => {
      const { deletedAt } = row;
      if (!(deletedAt instanceof Death)) return row;
      const there = tables[entity].find((one) => sameKey(entity, one, row));
      if (!TIMES.has(deletedAt) && there?.deletedAt instanceof Date) TIMES.set(deletedAt, there.deletedAt);
      return { ...row, deletedAt: TIMES.get(deletedAt) ?? deletedAt };
    });
  }
}

function settled(value: unknown): unknown {
  if (value instanceof Death) return TIMES.get(value) ?? value;
  if (Array.isArray(value)) return value.map(settled);
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "deletedAt")) return value;
  const { deletedAt, ...rest } = Object(value);
  return { ...rest, deletedAt: settled(deletedAt) };
}

/** Which row an update or a delete of many meets first is the database's choice. */
function inAnyOrder({ call }: Write, answer: unknown): unknown {
  if (!Array.isArray(answer) || (call !== "updateMany" && call !== "deleteMany")) return answer;
  return [...answer].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

/** The same for the same values, in whatever order their properties come. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (typeof value !== "object" || value === null || value instanceof Date) return fc.stringify(value);
  const parts = Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}:${textOf(part)}`);
  return `{${parts.sort().join()}}`;
}
