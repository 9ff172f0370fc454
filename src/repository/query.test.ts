import { Query } from "plinth";
import { describe, expect, it } from "vitest";
import { openLibrary, statementsRunBy } from "../../test/support/library.ts";
import { refusal, rejection } from "../../test/support/rejection.ts";
import { connect, parseTarget } from "../driver/index.ts";

const { db, url, repo, makeAuthor } = await openLibrary({ pool: { max: 1 } });
const nobody = { email: "nobody@example.com", name: "Nobody" };

describe("Query", () => {
  it("does not run until it is awaited", async () => {
    const query = repo.authors.create(nobody);
    expect(query).toBeInstanceOf(Query);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await repo.authors.count()).toBe(0);
    expect(await query).toMatchObject(nobody);
    expect(await repo.authors.count()).toBe(1);
  });

  it("runs once, however often it is awaited", async () => {
    const query = repo.visits.create({});
    const ran = await statementsRunBy(db, async () => {
      const [first, second] = await Promise.all([query, query]);
      expect(await query).toBe(first);
      expect(second).toBe(first);
      expect(await query.then((row) => row)).toBe(first);
      expect(await query.finally(() => {})).toBe(first);
    });
    expect(ran).toBe(1);
  });

  it("rejects on misuse, and never throws", async () => {
    const misuse = [
      () => repo.authors.find(undefined as never),
      () => repo.authors.list({ sort: "nope" as never }),
      () => repo.authors.create(null as never),
      () => repo.authors.createMany(null as never),
      () => repo.authors.update("x", { nope: 1 } as never),
      () => repo.authors.upsert(nobody, null as never),
      () => repo.authors.increment("x", null as never),
      () => repo.authors.count(null as never),
      () => repo.authors.findMany(null as never),
      () => repo.authors.findBy(undefined as never),
      () => repo.authors.delete(undefined as never),
      () => repo.authors.restore(undefined as never),
    ];
    for (const call of misuse) {
      const query = call();
      expect((await refusal(query)).code, call.toString()).toMatch(/^INVALID_/);
    }
  });

  it("is rejected twice by the same error when awaited twice", async () => {
    const query = repo.authors.get("none");
    expect(await rejection(query)).toBe(await rejection(query));
  });

  it("shows its SQL and sends nothing", async () => {
    const query = repo.authors.find("a-key");
    let sql = query.toSQL();
    const ran = await statementsRunBy(db, async () => {
      sql = query.toSQL();
    });
    expect(ran).toBe(0);
    expect(sql.text).toBe(
      'select t0."id", t0."email", t0."name", t0."bio", t0."created_at", t0."updated_at", t0."created_by", t0."updated_by", t0."deleted_at", t0."deleted_by" from "library"."authors" t0 where t0."id" = $1 and t0."deleted_at" is null',
    );
    expect(sql.values).toEqual(["a-key"]);
    expect(sql.additions).toEqual([{ behaviour: "soft delete", sql: 't0."deleted_at" is null' }]);
  });

  it("shows what each behaviour added to a write, and to related rows", async () => {
    const update = db.as({ userId: "ann" }, async () => repo.authors.update("k", { name: "n" }).toSQL());
    expect((await update).additions).toEqual([
      { behaviour: "soft delete", sql: 't0."deleted_at" is null' },
      { behaviour: "authorship", sql: "updated_by = $1" },
    ]);
    expect(repo.authors.delete("k").toSQL().additions).toEqual([
      { behaviour: "soft delete", sql: 't0."deleted_at" is null' },
      { behaviour: "soft delete", sql: expect.stringMatching(/^deleted_at = (now|clock_timestamp)\(\)$/) },
      { behaviour: "soft delete", sql: "deleted_by = $1" },
      { behaviour: "authorship", sql: "updated_by = $1" },
    ]);
    expect(repo.authors.create(nobody).toSQL().additions).toEqual([
      { behaviour: "authorship", sql: "created_by" },
      { behaviour: "authorship", sql: "updated_by" },
    ]);
    expect(
      repo.authors
        .get("k", { with: { books: true } })
        .toSQL()
        .additions.map((added) => added.sql),
    ).toEqual(['t0."deleted_at" is null', 't1."deleted_at" is null']);
  });

  it("throws from toSQL what it would reject with", () => {
    expect(() => repo.authors.list({ sort: "nope" as never }).toSQL()).toThrow(
      expect.objectContaining({ code: "INVALID_QUERY" }),
    );
  });

  it("is stopped on the server by its signal, and leaves the connection usable", async () => {
    const { id } = await makeAuthor();
    const abort = new AbortController();
    await using blocker = await holdRow(id);
    const query = repo.authors.update(id, { name: "n" }).withSignal(abort.signal);
    const outcome = rejection(query);
    await blocker.untilAnotherWaits();
    abort.abort();
    expect(await outcome).toMatchObject({ code: "QUERY_CANCELED" });
    expect(await blocker.waiting()).toBe(0);
    expect(await repo.authors.count({ id })).toBe(1);
  });

  it("sends nothing when its signal has been aborted already", async () => {
    const query = repo.authors
      .create({ ...nobody, email: "aborted@example.com" })
      .withSignal(AbortSignal.abort());
    expect(await rejection(query)).toMatchObject({ code: "QUERY_CANCELED" });
    expect(await repo.authors.exists({ email: "aborted@example.com" })).toBe(false);
  });
});

/** Another session that holds a row, so that an update of it waits. */
async function holdRow(id: string) {
  const connection = await connect(parseTarget(url));
  await connection.script(`begin; select 1 from library.authors where id = '${id}' for update`);
  const waiting = async (): Promise<number> => {
    const [outcome] = await connection.script(
      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return Number(outcome?.rows[0]?.[0]);
  };
  return {
    waiting,
    untilAnotherWaits: async () => {
      while ((await waiting()) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
