import { describe, expect, it } from "vitest";
import { openLedger } from "./ledger.fixture.ts";

const { db, repo, run } = await openLedger();

/** The events of a row, the first one first: operation, before, after. */
async function eventsOf(table: string, key: string) {
  const rows = await run(
    `select operation, before, after, concealed from ${table}_history where row_key = '${key}' order by version`,
  );
  return rows.map(([operation, before, after, concealed]) => ({
    operation,
    before: JSON.parse(before ?? "null"),
    after: JSON.parse(after ?? "null"),
    ...(concealed === null ? {} : { concealed }),
  }));
}

describe("what is recorded", () => {
  it("is the whole row where it begins and ends, and what an update changed", async () => {
    await run("insert into notes (id, text) values ('n', 'no history')");
    await run("insert into shares values ('a', 'x, \"y\"', 40)");
    await run("update shares set percent = 50 where account_id = 'a'");
    await run("delete from shares where account_id = 'a'");
    const whole = (percent: number) => ({
      account_id: "a",
      holder: 'x, "y"',
      percent: `${percent}`,
      permille: `${percent}0`,
    });
    expect(await eventsOf("shares", '(a,"x, ""y""")')).toEqual([
      { operation: "insert", before: null, after: whole(40) },
      {
        operation: "update",
        before: { percent: "40", permille: "400" },
        after: { percent: "50", permille: "500" },
      },
      { operation: "delete", before: whole(50), after: null },
    ]);
  });

  it("is nothing of an update that changes nothing, and of one that was rolled back", async () => {
    await run("insert into shares values ('b', 'b', 1)");
    await run("update shares set percent = percent where account_id = 'b'");
    await run("begin; update shares set percent = 2 where account_id = 'b'; rollback");
    await run(
      "begin; savepoint s; update shares set percent = 3 where account_id = 'b'; rollback to s; commit",
    );
    expect((await eventsOf("shares", "(b,b)")).map(({ operation }) => operation)).toEqual(["insert"]);
  });

  it("is a deletion and an insertion where a key changes, and a change of each key where keys are exchanged", async () => {
    await run("insert into shares values ('c', '2', 2), ('c', '1', 1)");
    await run("update shares set holder = case holder when '1' then '2' else '3' end where account_id = 'c'");
    expect((await eventsOf("shares", "(c,1)")).map(({ operation }) => operation)).toEqual([
      "insert",
      "delete",
    ]);
    expect((await eventsOf("shares", "(c,2)")).at(-1)).toMatchObject({
      operation: "update",
      before: { percent: "2" },
      after: { percent: "1" },
    });
    expect((await eventsOf("shares", "(c,3)")).map(({ operation }) => operation)).toEqual(["insert"]);
  });

  it("is each row that TRUNCATE takes", async () => {
    await run("insert into samples (id, big) values (1, 1), (2, null)");
    await run("truncate samples");
    expect((await eventsOf("samples", "1")).at(-1)).toMatchObject({
      operation: "truncate",
      before: { id: "1", big: "1" },
      after: null,
    });
    expect((await eventsOf("samples", "2")).at(-1)).toMatchObject({ before: { id: "2", big: null } });
  });

  it("says delete and restore where a row dies softly and comes back", async () => {
    const { id } = await repo.owners.create({ email: "a@x", name: "A" });
    await repo.owners.delete(id);
    await repo.owners.restore(id);
    await run(`update owners set name = 'B' where id = '${id}'`);
    const events = await eventsOf("owners", id);
    expect(events.map(({ operation }) => operation)).toEqual(["insert", "delete", "restore", "update"]);
    expect(events[1]?.after).toMatchObject({ deleted_at: expect.stringMatching(/^\d{4}-.*\+00$/) });
    expect(events[1]?.after).not.toHaveProperty("name");
  });

  it("has the children that a parent's soft deletion takes along", async () => {
    const owner = await repo.owners.create({ email: "b@x", name: "A" });
    const account = await repo.accounts.create({ ownerId: owner.id, title: "Rent" });
    await repo.owners.delete(owner.id);
    expect((await eventsOf("accounts", account.id)).map(({ operation }) => operation)).toEqual([
      "insert",
      "delete",
    ]);
  });

  it("has the children that a DELETE of any client takes along", async () => {
    const owner = await repo.owners.create({ email: "c@x", name: "A" });
    const account = await repo.accounts.create({ ownerId: owner.id, title: "Rent" });
    await run(`delete from owners where id = '${owner.id}'`);
    expect((await eventsOf("accounts", account.id)).map(({ operation }) => operation)).toEqual([
      "insert",
      "delete",
    ]);
  });

  it("is of secret and excepted columns that they changed, and never a value", async () => {
    await run("insert into owners (id, email, name, token, pin) values ('s', 's@x', 'S', 'hush1', 'hush2')");
    await run("update owners set token = 'hush3' where id = 's'");
    await run("update owners set pin = null, name = 'T' where id = 's'");
    await run("delete from owners where id = 's'");
    const events = await eventsOf("owners", "s");
    expect(events.map(({ operation, concealed }) => [operation, concealed])).toEqual([
      ["insert", undefined],
      ["update", "{token}"],
      ["update", "{pin}"],
      ["delete", undefined],
    ]);
    expect(events[1]).toMatchObject({ before: { updated_at: expect.anything() } });
    const [[text]] = (await run("select string_agg(h::text, '') from owners_history h")) as [[string]];
    expect(text).not.toContain("hush");
    expect(events[0]?.after).not.toHaveProperty("token");
    expect(events[0]?.after).not.toHaveProperty("pin");
  });

  it("is never a search vector", async () => {
    await run("insert into accounts (id, title) values ('v', 'Rent of March')");
    expect(Object.keys((await eventsOf("accounts", "v"))[0]?.after).sort()).toEqual([
      "cents",
      "deleted_at",
      "deleted_by",
      "id",
      "owner_id",
      "state",
      "title",
    ]);
  });

  it("comes of COPY, MERGE, upserts, createMany and Drizzle as of any other statement", async () => {
    await run(
      "insert into shares values ('m', '1', 1) on conflict (account_id, holder) do update set percent = 9",
    );
    await run(
      "insert into shares values ('m', '1', 1) on conflict (account_id, holder) do update set percent = 9",
    );
    await run(
      "merge into shares s using (values ('m', '1'), ('m', '2')) v (a, h) on s.account_id = v.a and s.holder = v.h when matched then update set percent = 10 when not matched then insert (account_id, holder, percent) values (v.a, v.h, 11)",
    );
    await repo.shares.createMany([{ accountId: "m", holder: "3", percent: 3 }]);
    await repo.shares.upsert(
      { accountId: "m", holder: "3", percent: 4 },
      { on: ["accountId", "holder"] as never },
    );
    await repo.shares.copyIn([{ accountId: "m", holder: "4", percent: 4 }]);
    await db.drizzle.execute("update ledger.shares set percent = 5 where holder = '4' and account_id = 'm'");
    const rows = await run(
      "select row_key, string_agg(operation || ' ' || coalesce(after ->> 'percent', ''), ', ' order by version) from shares_history where row_key like '(m,%' group by 1 order by 1",
    );
    expect(rows).toEqual([
      ["(m,1)", "insert 1, update 9, update 10"],
      ["(m,2)", "insert 11"],
      ["(m,3)", "insert 3, update 4"],
      ["(m,4)", "insert 4, update 5"],
    ]);
  });

  it("has the rows of a divided table, whichever partition a client names", async () => {
    await run("insert into postings values ('p', 2025, 1)");
    await run("insert into postings_2026 values ('q', 2026, 1)");
    await run("update postings_2026 set cents = 2");
    await run("update postings set year = 2026 where id = 'p'");
    await run("truncate postings_2025");
    await run("truncate postings");
    const rows = await run(
      "select row_key, string_agg(operation, ', ' order by version) from postings_history where version > 0 group by 1 order by 1",
    );
    expect(rows).toEqual([
      ["(p,2025)", "insert, delete"],
      ["(p,2026)", "insert, truncate"],
      ["(q,2026)", "insert, update, truncate"],
    ]);
  });

  it("pairs 5,000 rows in the plan that a session made for one", async () => {
    await run("insert into shares select 'many', i::text, 1 from generate_series(1, 5000) i");
    await run("update shares set percent = 2 where account_id = 'many' and holder = '1'");
    const started = performance.now();
    await run("update shares set percent = 3 where account_id = 'many'");
    // A nested loop over two lists of 5,000 compares 25 million pairs, which takes far longer than this.
    expect(performance.now() - started).toBeLessThan(5_000);
    const [[count]] = (await run(
      "select count(*) from shares_history where row_key like '(many,%' and operation = 'update'",
    )) as [[string]];
    expect(count).toBe("5001");
  });
});

