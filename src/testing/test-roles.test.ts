import { sql } from "drizzle-orm";
import { pgPolicy, text } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { describe, expect, it } from "vitest";
import { connect, parseTarget } from "../driver/index.ts";

const app = appSchema("letters");
const letters = entity(
  app,
  "letters",
  { id: ulidKey(), owner: text().notNull() },
  { constraints: (t) => [pgPolicy("own", { using: sql`${t.owner} = current_setting('app.tenant', true)` })] },
);
const stamps = entity(app, "stamps", { id: ulidKey() });

const rolesOf = async (url: string, database: string) => {
  const connection = await connect(parseTarget(url));
  try {
    const found = await connection.query({
      text: "select count(*) from pg_roles where rolname like $1",
      values: [`${database}%`],
    });
    return Number(found.rows[0]?.[0]);
  } finally {
    await connection.close();
  }
};

describe("a test database of a schema with row security", () => {
  it("is worked on as a role that policies hold for, whose roles end with it", async () => {
    const { db, url, adminUrl, close } = await testDatabase({ schema: { letters, stamps } });
    const database = new URL(url).pathname.slice(1);
    const repo = db.repository(letters);
    await db.transaction(async (tx) => {
      await tx.sql`select set_config('app.tenant', 'ada', true)`;
      await repo.create({ owner: "ada" });
    });
    expect(await repo.count()).toBe(0);
    const admin = await connect(parseTarget(adminUrl));
    expect((await admin.script("select count(*) from letters.letters")).at(-1)?.rows).toEqual([["1"]]);
    await admin.close();
    expect(await rolesOf(adminUrl, database)).toBe(6);
    const server = new URL(adminUrl);
    server.pathname = "/postgres";
    await close();
    expect(await rolesOf(server.href, database)).toBe(0);
  });

  it("has no roles of its own without", async () => {
    await using test = await testDatabase({ schema: { stamps } });
    expect(test.url).toBe(test.adminUrl);
    expect(await rolesOf(test.url, new URL(test.url).pathname.slice(1))).toBe(0);
  });
});
