import { createDatabase } from "plinth";
import { afterAll, describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { startRelay } from "../../test/support/relay.ts";
import { openStudios, schema } from "./studios.fixture.ts";

const { db, as, repo, url } = await openStudios({ max: 3 });
const one = await createDatabase({ schema, url, pool: { max: 1 } });
afterAll(() => one.close());

await as("ada", () => repo.labels.createMany([{ name: "a" }, { name: "b" }]));
await as("bob", () => repo.labels.createMany([{ name: "a" }]));

const told = async (of: Pick<typeof db, "sql">) =>
  (await of.sql<{ told: string | null }>`select current_setting('plinth.tenant_id', true) as told`)[0]
    ?.told ?? "";

describe("SQL of the application's own, inside db.as", () => {
  it("sees and writes the tenant's rows alone", async () => {
    expect(await as("ada", () => db.sql`select name from studios.labels order by name`)).toEqual([
      { name: "a" },
      { name: "b" },
    ]);
    expect(
      await as("bob", () => db.drizzle.select({ name: schema.labels.name }).from(schema.labels)),
    ).toEqual([{ name: "a" }]);
    expect(
      await as("bob", () => db.sql`update studios.labels set uses = uses + 1 returning studio_id`),
    ).toEqual([{ studio_id: "bob" }]);
    expect(
      await rejection(
        as("bob", () => db.sql`insert into studios.labels (studio_id, name) values ('ada', 'x')`),
      ),
    ).toMatchObject({ code: "ROW_SECURITY_VIOLATION" });
    expect(
      await rejection(as("bob", () => db.sql`update studios.labels set studio_id = 'ada'`)),
    ).toMatchObject({ code: "ROW_SECURITY_VIOLATION" });
    expect(
      await as(
        "bob",
        () => db.sql`insert into studios.labels (studio_id, name) values ('bob', 'x') returning name`,
      ),
    ).toEqual([{ name: "x" }]);
    expect(
      await as("bob", () => db.sql`delete from studios.labels where name in ('x', 'b') returning name`),
    ).toEqual([{ name: "x" }]);
  });

  it.each([
    "select name from studios.labels",
    "-- a note\n  select name from studios.labels",
    "/* a * note */ (select name from studios.labels)",
    "with l as (select * from studios.labels) select name from l",
    "table studios.labels",
  ])("is told of its tenant, however it begins: %s", async (text) => {
    const strings = Object.assign([text], { raw: [text] });
    expect(await as("ada", () => db.sql(strings))).toHaveLength(2);
    expect(await as("ada", () => db.transaction((tx) => tx.sql(strings)))).toHaveLength(2);
    expect(await as("ada", () => db.batch([db.sql(strings)]))).toHaveLength(1);
    expect(await db.sql(strings)).toHaveLength(0);
  });

  it("is told by a parameter: a tenant's name is never SQL", async () => {
    const name = "'; drop table studios.labels; --";
    expect(await as(name, () => told(db))).toBe(name);
    expect(await as(name, () => repo.labels.count())).toBe(0);
  });
});

describe("what the database is told", () => {
  it("ends with the statement: the next one on the connection knows of nobody", async () => {
    const labels = one.repository(schema.labels);
    expect(await one.as({ tenantId: "ada" }, () => labels.count())).toBe(2);
    expect(await told(one)).toBe("");
    expect(await one.as({ tenantId: "bob" }, () => told(one))).toBe("bob");
    expect(await told(one)).toBe("");
    await rejection(one.as({ tenantId: "ada" }, () => one.sql`select 1 / 0 from studios.labels`));
    expect(await told(one)).toBe("");
    await one.as({ tenantId: "ada" }, () => one.transaction(() => labels.count()));
    expect(await told(one)).toBe("");
    expect(await one.sql`select * from studios.labels`).toEqual([]);
  });

  it("is another within a transaction, where another acts; a savepoint takes it back", async () => {
    const seen = await as("ada", () =>
      db.transaction(async (tx) => {
        const labels = tx.repository(schema.labels);
        const counts = [await labels.count()];
        counts.push(await as("bob", () => labels.count()));
        const undone = tx.transaction(async () => {
          counts.push(await as("bob", () => labels.count()));
          throw new Error("undone");
        });
        await undone.catch(() => {});
        counts.push(await labels.count(), (await tx.sql`select from studios.labels`).length);
        counts.push(await as("bob", async () => (await tx.sql`select from studios.labels`).length));
        counts.push(
          ...(await Promise.all([labels.count(), as("bob", () => labels.count()), labels.count()])),
        );
        return counts;
      }),
    );
    expect(seen).toEqual([2, 1, 1, 2, 2, 1, 2, 1, 2]);
  });

  it("goes with a stream, whoever acts while it is read", async () => {
    const rows: string[] = [];
    await as("ada", () =>
      db.transaction(async () => {
        const stream = repo.labels.stream({ batchSize: 1, sort: "name" })[Symbol.asyncIterator]();
        const first = await stream.next();
        rows.push(first.value?.name ?? "");
        expect(await as("bob", () => repo.labels.count())).toBe(1);
        for (let next = await as("bob", () => stream.next()); next.done !== true; next = await stream.next())
          rows.push(next.value.name);
      }),
    );
    expect(rows).toEqual(["a", "b"]);
  });

  it("goes with a statement that can be canceled, with explain, and with COPY out of a query", async () => {
    const { signal } = new AbortController();
    expect(await as("ada", () => repo.labels.count().withSignal(signal))).toBe(2);
    expect(await as("ada", () => db.sql`select from studios.labels`.withSignal(signal))).toHaveLength(2);
    const { statements } = await as("ada", () => repo.labels.list().explain({ analyze: true }));
    expect(statements[0]?.plan.actualRows).toBe(2);
    const pieces: Buffer[] = [];
    await as("ada", async () => {
      for await (const piece of db.copyOut(db.sql`select name from studios.labels order by 1`))
        pieces.push(piece);
    });
    expect(Buffer.concat(pieces).toString()).toBe("a\nb\n");
  });

  it("never mixes reads that travel as one statement, or in one tick", async () => {
    const [a] = await as("ada", () => repo.labels.list({ sort: "name" })).then(({ data }) => data);
    const [b] = await as("bob", () => repo.labels.list({ sort: "name" })).then(({ data }) => data);
    if (a === undefined || b === undefined) throw new Error("no rows");
    const both = Array.from({ length: 40 }, (_, i) => {
      const tenant = i % 2 === 0 ? "ada" : "bob";
      return as(tenant, () =>
        Promise.all(Array.from({ length: 20 }, (__, n) => repo.labels.find(n % 2 === 0 ? a.id : b.id))),
      );
    });
    for (const [i, found] of (await Promise.all(both)).entries()) {
      const own = i % 2 === 0 ? a : b;
      expect(found.filter((row) => row !== undefined)).toEqual(Array.from({ length: 10 }, () => own));
    }
  });

  it("travels in the statement's own flight", async () => {
    const relay = await startRelay(url);
    const near = await createDatabase({ schema, url: relay.urlFor(url), pool: { max: 1 } });
    const labels = near.repository(schema.labels);
    const read = () => near.as({ tenantId: "ada" }, () => labels.list({ limit: 1, total: "none" }));
    const write = () =>
      near.as({ tenantId: "ada" }, () => labels.updateMany({ where: { name: "a" } }, { uses: 1 }));
    const raw = () =>
      near.as({ tenantId: "ada" }, () => near.batch([near.sql`select 1 from studios.labels`]));
    for (const call of [read, write]) {
      for (let i = 0; i < 3; i++) await call();
      relay.record();
      for (let i = 0; i < 10; i++) await call();
      expect(relay.answers.length).toBe(10);
    }
    expect(await raw()).toHaveLength(1);
    await near.close();
    await relay.close();
  });
});