describe("who and when", () => {
  it("is the session's role, the transaction and its start where nobody was named", async () => {
    await run("begin");
    const [[start, xid]] = (await run(
      "select now()::text, (select pg_current_xact_id()::text)",
    )) as unknown as [[string, string]];
    await run("insert into shares values ('w', '1', 1)");
    await run("commit");
    const rows = await run(
      "select at::text, transaction_id, role, user_id, tenant_id, request_id, reason from shares_history where row_key = '(w,1)'",
    );
    expect(rows).toEqual([[start, xid, "postgres", null, null, null, null]]);
  });

  it("is what the transaction's settings say", async () => {
    await run(
      "begin; select set_config('plinth.user_id', 'u1', true), set_config('plinth.tenant_id', 't1', true), set_config('plinth.request_id', 'r1', true), set_config('plinth.reason', 'because; ''\"', true); insert into shares values ('w', '2', 1); commit",
    );
    await run("insert into shares values ('w', '3', 1)");
    const rows = await run(
      "select user_id, tenant_id, request_id, reason, role from shares_history where row_key in ('(w,2)', '(w,3)') order by version",
    );
    expect(rows).toEqual([
      ["u1", "t1", "r1", "because; '\"", "postgres"],
      [null, null, null, null, "postgres"],
    ]);
  });

  it("is written in one form, whatever a session has set", async () => {
    await run(
      "set timezone to 'Asia/Kathmandu'; set datestyle to 'German'; set intervalstyle to 'sql_standard'; set extra_float_digits to 0; set bytea_output to 'escape'",
    );
    await run(
      "insert into samples (id, moment, span, float, bytes) values (7, '2026-01-01 00:00:00.123456+00', '1 mon -2 days', 0.1::float8 + 0.2, '\\x00ff')",
    );
    await run(
      "reset timezone; reset datestyle; reset intervalstyle; reset extra_float_digits; reset bytea_output",
    );
    expect((await eventsOf("samples", "7"))[0]?.after).toMatchObject({
      moment: "2026-01-01 00:00:00.123456+00",
      span: "1 mon -2 days",
      float: "0.30000000000000004",
      bytes: "\\x00ff",
    });
  });
});
