import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { directly } from "../../test/support/pooler.ts";
import { person, workshops } from "../../test/support/workshop.ts";

const open = workshops();
/** Processes of the pooler are shared, so nobody's line leads to them. */
const direct = directly("a session's own process and line");

/** Runs `work` as another request would: outside the async context of the caller. */
const outside = AsyncLocalStorage.snapshot();

describe("db.diagnose", () => {
  it("names who is idle in a transaction, the line that began it, and who waits", async () => {
    const { db, repo, client, url, quiet } = await open({ ...direct, pool: { max: 2 } });
    const ann = await repo.people.create(person());
    const [first, second] = [await client(), await client()];
    const waiting: Promise<unknown>[] = [];
    await db.transaction(async () => {
      await repo.people.update(ann.id, { name: "mine" });
      waiting.push(first.run("update workshop.people set score = 1").catch((error: unknown) => error));
      await expect.poll(async () => (await outside(() => db.diagnose())).transactions.length).toBe(2);
      waiting.push(second.run("update workshop.people set score = 2").catch((error: unknown) => error));
      await expect
        .poll(async () =>
          (await outside(() => db.diagnose())).transactions.filter((t) => t.blockedBy.length > 0),
        )
        .toHaveLength(2);
      const { transactions, problems, holders, pool } = await db.diagnose();
      const [ours, ...others] = transactions;
      expect(ours).toMatchObject({
        state: "idle in transaction",
        blockedBy: [],
        begunAt: expect.stringMatching(/diagnose\.test\.ts:\d+:\d+$/) as unknown,
        query: expect.stringContaining("update") as unknown,
      });
      expect(new Set(ours?.blocks)).toEqual(new Set([first.processId, second.processId]));
      expect(others.map(({ begunAt }) => begunAt)).toEqual([undefined, undefined]);
      expect(others[0]).toMatchObject({ blockedBy: [ours?.processId], processId: first.processId });
      expect(problems[0]).toMatch(
        /diagnose\.test\.ts:\d+:\d+, has been idle in a transaction for .* and 2 wait for it$/,
      );
      expect(holders).toHaveLength(1);
      expect(pool.inUse).toBe(1);
    });
    expect(await Promise.all(waiting)).toEqual([[], []]);
    expect((await db.diagnose()).transactions).toEqual([]);
    expect(url).toContain("127.0.0.1");
    await quiet();
  });

  it("answers while every connection of the pool is held", async () => {
    const { db, quiet } = await open({ ...direct, pool: { max: 1 } });
    const lease = await db.pool.acquire();
    expect(await db.diagnose()).toMatchObject({ problems: [], pool: { inUse: 1, max: 1 } });
    lease.release();
    await quiet();
  });
});
