import { setTimeout as pause } from "node:timers/promises";
import { createDatabase } from "plinth";
import { describe, expect, it, onTestFinished } from "vitest";
import * as domain from "../../../test/support/domain.ts";
import { openLibrary } from "../../../test/support/library.ts";
import { startProxy } from "../../../test/support/proxy.ts";
import { refusal, rejection } from "../../../test/support/rejection.ts";

const { db, url, repo, makeAuthor } = await openLibrary();

/** The same database, otherwise opened. */
async function reopened(options: { url?: string; wire?: "pg" | "plinth"; statementTimeoutMs?: number } = {}) {
  const { wire = "plinth", statementTimeoutMs = 30_000 } = options;
  const other = await createDatabase({
    schema: domain,
    url: options.url ?? url,
    pool: { max: 2 },
    session: { wire, statementTimeoutMs },
  });
  onTestFinished(() => other.close({ deadlineMs: 0 }));
  return other;
}

let made = 0;
const person = () => ({ email: `copied${++made}@example.com`, name: `Copied ${made}` });

async function* streamed<T>(rows: Iterable<T>): AsyncGenerator<T> {
  for (const row of rows) {
    await pause(0);
    yield row;
  }
}

describe("copyIn", () => {
  it.each(["plinth", "pg"] as const)("makes rows as createMany does, on the %s wire", async (wire) => {
    const other = await reopened({ wire });
    const authors = other.repository(domain.authors);
    const given = Array.from({ length: 20 }, (_, i) => ({ ...person(), ...(i % 2 ? { bio: `b${i}` } : {}) }));
    const copied = await other.as({ userId: "u1" }, () => authors.copyIn(streamed(given)));
    expect(copied).toEqual({ rows: 20 });
    const found = await authors.list({
      where: { email: { in: given.map(({ email }) => email) } },
      limit: 50,
    });
    expect(found.data).toHaveLength(20);
    for (const row of found.data) {
      const from = given.find(({ email }) => email === row.email);
      expect(row).toEqual({
        id: expect.stringMatching(/^[0-9A-Z]{26}$/i),
        bio: null,
        ...from,
        createdAt: expect.any(Date),
        updatedAt: row.createdAt,
        createdBy: "u1",
        updatedBy: "u1",
        deletedAt: null,
        deletedBy: null,
      });
    }
    expect(new Set(found.data.map(({ id }) => id)).size).toBe(20);
  });

  it("takes lists and generators, and nothing", async () => {
    expect(await repo.authors.copyIn([])).toEqual({ rows: 0 });
    expect(await repo.authors.copyIn(streamed([]))).toEqual({ rows: 0 });
    expect(await repo.authors.copyIn(new Set([person(), person()]))).toEqual({ rows: 2 });
    const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    expect(await repo.authors.copyIn([person(), { ...person(), id }])).toEqual({ rows: 2 });
    expect(await repo.authors.find(id)).toBeDefined();
    expect(await repo.signedVisits.copyIn([{}, {}])).toEqual({ rows: 2 });
  });

  it("says how far it has come", async () => {
    const seen: { rows: number; bytes: number }[] = [];
    const rows = Array.from({ length: 3_000 }, person);
    await repo.authors.copyIn(rows, { onProgress: (progress) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)?.rows).toBe(3_000);
    for (const [i, { rows, bytes }] of seen.entries()) {
      expect(rows).toBeGreaterThan(seen[i - 1]?.rows ?? 0);
      expect(bytes).toBeGreaterThan(seen[i - 1]?.bytes ?? 0);
    }
    const stopped = repo.authors.copyIn(rows, {
      onProgress: () => {
        throw new RangeError("mine");
      },
    });
    await expect(stopped).rejects.toThrow(new RangeError("mine"));
  });

  it("refuses a bad row by its position, with all that is wrong, and keeps nothing", async () => {
    const before = await repo.authors.count();
    const rows = [...Array.from({ length: 2_000 }, person), { ...person(), name: 7, nope: 1 }];
    expect(await refusal(repo.authors.copyIn(rows as never))).toEqual({
      code: "INVALID_VALUE",
      issues: ["2000.name: must be a string", '2000.nope: unknown column "nope"; did you mean "name"?'],
    });
    for (const [row, message] of [
      [{ email: "x" }, "0.name: is required"],
      [{ ...person(), name: null }, "0.name: is required"],
      [{ ...person(), name: "a\0b" }, "0.name: must not contain the NUL character"],
      [{ ...person(), name: "a\ud800b" }, "0.name: must not contain a lone surrogate"],
      [{ ...person(), createdBy: "mallory" }, "0.createdBy: is kept by Plinth"],
      [{ ...person(), deletedAt: new Date() }, "0.deletedAt: is kept by Plinth"],
      [null, "0: must be an object of columns"],
      [[person()], "0: must be an object of columns"],
      ["text", "0: must be an object of columns"],
    ] as const) {
      const { code, issues } = await refusal(repo.authors.copyIn([row] as never));
      expect([code, issues[0]]).toEqual(["INVALID_VALUE", expect.stringContaining(message)]);
    }
    expect(await repo.authors.count()).toBe(before);
  });

  it("has the same columns in every row, where the database has a default", async () => {
    const { id: authorId } = await makeAuthor();
    const book = (more: object) => ({ authorId, title: "t", ...more });
    expect(await repo.books.copyIn([book({}), book({ pages: 3 }), book({ pages: null })])).toEqual({
      rows: 3,
    });
    expect(await refusal(repo.books.copyIn([book({}), book({ language: "de" })]))).toEqual({
      code: "INVALID_VALUE",
      issues: [
        expect.stringMatching(/^1\.language: is given here\. A column with a default .* columns says which$/),
      ],
    });
    expect(await refusal(repo.books.copyIn([book({ language: "de" }), book({})]))).toEqual({
      code: "INVALID_VALUE",
      issues: [expect.stringMatching(/^1\.language: is missing here\. A column with a default/)],
    });
    const columns = ["authorId", "title", "language"] as const;
    expect(await repo.books.copyIn([book({ language: "fr" })], { columns })).toEqual({ rows: 1 });
    expect(await refusal(repo.books.copyIn([book({ language: "fr", pages: 2 })], { columns }))).toEqual({
      code: "INVALID_VALUE",
      issues: ["0.pages: is given here. The columns option says what rows have"],
    });
    expect((await refusal(repo.books.copyIn([book({})], { columns: ["views"] }))).code).toBe("INVALID_VALUE");
    expect((await refusal(repo.books.copyIn([book({})], { columns: ["nope"] as never }))).code).toBe(
      "INVALID_QUERY",
    );
    const [found] = (await repo.books.list({ where: { language: "fr" } })).data;
    expect(found).toMatchObject({ title: "t", language: "fr", views: 0n });
  });

  it("does not take what a prototype has for given", async () => {
    class Row {
      email = person().email;
      get name() {
        return "inherited";
      }
    }
    expect((await refusal(repo.authors.copyIn([person(), new Row()]))).issues).toEqual([
      "1.name: is required",
    ]);
  });

  it("tells the line of a row that the server refuses, and undoes the copy", async () => {
    const before = await repo.authors.count();
    const taken = person();
    await repo.authors.create(taken);
    const copying = repo.authors.copyIn([...Array.from({ length: 500 }, person), taken]);
    expect(await rejection(copying)).toMatchObject({
      code: "UNIQUE_VIOLATION",
      line: 501,
      columns: ["email"],
      message: expect.stringMatching(/line 501/),
    });
    expect(await repo.authors.count()).toBe(before + 1);
    expect(db.pool.stats.inUse).toBe(0);
  });

  it("fails where a drawn public id is taken", async () => {
    const rows = Array.from({ length: 10 }, () => ({ note: "n" }));
    expect(await rejection(repo.tickets.copyIn(rows))).toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(await repo.tickets.copyIn([{ code: "a" }])).toEqual({ rows: 1 });
  });

  it("is undone with the transaction around it, which goes on after a copy that failed", async () => {
    const [one, two] = [person(), person()];
    await db
      .transaction(async () => {
        expect(await repo.authors.copyIn([one])).toEqual({ rows: 1 });
        expect(await repo.authors.exists({ email: one.email })).toBe(true);
        throw new Error("undo");
      })
      .catch((error: unknown) => expect(String(error)).toContain("undo"));
    expect(await repo.authors.exists({ email: one.email })).toBe(false);
    await db.transaction(async (tx) => {
      expect(await rejection(repo.authors.copyIn([one, one]))).toMatchObject({ code: "UNIQUE_VIOLATION" });
      await tx.repository(domain.authors).copyIn([two]);
      const [row] = await db.sql<{ timeout: string }>`select current_setting('statement_timeout') as timeout`;
      expect(row?.timeout).toBe("30s");
    });
    expect(await repo.authors.count({ email: { in: [one.email, two.email] } })).toBe(1);
  });

  it("runs its source where its caller is, and refuses it the transaction it copies in", async () => {
    const rows = Array.from({ length: 50 }, person);
    await repo.authors.copyIn(rows);
    const from = { where: { email: { in: rows.map(({ email }) => email) } }, batchSize: 10 } as const;
    async function* doubled() {
      for await (const { name } of repo.authors.stream(from)) yield { ...person(), name };
    }
    expect(await repo.authors.copyIn(doubled())).toEqual({ rows: 50 });
    const inside = db.transaction(() => repo.authors.copyIn(doubled()));
    // The stream is open by the time the copy begins; its next batch is what the connection has no room for.
    expect(await rejection(inside)).toMatchObject({
      code: "TRANSACTION_CONTROL",
      message: expect.stringContaining("a copy has this connection to itself"),
    });
    expect(db.pool.stats.inUse).toBe(0);
  });

  it("rolls back a transaction whose callback ends before the copy in it", async () => {
    const one = person();
    let copying: Promise<unknown> = Promise.resolve();
    async function* silent() {
      yield one;
      await pause(60_000, undefined, { ref: false });
    }
    const ended = db.transaction(async () => {
      copying = repo.authors.copyIn(silent()).catch((error: unknown) => error);
      await pause(100);
    });
    expect(await rejection(ended)).toMatchObject({ code: "TRANSACTION_CLOSED" });
    expect(await copying).toMatchObject({ code: "CONNECTION_LOST" });
    expect(await repo.authors.exists({ email: one.email })).toBe(false);
    await expect.poll(() => db.pool.stats.inUse).toBe(0);
  });

  it("ends with its signal, and tells its source to return", async () => {
    const before = await repo.authors.count();
    let isLeft = false;
    async function* endless() {
      try {
        for (;;) {
          await pause(1);
          yield person();
        }
      } finally {
        isLeft = true;
      }
    }
    const signal = AbortSignal.timeout(100);
    expect(await rejection(repo.authors.copyIn(endless(), { signal }))).toMatchObject({
      code: "QUERY_CANCELED",
    });
    await expect.poll(() => isLeft).toBe(true);
    expect(await repo.authors.count()).toBe(before);
    expect(await rejection(repo.authors.copyIn([person()], { signal }))).toMatchObject({
      code: "QUERY_CANCELED",
    });
    await expect.poll(() => db.pool.stats.inUse).toBe(0);
  });

  it("ends with its signal while it waits for the first row, without a connection", async () => {
    let isLeft = false;
    const silent = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          isLeft = true;
          throw new Error("nobody hears this");
        },
      }),
    };
    const copying = repo.authors.copyIn(silent, { signal: AbortSignal.timeout(50) });
    expect(await rejection(copying)).toMatchObject({ code: "QUERY_CANCELED" });
    expect(isLeft).toBe(true);
    expect(db.pool.stats.inUse).toBe(0);
  });

  it("lasts longer than a statement may", async () => {
    const other = await reopened({ statementTimeoutMs: 100 });
    async function* slow() {
      yield person();
      await pause(300);
      yield person();
    }
    expect(await other.repository(domain.authors).copyIn(slow())).toEqual({ rows: 2 });
    await other
      .transaction(async () => {
        await other.repository(domain.authors).copyIn(slow());
        expect(await rejection(other.sql`select pg_sleep(1)`)).toMatchObject({ code: "STATEMENT_TIMEOUT" });
        throw new Error("undo");
      })
      .catch((error: unknown) => expect(String(error)).toContain("undo"));
  });

  it.each(["RST", "FIN"] as const)("is lost once, and whole, when the connection is (%s)", async (end) => {
    const proxy = await startProxy(url);
    onTestFinished(() => proxy.close());
    const other = await reopened({ url: proxy.urlFor(url) });
    const before = await repo.authors.count();
    async function* cut() {
      for (let i = 0; i < 100_000; i++) {
        if (i === 5_000) end === "RST" ? proxy.resetAll() : proxy.halfCloseAll();
        if (i % 1_000 === 0) await pause(1);
        yield person();
      }
    }
    const error = await rejection(other.repository(domain.authors).copyIn(cut()));
    expect(error).toMatchObject({ code: "CONNECTION_LOST" });
    expect(await repo.authors.count()).toBe(before);
    expect(await other.repository(domain.authors).count()).toBe(before);
  });

  it("refuses what is no source, and unknown options", async () => {
    for (const wrong of [undefined, null, 7, "rows", {}] as never[])
      expect(await rejection(repo.authors.copyIn(wrong))).toMatchObject({ code: "INVALID_VALUE" });
    expect(await rejection(repo.authors.copyIn([], { onprogress: 1 } as never))).toMatchObject({
      code: "INVALID_QUERY",
    });
  });
});
