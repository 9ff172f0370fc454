import { createDatabase, type Database } from "plinth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, parseTarget } from "../../src/driver/index.ts";
import * as domain from "../support/domain.ts";
import { openLibrary } from "../support/library.ts";
import { canPool, startPgBouncer, type ThrowAwayPgBouncer } from "../support/pgbouncer.ts";

/** Without one there is nothing to test, which `canPool` says aloud. */
const MODES = canPool() ? ["transaction"] : [];

/** Behind a pooler in transaction mode two statements of one client may run in two sessions. */
describe.each(MODES)("a database behind PgBouncer in %s mode", () => {
  let bouncer: ThrowAwayPgBouncer;
  let db: Database<typeof domain>;
  let library: Awaited<ReturnType<typeof openLibrary>>;

  beforeAll(async () => {
    library = await openLibrary();
    bouncer = await startPgBouncer(library.url, { poolSize: 3 });
    db = await createDatabase({ schema: domain, url: bouncer.urlOf(library.url), pool: { max: 20 } });
  });
  afterAll(async () => {
    await db.close();
    await bouncer.stop();
  });

  it("reads and writes, far more at once than the pooler has connections", async () => {
    const authors = db.repository(domain.authors);
    const made = await Promise.all(
      Array.from({ length: 200 }, (_, i) => authors.create({ email: `p${i}@example.com`, name: `N${i}` })),
    );
    const read = await Promise.all(made.map(({ id }) => authors.get(id)));
    expect(read.map(({ name }) => name)).toEqual(made.map(({ name }) => name));
    for (let round = 0; round < 5; round++) {
      const rows = await Promise.all(made.map(({ id }, i) => authors.update(id, { bio: `${round}/${i}` })));
      expect(rows.map(({ bio }) => bio)).toEqual(made.map((_, i) => `${round}/${i}`));
    }
  });

  it("keeps transactions whole", async () => {
    const authors = db.repository(domain.authors);
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const work = db.transaction(async () => {
          const { id } = await authors.create({ email: `t${i}@example.com`, name: "T" });
          await authors.update(id, { name: `T${i}` });
          if (i % 2 === 0) throw new Error("undo");
          return id;
        });
        await work.catch(() => {});
      }),
    );
    expect(await authors.count({ email: { startsWith: "t" } })).toBe(20);
  });

  it("streams, and runs statements of your own and batches", async () => {
    const authors = db.repository(domain.authors);
    let seen = 0;
    for await (const _ of authors.stream({ batchSize: 7 })) seen += 1;
    expect(seen).toBe(await authors.count());
    const twenty = Array.from({ length: 20 }, (_, i) => db.sql`select ${i}::int4 as i`);
    expect((await Promise.all(twenty)).map(([row]) => row?.i)).toEqual(twenty.map((_, i) => i));
    expect(await db.batch([authors.count(), authors.exists({ name: "nobody" })])).toEqual([seen, false]);
  });

  it("goes on after the schema has changed", async () => {
    const books = db.repository(domain.books);
    await library.makeBook.many(3);
    const before = await Promise.all(Array.from({ length: 10 }, () => books.list()));
    await library.db.sql`alter table library.books add column extra text`;
    const after = await Promise.all(Array.from({ length: 10 }, () => books.list()));
    expect(after).toEqual(before);
  });

  it("finds its statements in a session that has never seen them, in a transaction too", async () => {
    const authors = db.repository(domain.authors);
    const { id } = await authors.create({ email: "again@example.com", name: "A" });
    for (let round = 0; round < 3; round++) {
      await bouncer.renewSessions();
      expect((await authors.get(id)).name).toBe("A");
      await bouncer.renewSessions();
      await db.transaction(async () => {
        expect((await authors.get(id)).name).toBe("A");
        await authors.update(id, { bio: `round ${round}` });
      });
    }
  });

  it("keeps a setting of one transaction to itself", async () => {
    const slow = db.transaction(async (tx) => {
      await tx.sql`select set_config('statement_timeout', '50', true)`;
      await tx.sql`select pg_sleep(5)`;
    });
    await expect(slow).rejects.toMatchObject({ code: "STATEMENT_TIMEOUT" });
    expect(await db.sql`select pg_sleep(0.1)`).toHaveLength(1);
  });
});

describe("a server without a pooler", () => {
  it("takes the session settings that a pooler refuses", async () => {
    const { url } = await openLibrary();
    const connection = await connect(parseTarget(url, { statementTimeoutMs: 1_234 }));
    const { rows } = await connection.query({ text: "show statement_timeout", values: [] });
    expect([connection.hasSessionSettings, rows]).toEqual([true, [["1234ms"]]]);
    await connection.close();
  });
});
