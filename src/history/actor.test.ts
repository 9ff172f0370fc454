import { sql } from "drizzle-orm";
import { testDatabase } from "plinth/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { directly } from "../../test/support/pooler.ts";
import { openLedger, schema, shares } from "./ledger.fixture.ts";

const { db, repo, run } = await openLedger();

const ACTOR = { userId: "u1", tenantId: "t1", requestId: "r1", reason: `it's "because"; \\ $1` };
const KEY = (holder: string) => ({ accountId: "actor", holder });

/** Who changed the rows of a holder, the first change first: user, reason. */
async function authorsOf(holder: string) {
  const rows = await run(
    `select user_id, tenant_id, request_id, reason from shares_history where row_key = '(actor,${holder})' order by version`,
  );
  return rows.map(([user]) => user);
}

describe("the actor of a change", () => {
  it("is that of a single write, and of no other one on the same connection", async () => {
    await db.as(ACTOR, () => repo.shares.create({ ...KEY("single"), percent: 1 }));
    for (let i = 0; i < 20; i++) await repo.shares.update(KEY("single"), { percent: 2 + i });
    const rows = await run(
      "select user_id, tenant_id, request_id, reason, role from shares_history where row_key = '(actor,single)' order by version limit 2",
    );
    expect(rows).toEqual([
      ["u1", "t1", "r1", ACTOR.reason, "postgres"],
      [null, null, null, null, "postgres"],
    ]);
    expect(new Set((await authorsOf("single")).slice(1))).toEqual(new Set([null]));
  });

  it("is that of whoever is in force when a write runs, in one transaction too", async () => {
    await db.transaction(async () => {
      await repo.shares.create({ ...KEY("change"), percent: 1 });
      await db.as({ userId: "a" }, async () => {
        await repo.shares.update(KEY("change"), { percent: 2 });
        await db.as({ userId: "b" }, () => repo.shares.update(KEY("change"), { percent: 3 }));
        await repo.shares.update(KEY("change"), { percent: 4 });
      });
      await repo.shares.update(KEY("change"), { percent: 5 });
    });
    expect(await authorsOf("change")).toEqual([null, "a", "b", "a", null]);
  });

  it("is told again after a savepoint that was rolled back, and holds on after one that was not", async () => {
    await db.as({ userId: "a" }, () =>
      db.transaction(async () => {
        await repo.shares.create({ ...KEY("nested"), percent: 1 });
        await db
          .transaction(async () => {
            await db.as({ userId: "b" }, () => repo.shares.update(KEY("nested"), { percent: 2 }));
            throw new Error("no");
          })
          .catch(() => undefined);
        await repo.shares.update(KEY("nested"), { percent: 3 });
        await db.as({ userId: "b" }, () =>
          db.transaction(() => repo.shares.update(KEY("nested"), { percent: 4 })),
        );
        await db.as({ userId: "b" }, () => repo.shares.update(KEY("nested"), { percent: 5 }));
        await repo.shares.update(KEY("nested"), { percent: 6 });
      }),
    );
    expect(await authorsOf("nested")).toEqual(["a", "a", "b", "b", "a"]);
    await db.transaction(async () => {
      await db
        .transaction(async () => {
          await db.as({ userId: "lost" }, () => repo.shares.update(KEY("nested"), { percent: 7 }));
          throw new Error("no");
        })
        .catch(() => undefined);
      await db.as({ userId: "lost" }, () => repo.shares.update(KEY("nested"), { percent: 8 }));
    });
    expect((await authorsOf("nested")).at(-1)).toBe("lost");
  });

  it("is that of a batch, of COPY, of SQL of one's own and of Drizzle", async () => {
    await db.as(ACTOR, async () => {
      await db.batch([
        repo.shares.create({ ...KEY("many"), percent: 1 }),
        repo.shares.update(KEY("many"), { percent: 2 }),
      ]);
      await repo.shares.createMany([{ ...KEY("many2"), percent: 1 }]);
      await repo.shares.copyIn([{ ...KEY("copy"), percent: 1 }]);
      await db.sql`update ledger.shares set percent = 3 where holder = 'many'`;
      await db.drizzle.update(shares).set({ percent: 4 }).where(sql`holder = 'many'`);
      await db.transaction(async (tx) => {
        await tx.sql`with x as (update ledger.shares set percent = 5 where holder = 'many' returning 1) select 1`;
        await db.drizzle.update(shares).set({ percent: 6 }).where(sql`holder = 'many'`);
        await repo.shares.copyIn([{ ...KEY("copy2"), percent: 1 }]);
        await tx.sql`select 1`;
      });
      const signal = new AbortController().signal;
      await repo.shares.update(KEY("many"), { percent: 7 }).withSignal(signal);
      await db.transaction(() => repo.shares.update(KEY("many"), { percent: 8 }).withSignal(signal));
    });
    expect(await authorsOf("many")).toEqual(Array.from({ length: 8 }, () => "u1"));
    for (const holder of ["many2", "copy", "copy2"]) expect(await authorsOf(holder)).toEqual(["u1"]);
    await repo.shares.update(KEY("many"), { percent: 9 });
    expect((await authorsOf("many")).at(-1)).toBeNull();
  });

  it("is the deleter of a parent in the history of its children", async () => {
    const owner = await repo.owners.create({ email: "cascade@x", name: "A" });
    const account = await repo.accounts.create({ ownerId: owner.id, title: "Rent" });
    await db.as({ userId: "killer" }, () => repo.owners.delete(owner.id));
    expect((await repo.accounts.history(account.id)).data[0]).toMatchObject({
      operation: "delete",
      actor: { userId: "killer" },
    });
  });

  it("is not mixed up by fifty at once", async () => {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        db.as({ userId: `u${i}` }, async () => {
          await repo.shares.create({ ...KEY(`p${i}`), percent: i });
          const change = () => repo.shares.update(KEY(`p${i}`), { percent: i + 1 });
          await (i % 2 === 0 ? change() : db.transaction(change));
        }),
      ),
    );
    for (let i = 0; i < 50; i++) expect(await authorsOf(`p${i}`)).toEqual([`u${i}`, `u${i}`]);
  });

  it("is not mixed up by several at once in one transaction", async () => {
    const USERS = ["a", "b", "first"];
    const holders = Array.from({ length: 30 }, (_, i) => `t${i}`);
    await db.transaction(async () => {
      await db.as({ userId: "first" }, () => repo.shares.create({ ...KEY("first"), percent: 0 }));
      const { signal } = new AbortController();
      await Promise.all(
        holders.map((holder, i) =>
          db.as({ userId: USERS[i % 3] ?? "" }, () => {
            const query = repo.shares.create({ ...KEY(holder), percent: i });
            return i % 4 === 0 ? query.withSignal(signal) : query;
          }),
        ),
      );
    });
    for (const [i, holder] of holders.entries()) expect(await authorsOf(holder)).toEqual([USERS[i % 3]]);
  });

  it("is told by the writes that may be recorded, and by nothing else", async () => {
    // The server counts the runs of prepared statements for each session, so there is one.
    const session = directly("the runs of one session's prepared statements");
    const { db: single, close } = await testDatabase({ schema, pool: { max: 1 }, ...session });
    onTestFinished(close);
    const [notes, own] = [single.repository(schema.notes), single.repository(shares)];
    const toldBy = async (work: () => PromiseLike<unknown>): Promise<number> => {
      const count = async (): Promise<number> => {
        const [row] = await single.sql<{ n: string | null }>`
          select sum(generic_plans + custom_plans)::text as n from pg_prepared_statements where name = 'plinth_actor'`;
        return Number(row?.n ?? 0);
      };
      const before = await count();
      await work();
      return (await count()) - before;
    };
    const write = (percent: number) =>
      own.upsert({ ...KEY("t"), percent }, { on: ["accountId", "holder"] as never });
    const asActor = (work: () => PromiseLike<unknown>) => () => single.as(ACTOR, work);
    expect(await toldBy(() => write(1))).toBe(0);
    expect(await toldBy(asActor(() => write(2)))).toBe(1);
    expect(await toldBy(asActor(() => own.get(KEY("t"))))).toBe(0);
    expect(await toldBy(asActor(() => notes.create({ text: "x" })))).toBe(0);
    expect(await toldBy(() => single.transaction(() => write(3)))).toBe(0);
    expect(await toldBy(asActor(() => single.transaction(() => own.get(KEY("t")))))).toBe(0);
    const three = asActor(() =>
      single.transaction(async () => {
        for (const percent of [4, 5, 6]) await write(percent);
      }),
    );
    expect(await toldBy(three)).toBe(1);
  });

  it("gives errors of a write as they are", async () => {
    await db.as(ACTOR, async () => {
      await repo.shares.create({ ...KEY("twice"), percent: 1 });
      await expect(repo.shares.create({ ...KEY("twice"), percent: 1 })).rejects.toMatchObject({
        code: "UNIQUE_VIOLATION",
        table: "shares",
      });
      await expect(repo.shares.update(KEY("none"), { percent: 1 })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
      const caught = db.transaction(() => repo.shares.create({ ...KEY("twice"), percent: 1 }));
      await expect(caught).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
    });
  });
});
