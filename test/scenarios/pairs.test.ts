import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { eq } from "drizzle-orm";
import { type AnyPgColumn, text } from "drizzle-orm/pg-core";
import { appSchema, entity, relations, timestamps, ulidKey, versioned } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll, describe, expect, it } from "vitest";
import { isPooledRun } from "../support/pooler.ts";

/**
 * Every pair of: soft delete, history, relation; nested transaction, upsert, batch, raw SQL, db.drizzle, Python. The first
 * three are rules and the others ways to write: whoever writes, the same rows and the same rules come of it.
 */
const app = appSchema("pairs");
const owners = entity(
  app,
  "owners",
  { id: ulidKey(), name: text().notNull() },
  { softDelete: true, history: true },
);
const things = entity(
  app,
  "things",
  {
    id: ulidKey(),
    ownerId: text()
      .notNull()
      .references((): AnyPgColumn => owners.id, { onDelete: "cascade" }),
    name: text().notNull().unique(),
    ...timestamps(),
    ...versioned(),
  },
  { softDelete: true, history: true },
);
const ownerRelations = relations(owners, (r) => ({ things: r.many(things) }));
const thingRelations = relations(things, (r) => ({ owner: r.one(owners, { via: "ownerId" }) }));

const { db, url, close } = await testDatabase({
  schema: { app, owners, things, ownerRelations, thingRelations },
});
afterAll(close);
const repo = { owners: db.repository(owners), things: db.repository(things) };

interface Thing {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
}

/** One way to write. */
interface Way {
  readonly name: string;
  create(thing: Thing): Promise<unknown>;
  rename(id: string, name: string): Promise<unknown>;
  remove(id: string): Promise<unknown>;
  /** Ends an owner. */
  removeOwner(id: string): Promise<unknown>;
}

/** Debian's, whose driver scripts/setup-system installs. */
const PYTHON = "/usr/bin/python3";
const DRIVER = "/usr/lib/python3/dist-packages/psycopg2/__init__.py";

async function python(statement: string, values: readonly string[]): Promise<void> {
  if (!existsSync(DRIVER)) throw new Error("psycopg2 is not installed: run scripts/setup-system");
  const program = [
    "import psycopg2, sys",
    "c = psycopg2.connect(sys.argv[1])",
    "with c, c.cursor() as k: k.execute(sys.argv[2], sys.argv[3:])",
  ].join("\n");
  await promisify(execFile)(PYTHON, ["-c", program, url, statement, ...values]);
}

const WAYS: readonly Way[] = [
  {
    name: "nested transaction",
    create: (thing) => db.transaction(async () => db.transaction(async () => repo.things.create(thing))),
    rename: (id, name) =>
      db.transaction(async () => db.transaction(async () => repo.things.update(id, { name }))),
    remove: (id) => db.transaction(async () => db.transaction(async () => repo.things.delete(id))),
    removeOwner: (id) => db.transaction(async () => db.transaction(async () => repo.owners.delete(id))),
  },
  {
    name: "upsert",
    create: async (thing) => repo.things.upsert(thing, { on: "name" }),
    rename: async (id, name) => {
      const { ownerId } = await repo.things.get(id);
      return repo.things.upsert({ id, ownerId, name }, { on: "id" });
    },
    remove: async (id) => repo.things.delete(id),
    removeOwner: async (id) => repo.owners.delete(id),
  },
  {
    name: "batch",
    create: (thing) => db.batch([repo.things.create(thing), repo.things.count()]),
    rename: (id, name) => db.batch([repo.things.update(id, { name }), repo.things.get(id)]),
    remove: (id) => db.batch([repo.things.count(), repo.things.delete(id)]),
    removeOwner: (id) => db.batch([repo.owners.delete(id), repo.owners.count()]),
  },
  {
    name: "raw SQL",
    create: async ({ id, ownerId, name }) =>
      db.sql`insert into pairs.things (id, owner_id, name) values (${id}, ${ownerId}, ${name})`,
    rename: async (id, name) => db.sql`update pairs.things set name = ${name} where id = ${id}`,
    remove: async (id) => db.sql`delete from pairs.things where id = ${id}`,
    removeOwner: async (id) => db.sql`delete from pairs.owners where id = ${id}`,
  },
  {
    name: "db.drizzle",
    create: async (thing) => db.drizzle.insert(things).values(thing),
    rename: async (id, name) => db.drizzle.update(things).set({ name }).where(eq(things.id, id)),
    remove: async (id) => db.drizzle.delete(things).where(eq(things.id, id)),
    removeOwner: async (id) => db.drizzle.delete(owners).where(eq(owners.id, id)),
  },
  {
    name: "Python",
    create: ({ id, ownerId, name }) =>
      python("insert into pairs.things (id, owner_id, name) values (%s, %s, %s)", [id, ownerId, name]),
    rename: (id, name) => python("update pairs.things set name = %s where id = %s", [name, id]),
    remove: (id) => python("delete from pairs.things where id = %s", [id]),
    removeOwner: (id) => python("delete from pairs.owners where id = %s", [id]),
  },
];

let made = 0;
async function aThing(): Promise<Thing> {
  const { id: ownerId } = await repo.owners.create({ name: "owner" });
  made += 1;
  return { id: `thing-${made}`, ownerId, name: `name ${made}` };
}

/** `insert`, `update`, `delete`, …: what is recorded of a row, the oldest first. */
async function recorded(id: string): Promise<readonly string[]> {
  const { data } = await repo.things.history(id);
  return data.map(({ operation }) => operation).toReversed();
}

