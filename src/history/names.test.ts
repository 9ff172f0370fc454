import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { integer, type PgColumnBuilderBase, text } from "drizzle-orm/pg-core";
import { appSchema, entity } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeTable } from "../schema/index.ts";
import { pastOf } from "./past.ts";

/** Names that the recorder uses itself, words of SQL, and what has to be quoted. */
const NAMES = [
  "user_id",
  "tenant_id",
  "request_id",
  "reason",
  "role",
  "version",
  "at",
  "operation",
  "row_key",
  "before",
  "after",
  "concealed",
  "old",
  "new",
  "o",
  "n",
  "d",
  "x",
  "k",
  "l",
  "u",
  "e",
  "name",
  "context",
  "select",
  "constructor",
  "__proto__x",
  'we"ird',
  "quo'te",
  "back\\slash",
  "per%cent",
  "dol$$lar",
  "Üml äut",
  "new_rows",
  "old_rows",
  "tg_op",
] as const;

const app = appSchema("odd$names");
const columns: Record<string, PgColumnBuilderBase> = Object.fromEntries(
  NAMES.map((name) => [name, text(name)]),
);
const odd = entity(
  app,
  'ta"ble $$',
  { id: text("the key").primaryKey(), part: text('pa"rt').primaryKey(), ...columns },
  { history: true },
);
const wide = entity(
  app,
  "wide",
  {
    id: integer().primaryKey(),
    ...Object.fromEntries(Array.from({ length: 1_500 }, (_, i) => [`c${i}`, text()])),
  },
  { history: true },
);
const divided = entity(
  app,
  'divi"ded',
  { id: text().primaryKey(), ...columns },
  { history: true, partitionBy: { list: ["id"], partitions: [{ name: 'par%t"1', values: ["a"] }] } },
);
const schema = { app, odd, wide, divided };

async function open() {
  const { db, url, close } = await testDatabase({ schema });
  onTestFinished(close);
  return { db, url, odd: db.repository(odd), wide: db.repository(wide), divided: db.repository(divided) };
}

const all = (value: string) => Object.fromEntries(NAMES.map((name) => [name, `${name} ${value}`]));

describe("names", () => {
  it("are told apart from the recorder's own, whatever they are", async () => {
    const { db, odd: repository } = await open();
    const key = { id: 'a,"b', part: "(\\)" };
    await repository.create({ ...key, ...all("1") });
    const [moment] = await db.sql<{ at: string }>`select clock_timestamp()::text as at`;
    await repository.update(key, { ...all("2"), user_id: "user_id 1" });
    await repository.delete(key);
    const { data } = await repository.history(key);
    expect(data.map(({ operation }) => operation)).toEqual(["delete", "update", "insert"]);
    expect(data[2]?.after).toEqual({ ...key, ...all("1") });
    expect(data[0]?.before).toEqual({ ...key, ...all("2"), user_id: "user_id 1" });
    expect(Object.keys(data[1]?.changes ?? {}).sort()).toEqual(
      NAMES.filter((name) => name !== "user_id").toSorted(),
    );
    const past = pastOf(describeTable(odd), `'${moment?.at}'::timestamptz`);
    const connection = await db.pool.acquire();
    const { rows } = await connection.connection.query({ text: `select * from ${past} t`, values: [] });
    connection.release();
    expect(rows).toEqual([[key.id, key.part, ...NAMES.map((name) => `${name} 1`)]]);
    await repository.revert(key, data[2]?.version ?? 0n);
    expect(await repository.get(key)).toEqual({ ...key, ...all("1") });
  });

  it("of a divided table and its partitions too", async () => {
    const { db, divided: repository } = await open();
    await repository.create({ id: "a", ...all("1") });
    await repository.update("a", all("2"));
    const connection = await db.pool.acquire();
    await connection.connection.script(`truncate "odd$names"."par%t""1"`);
    connection.release({ discard: true });
    const { data } = await repository.history("a");
    expect(data.map(({ operation }) => operation)).toEqual(["truncate", "update", "insert"]);
    expect(data[0]?.before).toEqual({ id: "a", ...all("2") });
  });

  it("may be fifteen hundred", async () => {
    const { db, wide: repository } = await open();
    await repository.createMany(Array.from({ length: 20 }, (_, i) => ({ id: i, c1: "one", c1499: "last" })));
    await db.sql`update "odd$names".wide set c7 = 'seven'`;
    const { data } = await repository.history(3);
    expect(data[0]?.changes).toEqual({ c7: { from: null, to: "seven" } });
    expect(data[0]?.before).toMatchObject({ c1: "one", c1499: "last", c7: null });
  });
});

describe("psql", () => {
  it("is recorded like anybody, with what it says of itself and the role it has", async () => {
    const { url, odd: repository } = await open();
    const script = `begin;
select set_config('plinth.user_id', 'dba', true), set_config('plinth.reason', 'ticket 118', true);
insert into "odd$names"."ta""ble $$" ("the key", "pa""rt", "at") values ('p', 'q', 'x');
commit;
\\copy "odd$names"."ta""ble $$" ("the key", "pa""rt") from stdin
r\ts
\\.
`;
    const ran = promisify(execFile)("psql", ["-X", "-v", "ON_ERROR_STOP=1", url]);
    ran.child.stdin?.end(script);
    await ran;
    const { data } = await repository.history({ id: "p", part: "q" });
    expect(data[0]).toMatchObject({
      operation: "insert",
      actor: { userId: "dba", reason: "ticket 118", tenantId: null, role: "postgres" },
      after: { at: "x" },
    });
    const { data: copied } = await repository.history({ id: "r", part: "s" });
    expect(copied[0]?.actor).toEqual({
      userId: null,
      tenantId: null,
      requestId: null,
      reason: null,
      role: "postgres",
    });
  });
});
