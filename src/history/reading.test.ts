import { describe, expect, expectTypeOf, it } from "vitest";
import { openLedger } from "./ledger.fixture.ts";

const { db, repo, run } = await openLedger();

let made = 0;
const owner = (name = "A") => repo.owners.create({ email: `o${++made}@x`, name, token: "hush", pin: "hush" });

describe("history", () => {
  it("gives the versions of a row, the newest first, with the row on both sides and what differs", async () => {
    const { id } = await owner();
    await repo.owners.update(id, { name: "B" });
    const { data, meta } = await repo.owners.history(id);
    expect(meta).toEqual({
      limit: 20,
      nextCursor: null,
      knownSince: expect.stringMatching(/^2\d{3}-.*\.\d{6}Z$/) as string,
      isPruned: false,
    });
    const [second, first] = data;
    expect(data).toHaveLength(2);
    expect(second).toMatchObject({
      operation: "update",
      before: { id, name: "A" },
      after: { id, name: "B" },
      changes: { name: { from: "A", to: "B" } },
      concealed: [],
      actor: { userId: null, tenantId: null, requestId: null, reason: null, role: "postgres" },
    });
    expect(first).toMatchObject({
      operation: "insert",
      before: null,
      changes: { name: { from: null, to: "A" } },
    });
    expect(second?.before).toEqual(first?.after);
    expect(second?.at).toBeInstanceOf(Date);
    expect(typeof second?.transactionId).toBe("bigint");
    expect((second?.version ?? 0n) > (first?.version ?? 0n)).toBe(true);
    expect(second?.after).toEqual({ ...(await repo.owners.get(id)), pin: undefined });
  });

  it("has values as the repository's rows have them", async () => {
    const values = {
      id: 9_007_199_254_740_993n,
      big: -1n,
      exact: "1.50",
      float: -0.5,
      day: "2026-02-28",
      moment: new Date("2026-01-01T00:00:00.123Z"),
      wall: "2026-01-01 00:00:00",
      bytes: Buffer.from([0, 255]),
      document: { b: [1, null] },
      words: ["a", null as never, "NULL"],
      numbers: [0.1, -0],
      state: "open" as const,
      states: ["open" as const],
    };
    const row = await repo.samples.create(values);
    const { data } = await repo.samples.history(values.id);
    expect(data[0]?.after).toEqual(row);
    expect(data[0]?.changes.bytes?.to).toEqual(values.bytes);
    expectTypeOf(data[0]?.changes.big).toEqualTypeOf<
      { readonly from: bigint | null; readonly to: bigint | null } | undefined
    >();
  });

  it("goes on from a cursor, and each page says of each version what the whole would", async () => {
    await repo.shares.create({ accountId: "page", holder: "1", percent: 0 });
    for (let i = 1; i <= 6; i++) {
      await run(`update shares set percent = ${i} where account_id = 'page'`);
      if (i === 3)
        await run("delete from shares where account_id = 'page'; insert into shares values ('page', '1', 3)");
    }
    const key = { accountId: "page", holder: "1" };
    const whole = await repo.shares.history(key);
    expect(whole.data.map(({ operation, after }) => [operation, after?.percent])).toEqual([
      ["update", 6],
      ["update", 5],
      ["update", 4],
      ["insert", 3],
      ["delete", undefined],
      ["update", 3],
      ["update", 2],
      ["update", 1],
      ["insert", 0],
    ]);
    const paged = [];
    let after: string | null = null;
    do {
      const page: typeof whole = await repo.shares.history(key, { limit: 2, after });
      paged.push(...page.data);
      after = page.meta.nextCursor;
    } while (after !== null);
    expect(paged).toEqual(whole.data);
  });

  it("is there of a row that is gone, and empty of one that never was", async () => {
    await repo.shares.create({ accountId: "gone", holder: "1", percent: 5 });
    await repo.shares.delete({ accountId: "gone", holder: "1" });
    const { data } = await repo.shares.history({ accountId: "gone", holder: "1" });
    expect(data.map(({ operation, before, after }) => [operation, before?.percent, after])).toMatchObject([
      ["delete", 5, null],
      ["insert", undefined, { percent: 5 }],
    ]);
    expect((await repo.shares.history({ accountId: "never", holder: "1" })).data).toEqual([]);
  });

  it("says of secrets that they changed, by property", async () => {
    const { id } = await owner();
    await run(`update owners set token = 'other', pin = 'other' where id = '${id}'`);
    const { data } = await repo.owners.history(id);
    expect(data[0]?.concealed.toSorted()).toEqual(["pin", "token"]);
    expect(
      JSON.stringify(data, (_, value) => (typeof value === "bigint" ? String(value) : value)),
    ).not.toContain("hush");
  });

  it("knows a column by the name it has now, and a dropped one by the name it had", async () => {
    await run("insert into shares values ('named', '1', 1)");
    await run("update shares set percent = 2 where account_id = 'named'");
    await run(`
      insert into shares_history (operation, row_key, before, after) values
        ('update', '(named,1)', '{"lost": "x", "share": "7"}', '{"lost": "y", "share": "2"}'),
        ('rename', '', '{"column": "share"}', '{"column": "percent"}')`);
    const { data } = await repo.shares.history({ accountId: "named", holder: "1" });
    expect(data[0]).toMatchObject({
      before: { percent: 7, lost: "x" },
      after: { percent: 2, lost: "y" },
      changes: { percent: { from: 7, to: 2 }, lost: { from: "x", to: "y" } },
    });
    await run(
      "set plinth.history_pruning to 'on'; delete from shares_history where operation = 'rename'; reset plinth.history_pruning",
    );
  });

  it.each([
    [{ limit: 0 }, "INVALID_QUERY"],
    [{ limit: 1_001 }, "INVALID_QUERY"],
    [{ limit: 1.5 }, "INVALID_QUERY"],
    [{ after: "0" }, "INVALID_CURSOR"],
    [{ after: "1; drop table x" }, "INVALID_CURSOR"],
    [{ after: "99999999999999999999" }, "INVALID_CURSOR"],
    [{ after: 7 }, "INVALID_CURSOR"],
    [{ before: "1" }, "INVALID_QUERY"],
  ])("refuses the options %j", async (options, code) => {
    await expect(repo.owners.history("x", options as never)).rejects.toMatchObject({ code });
  });

  it("takes any text for a key, and never for SQL", async () => {
    for (const key of ["'; drop table owners; --", "\\", "", "(a,b)", '"']) {
      expect((await repo.owners.history(key)).data).toEqual([]);
    }
    await expect(repo.owners.history({ id: "x" } as never)).rejects.toMatchObject({ code: "INVALID_VALUE" });
  });

  it("is a method only where the entity says so", () => {
    // @ts-expect-error notes have no history
    expect(repo.notes.history).toBeUndefined();
    // @ts-expect-error notes have no history
    expect(repo.notes.revert).toBeUndefined();
  });
});