describe.each(WAYS)("$name", (way) => {
  it("and soft delete: what is removed is dead, its name is free, and it comes back", async () => {
    const thing = await aThing();
    await way.create(thing);
    await way.remove(thing.id);
    expect(await repo.things.find(thing.id)).toBeUndefined();
    expect(await repo.things.onlyDeleted().find(thing.id)).toMatchObject({
      ...thing,
      deletedAt: expect.any(Date) as Date,
    });
    const other = { ...thing, id: `${thing.id}-again` };
    await way.create(other);
    await expect(repo.things.restore(thing.id)).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
    await way.remove(other.id);
    expect(await repo.things.restore(thing.id)).toMatchObject(thing);
  });

  it("and history: every change is recorded, with both sides", async () => {
    const thing = await aThing();
    await way.create(thing);
    await way.rename(thing.id, `${thing.name} changed`);
    await way.remove(thing.id);
    expect(await recorded(thing.id)).toEqual(["insert", "update", "delete"]);
    const { data } = await repo.things.history(thing.id);
    expect(data[1]?.changes.name).toEqual({ from: thing.name, to: `${thing.name} changed` });
    expect(data[1]?.changes.version).toEqual({ from: 1, to: 2 });
  });

  it("and relation: children die with their parent, and none is born to a dead one", async () => {
    const thing = await aThing();
    await way.create(thing);
    const read = () => repo.owners.withDeleted().get(thing.ownerId, { with: { things: true } });
    expect((await read()).things).toMatchObject([thing]);
    await way.removeOwner(thing.ownerId);
    expect(await repo.things.find(thing.id)).toBeUndefined();
    expect(await repo.owners.find(thing.ownerId)).toBeUndefined();
    expect(await recorded(thing.id)).toEqual(["insert", "delete"]);
    const orphan = { ...thing, id: `${thing.id}-orphan`, name: `${thing.name} orphan` };
    await expect(way.create(orphan)).rejects.toThrow();
    expect(await repo.things.withDeleted().find(orphan.id)).toBeUndefined();
    await repo.owners.restore(thing.ownerId);
    expect(await repo.things.get(thing.id)).toMatchObject(thing);
  });
});

const PAIRS = WAYS.flatMap((one, i) => WAYS.slice(i + 1).map((other) => ({ one, other })));

describe("what one way has written, the other changes:", () => {
  it.each(PAIRS)("$one.name and $other.name", async ({ one, other }) => {
    const thing = await aThing();
    await one.create(thing);
    await other.rename(thing.id, `${thing.name} by other`);
    await one.rename(thing.id, `${thing.name} by one`);
    await other.remove(thing.id);
    expect(await repo.things.onlyDeleted().get(thing.id)).toMatchObject({
      ...thing,
      name: `${thing.name} by one`,
      version: 4,
    });
    expect(await recorded(thing.id)).toEqual(["insert", "update", "update", "delete"]);
  });
});

describe("rules among themselves:", () => {
  it("soft delete and history: a death and a return are recorded as such, and the past has the living", async () => {
    const thing = await aThing();
    await repo.things.create(thing);
    await repo.things.delete(thing.id);
    const [row] = await db.sql<{ at: string }>`select to_json(clock_timestamp()) as at from pg_sleep(0.002)`;
    await repo.things.restore(thing.id);
    expect(await recorded(thing.id)).toEqual(["insert", "delete", "restore"]);
    expect(await repo.things.asOf(row?.at ?? "").find(thing.id)).toBeUndefined();
    expect(
      await repo.things
        .asOf(row?.at ?? "")
        .withDeleted()
        .find(thing.id),
    ).toMatchObject(thing);
  });

  it("soft delete and relation: a parent counts its living children only", async () => {
    const thing = await aThing();
    await repo.things.create(thing);
    await repo.things.create({ ...thing, id: `${thing.id}-b`, name: `${thing.name} b` });
    await repo.things.delete(thing.id);
    const owner = await repo.owners.get(thing.ownerId, { with: { things: true }, counts: { things: true } });
    expect(owner).toMatchObject({ things: [{ id: `${thing.id}-b` }], counts: { things: 1 } });
  });

  it("history and relation: a parent of then has its children of then", async () => {
    const thing = await aThing();
    await repo.things.create(thing);
    const [row] = await db.sql<{ at: string }>`select to_json(clock_timestamp()) as at from pg_sleep(0.002)`;
    await repo.owners.update(thing.ownerId, { name: "renamed" });
    await repo.things.update(thing.id, { name: `${thing.name} later` });
    const then = repo.owners.asOf(row?.at ?? "");
    expect(await then.get(thing.ownerId, { with: { things: true } })).toMatchObject({
      name: "owner",
      things: [{ name: thing.name }],
    });
  });
});

it("knows its own client: the role is recorded, and nobody's name where none was given", async () => {
  const thing = await aThing();
  await db.as({ userId: "ann", reason: "a test" }, async () => repo.things.create(thing));
  await python("update pairs.things set name = %s where id = %s", [`${thing.name} by hand`, thing.id]);
  const { data } = await repo.things.history(thing.id);
  expect(data.map(({ actor }) => actor.userId)).toEqual([null, "ann"]);
  expect(data[1]?.actor.reason).toBe("a test");
  expect(data[0]?.actor.role).toBe(isPooledRun() ? data[0]?.actor.role : "postgres");
});
