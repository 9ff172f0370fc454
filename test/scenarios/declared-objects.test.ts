/** What people write in SQL around their tables, declared: a sign-up function, an audit trigger, refreshed statistics. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { type AnyPgColumn, bigint, index, text, timestamp, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { appSchema, entity, timestamps } from "plinth/schema";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { BEHAVIOURS } from "../../src/behaviours.ts";
import { compareCatalogs, readCatalog, renderSchema } from "../../src/catalog/index.ts";
import { type Connection, connect, parseTarget } from "../../src/driver/index.ts";
import { createMigrationFile, createMigrator } from "../../src/migrations/index.ts";
import { describeSchema } from "../../src/schema/index.ts";
import { declaredGrounds } from "../support/declared.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { studio } from "../support/studio.ts";
import { onDatabase } from "../support/workshop.ts";

const grounds = declaredGrounds();

const app = appSchema("site");
app.extension("pgcrypto");
app.extension("uuid-ossp");

const users = entity(app, "users", {
  id: uuid().primaryKey().default(sql`public.uuid_generate_v4()`),
  email: text().notNull().unique(),
  passwordHash: text().notNull(),
  ...timestamps(),
});
const profiles = entity(app, "profiles", {
  userId: uuid()
    .primaryKey()
    .references((): AnyPgColumn => users.id, { onDelete: "cascade" }),
  name: text().notNull(),
});
const posts = entity(
  app,
  "posts",
  {
    id: bigint({ mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
    userId: uuid()
      .notNull()
      .references((): AnyPgColumn => users.id, { onDelete: "cascade" }),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  { constraints: (t) => [index().on(t.userId)] },
);
const auditLog = entity(app, "audit_log", {
  id: bigint({ mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
  tableName: text().notNull(),
  recordId: uuid().notNull(),
  action: text().notNull(),
  changedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
});

const createUserWithProfile = app.function("create_user_with_profile", {
  arguments: { pEmail: text().notNull(), pPassword: text().notNull(), pName: text().notNull() },
  returns: uuid().notNull(),
  body: sql`declare
  v_user_id uuid;
begin
  insert into ${users} (email, password_hash)
  values (p_email, public.crypt(p_password, public.gen_salt('bf', 4)))
  returning id into v_user_id;
  insert into ${profiles} (user_id, name) values (v_user_id, p_name);
  return v_user_id;
end`,
});
const logUserChanges = app.function("log_user_changes", {
  returns: "trigger",
  body: sql`begin
  insert into ${auditLog} (table_name, record_id, action)
  values (tg_table_name, coalesce(new.id, old.id), tg_op);
  return null;
end`,
});
app.trigger("user_audit_trigger", {
  on: users,
  timing: "after",
  events: ["insert", "update", "delete"],
  execute: logUserChanges,
});
const userStats = app
  .materializedView("user_stats", {
    userId: uuid().notNull(),
    postCount: bigint({ mode: "bigint" }).notNull(),
    lastPostAt: timestamp({ withTimezone: true }),
  })
  .as(
    sql`select user_id, count(*) as post_count, max(created_at) as last_post_at from ${posts} group by user_id`,
    { indexes: (t) => [uniqueIndex().on(t.userId)] },
  );
const schema = { app, users, profiles, posts, auditLog, userStats, createUserWithProfile };

describe("declared functions, triggers and views", () => {
  it("sign a user up in one call, and keep an audit of it", async () => {
    const { db } = await grounds.open(schema);
    const id = await db.call(createUserWithProfile, { pEmail: "a@b", pPassword: "s3cret", pName: "Ann" });
    expect(await db.repository(profiles).get(id)).toEqual({ userId: id, name: "Ann" });
    const [match] = await db.sql<{ ok: boolean }>`
      select password_hash = public.crypt(${"s3cret"}, password_hash) as ok from site.users`;
    expect(match?.ok).toBe(true);
    const again = db.call(createUserWithProfile, { pEmail: "a@b", pPassword: "s3cret", pName: "Bob" });
    await expect(again).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
    await expect(again).rejects.not.toMatchObject({ message: expect.stringContaining("s3cret") });
    await db.repository(users).update(id, { email: "c@d" });
    await db.repository(users).delete(id);
    const { data } = await db.repository(auditLog).list();
    expect(data.map(({ action, recordId }) => [action, recordId])).toEqual([
      ["INSERT", id],
      ["UPDATE", id],
      ["DELETE", id],
    ]);
  });

  it("refresh a materialized view while it is read, and read it through Drizzle", async () => {
    const { db } = await grounds.open(schema);
    const id = await db.call(createUserWithProfile, { pEmail: "a@b", pPassword: "p", pName: "Ann" });
    await db.repository(posts).createMany([{ userId: id }, { userId: id }]);
    expect(await db.drizzle.select().from(userStats)).toEqual([]);
    await db.drizzle.refreshMaterializedView(userStats).concurrently();
    expect(await db.drizzle.select().from(userStats)).toEqual([
      { userId: id, postCount: 2n, lastPostAt: expect.any(Date) },
    ]);
    const { rows } = await db.drizzle.execute(
      sql`select ${createUserWithProfile}('c@d', 'p', 'Bob') is not null as ok`,
    );
    expect(rows).toEqual([{ ok: true }]);
  });
});

describe("a first migration of everything that can be declared", () => {
  let server: TestServer;
  let admin: Connection;
  beforeAll(async () => {
    server = await testServer();
    admin = await connect(parseTarget(server.url));
  });
  afterAll(async () => {
    await admin.close();
    await server.stop();
  });

  it("runs up and down by the runner, and makes what the declarations make", async () => {
    const wanted = await grounds.build(studio());
    const name = `declared_run_${process.pid}`;
    await admin.script(`create database ${name}`);
    const folder = await mkdtemp(join(tmpdir(), "plinth-declared-"));
    onTestFinished(async () => {
      await admin.script(`drop database ${name} with (force)`);
      await rm(folder, { recursive: true });
    });
    const target = parseTarget(onDatabase(server.url, name));
    await createMigrationFile(folder, "everything", renderSchema(describeSchema(studio()), BEHAVIOURS));
    const migrator = createMigrator({ target, schemaName: "studio", folder });
    await migrator.up();
    const connection = await connect(target);
    onTestFinished(() => connection.close());
    const made = await readCatalog(connection, "studio");
    expect(compareCatalogs(await readCatalog(wanted.connection, "studio"), made)).toEqual([]);
    await migrator.down({ steps: 1 });
    expect((await readCatalog(connection, "studio")).objects).toEqual([]);
  });
});