describe("revert", () => {
  it("writes a row back as a version left it, as a change of whoever does it", async () => {
    const { id } = await db.as({ userId: "ann" }, () => owner("A"));
    await repo.owners.update(id, { name: "B" });
    await repo.owners.update(id, { name: "C" });
    const { data } = await repo.owners.history(id);
    const back = await db.as({ userId: "bob" }, () => repo.owners.revert(id, data[2]?.version ?? 0n));
    expect(back).toMatchObject({ id, name: "A", createdBy: "ann", updatedBy: "bob" });
    const again = await repo.owners.history(id);
    expect(again.data[0]).toMatchObject({ operation: "update", changes: { name: { from: "C", to: "A" } } });
    const [row] = await run(`select token, pin from owners where id = '${id}'`);
    expect(row).toEqual(["hush", "hush"]);
  });

  it("brings back a row that is dead, or gone", async () => {
    const { id } = await owner();
    const [{ version = 0n } = {}] = (await repo.owners.history(id)).data;
    await repo.owners.delete(id);
    expect((await repo.owners.revert(id, version)).deletedAt).toBeNull();
    expect((await repo.owners.history(id)).data[0]?.operation).toBe("restore");

    const key = { accountId: "back", holder: "1" };
    await repo.shares.create({ ...key, percent: 5 });
    await repo.shares.update(key, { percent: 6 });
    await repo.shares.delete(key);
    const { data } = await repo.shares.history(key);
    expect(await repo.shares.revert(key, data[2]?.version ?? 0n)).toMatchObject({ percent: 5, permille: 50 });
    expect((await repo.shares.history(key)).data[0]?.operation).toBe("insert");
  });

  it("writes every value back to the last digit", async () => {
    await run(
      "insert into samples (id, exact, float, fine, span, bytes, document, words, numbers) values (77, 1.500, '-0', '2026-01-01 00:00:00.123456+00', '1 mon -2 days', '\\x00ff', '{\"a\": 1.00}', '{a,NULL}', '[0:1]={1,NaN}')",
    );
    const all = () => run("select * from samples where id = 77");
    const before = await all();
    await run(
      "update samples set exact = 0, float = 0, fine = null, span = null, bytes = null, document = null, words = null, numbers = null where id = 77",
    );
    const { data } = await repo.samples.history(77n);
    await repo.samples.revert(77n, data[1]?.version ?? 0n);
    expect(await all()).toEqual(before);
  });

  it("refuses what is no version of the row, and the end of one", async () => {
    const { id } = await owner();
    const other = await owner();
    const [{ version = 0n } = {}] = (await repo.owners.history(other.id)).data;
    for (const wrong of [version, 0n, -1n, 1 as never, "1" as never, 2n ** 64n]) {
      await expect(repo.owners.revert(id, wrong)).rejects.toMatchObject({ code: "INVALID_QUERY" });
    }
    const key = { accountId: "end", holder: "1" };
    await repo.shares.create({ ...key, percent: 1 });
    await repo.shares.delete(key);
    const { data } = await repo.shares.history(key);
    await expect(repo.shares.revert(key, data[0]?.version ?? 0n)).rejects.toThrow(/is the end of this row/);
  });

  it("meets the rules that hold now", async () => {
    const one = await repo.owners.create({ email: "taken@x", name: "A" });
    await repo.owners.update(one.id, { email: "free@x" });
    await repo.owners.create({ email: "taken@x", name: "B" });
    const { data } = await repo.owners.history(one.id);
    await expect(repo.owners.revert(one.id, data[1]?.version ?? 0n)).rejects.toMatchObject({
      code: "UNIQUE_VIOLATION",
    });
    expect((await repo.owners.get(one.id)).email).toBe("free@x");
  });

  it("is undone with the transaction it is part of", async () => {
    const { id } = await owner("A");
    await repo.owners.update(id, { name: "B" });
    const { data } = await repo.owners.history(id);
    await db
      .transaction(async () => {
        await repo.owners.revert(id, data[1]?.version ?? 0n);
        throw new Error("no");
      })
      .catch(() => undefined);
    expect((await repo.owners.history(id)).data).toHaveLength(2);
  });
});
