import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { refusal, rejection } from "../../test/support/rejection.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../test/support/soak.ts";
import { openLedger } from "./ledger.fixture.ts";

const { db, repo } = await openLedger();

let made = 0;
const owner = (name = "A") =>
  repo.owners.create({ email: `as-of-${++made}@x`, name, token: "hush", pin: "hush" });

/** A moment that nothing shares: after everything before it, before everything after. */
async function moment(): Promise<string> {
  const [row] = await db.sql<{ at: string }>`
    select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from pg_sleep(0.001)`;
  return row?.at ?? "";
}

describe("asOf", () => {
  it("reads rows as they were: changed, gone, not yet there", async () => {
    const kept = await owner("kept");
    const gone = await owner("gone");
    const then = await moment();
    await repo.owners.update(kept.id, { name: "changed" });
    await repo.owners.delete(gone.id);
    const late = await owner("late");
    const past = repo.owners.asOf(then);
    const { token: _, ...was } = { token: 0, ...kept };
    expect(await past.get(kept.id)).toEqual({ ...was, pin: null });
    expect(await past.find(gone.id)).toMatchObject({ name: "gone", deletedAt: null });
    expect(await past.find(late.id)).toBeUndefined();
    expect(await past.findBy({ email: kept.email })).toMatchObject({ id: kept.id, name: "kept" });
    expect((await repo.owners.get(kept.id)).name).toBe("changed");
    const now = repo.owners.asOf(new Date(Date.now() + 60_000));
    expect(await now.withDeleted().find(gone.id)).toMatchObject({
      name: "gone",
      deletedAt: expect.any(Date) as Date,
    });
    expect(await now.find(gone.id)).toBeUndefined();
    expect(await now.onlyDeleted().count({ id: gone.id })).toBe(1);
  });

  it("reads related rows as of the same moment, at every strategy and depth", async () => {
    const { id: ownerId } = await owner("then");
    const [first, second] = await repo.accounts.createMany([
      { ownerId, title: "first", cents: 1n },
      { ownerId, title: "second", cents: 2n },
    ]);
    const then = await moment();
    await repo.owners.update(ownerId, { name: "now" });
    await repo.accounts.update(first?.id ?? "", { title: "renamed", cents: 10n });
    await repo.accounts.delete(second?.id ?? "");
    await repo.accounts.create({ ownerId, title: "third" });
    const past = repo.owners.asOf(then);
    for (const strategy of [undefined, "json", "statement"] as const) {
      const accounts = { sort: "title", ...(strategy === undefined ? {} : { strategy }) } as const;
      const row = await past.get(ownerId, { with: { accounts } });
      expect(row).toMatchObject({
        name: "then",
        accounts: [{ title: "first", cents: 1n }, { title: "second" }],
      });
    }
    const accounts = repo.accounts.asOf(then);
    const page = await accounts.list({
      where: { owner: { is: { name: "then" } } },
      with: { owner: true },
      sort: "owner.name",
    });
    expect(page.data.map(({ title, owner: of }) => [title, of?.name])).toEqual([
      ["first", "then"],
      ["second", "then"],
    ]);
    expect(page.meta.total).toBe(2);
  });

  it("counts, sums, pages by cursor and streams what was", async () => {
    const { id: ownerId } = await owner();
    await repo.accounts.createMany(
      Array.from({ length: 5 }, (_, i) => ({ ownerId, title: `${i}`, cents: BigInt(i) })),
    );
    const then = await moment();
    await repo.accounts.updateMany({ where: { ownerId } }, { cents: 100n });
    await repo.accounts.deleteMany({ where: { ownerId, title: { in: ["1", "2"] } } });
    const past = repo.accounts.asOf(then);
    expect(await past.count({ ownerId })).toBe(5);
    expect(await past.exists({ ownerId, cents: 4n })).toBe(true);
    expect(await past.exists({ ownerId, cents: 100n })).toBe(false);
    const [sums] = await past.aggregate({ where: { ownerId }, sum: ["cents"], groupBy: "ownerId" });
    expect(sums).toMatchObject({ sum: { cents: "10" } });
    const first = await past.list({ where: { ownerId }, sort: "title", limit: 2, after: "" });
    const second = await past.list({
      where: { ownerId },
      sort: "title",
      limit: 2,
      after: first.meta.nextCursor,
    });
    expect([...first.data, ...second.data].map(({ title }) => title)).toEqual(["0", "1", "2", "3"]);
    const streamed: string[] = [];
    for await (const { title } of past.stream({ where: { ownerId }, sort: "title", batchSize: 2 }))
      streamed.push(title);
    expect(streamed).toEqual(["0", "1", "2", "3", "4"]);
    expect(await past.distinct("title", { where: { ownerId } })).toHaveLength(5);
  });

  it("shows a version at the very moment that history gives for it", async () => {
    const { id } = await owner("one");
    await repo.owners.update(id, { name: "two" });
    await repo.owners.update(id, { name: "three" });
    const { data } = await repo.owners.history(id);
    expect(data).toHaveLength(3);
    for (const { at, after } of data.slice(0, 1)) {
      expect((await repo.owners.asOf(at).get(id)).name).toBe(after?.name);
    }
    const query = repo.owners.asOf(new Date("2026-11-21T10:00:00.500Z")).find(id).toSQL();
    expect(query.values).toContain("2026-11-21T10:00:00.500999Z");
  });

  it("holds in a transaction, beside reads of now in one tick, and takes no lock", async () => {
    const { id } = await owner("then");
    const then = await moment();
    await db.transaction(async () => {
      await repo.owners.update(id, { name: "now" });
      const past = repo.owners.asOf(then);
      const [was, is] = await Promise.all([past.get(id), repo.owners.get(id)]);
      expect([was.name, is.name]).toEqual(["then", "now"]);
      expect((await refusal(past.get(id, { lock: "update" }))).issues.join()).toContain("as they were");
    });
    const [was, is] = await Promise.all([repo.owners.asOf(then).get(id), repo.owners.get(id)]);
    expect([was.name, is.name]).toEqual(["then", "now"]);
  });

  it("offers reads only, and refuses what is no moment and what has no past", async () => {
    const past = repo.owners.asOf(new Date());
    expectTypeOf(past).not.toHaveProperty("update");
    expectTypeOf(past).not.toHaveProperty("history");
    expect(Object.keys(past).toSorted()).toEqual(
      [
        "aggregate",
        "count",
        "distinct",
        "exists",
        "find",
        "findBy",
        "findMany",
        "get",
        "list",
        "onlyDeleted",
        "stream",
        "withDeleted",
      ].toSorted(),
    );
    for (const given of [
      "yesterday",
      new Date(Number.NaN),
      "2026-11-21",
      5,
      null,
      "'; drop table x; --",
      "2026-13-40T00:00:00Z",
    ]) {
      expect(() => repo.owners.asOf(given as Date)).toThrow(
        expect.objectContaining({ code: "INVALID_VALUE" }) as Error,
      );
    }
    const mixed = await refusal(past.list({ with: { notes: true } }));
    expect(mixed).toMatchObject({
      code: "INVALID_QUERY",
      issues: [expect.stringContaining('"notes" keeps no history')],
    });
    expect(repo.notes).not.toHaveProperty("asOf");
    const far = repo.owners.asOf("2026-02-30T00:00:00Z").count();
    expect(["INVALID_DATA", "none"]).toContain(
      await rejection(far).then(
        ({ code }) => code,
        () => "none",
      ),
    );
  });

  it(
    "agrees with what was seen at each moment, over random changes",
    async () => {
      const change = fc.record({
        kind: fc.constantFrom("create", "update", "delete", "restore", "purge", "share"),
        which: fc.nat(5),
        value: fc.nat(9),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 3, maxLength: 14 }), async (changes) => {
          const { id: ownerId } = await owner();
          const ids: string[] = [];
          const look = async (
            accounts: Pick<typeof repo.accounts, "list">,
            shares: Pick<typeof repo.shares, "list">,
          ) => [
            (await accounts.list({ where: { ownerId }, sort: "id", limit: 100 })).data,
            (await shares.list({ where: { holder: ownerId }, sort: "accountId", limit: 100 })).data,
          ];
          const seen: { readonly at: string; readonly rows: unknown }[] = [];
          for (const { kind, which, value } of changes) {
            const id = ids[which % Math.max(1, ids.length)] ?? "";
            const quietly = (work: PromiseLike<unknown>) => Promise.resolve(work).catch(() => {});
            if (kind === "create") ids.push((await repo.accounts.create({ ownerId, title: `${value}` })).id);
            else if (kind === "update") await quietly(repo.accounts.update(id, { cents: BigInt(value) }));
            else if (kind === "delete") await quietly(repo.accounts.delete(id));
            else if (kind === "restore") await quietly(repo.accounts.restore(id));
            else if (kind === "purge") await quietly(repo.accounts.purge(id));
            else {
              const share = { accountId: `${which}`, holder: ownerId, percent: value };
              await quietly(repo.shares.upsert(share, { on: ["accountId", "holder"] }));
              if (value > 6) await quietly(repo.shares.delete([`${which}`, ownerId] as never));
            }
            seen.push({ rows: await look(repo.accounts, repo.shares), at: await moment() });
          }
          for (const { at, rows } of seen) {
            expect(await look(repo.accounts.asOf(at), repo.shares.asOf(at))).toEqual(rows);
          }
        }),
        { numRuns: soakRuns(800), seed: 20_261_122 },
      );
    },
    SOAK_TIMEOUT_MS,
  );
});
