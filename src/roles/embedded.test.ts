import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { pgPolicy, text } from "drizzle-orm/pg-core";
import { createDatabase } from "plinth";
import { createMigrator } from "plinth/migrations";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, parseTarget } from "../driver/index.ts";
import { embeddedRoleUrl, startEmbedded } from "../embedded/index.ts";
import { makeProject, type TemporaryProject } from "../embedded/project.fixture.ts";
import { checkRoles, roleNames } from "./index.ts";

const app = appSchema("diary");
const notes = entity(
  app,
  "notes",
  { id: ulidKey(), owner: text().notNull() },
  {
    constraints: (t) => [pgPolicy("own", { using: sql`${t.owner} = current_setting('app.tenant', true)` })],
  },
);
const tags = entity(app, "tags", { id: ulidKey() });
const schema = { notes, tags };

let project: TemporaryProject;
let folder: string;

beforeAll(async () => {
  project = await makeProject();
  folder = join(project.directory, "migrations");
  await mkdir(folder);
  writeFileSync(
    join(folder, "0001_notes.sql"),
    `-- migrate:up
create table notes (id text primary key, owner text not null);
alter table notes enable row level security;
create policy own on notes using (owner = current_setting('app.tenant', true));
`,
  );
});
afterAll(() => project.remove());

/** What `npm start` does: opens, brings up to date, works. */
async function started<T>(work: (db: Awaited<ReturnType<typeof open>>) => Promise<T>): Promise<T> {
  const db = await open();
  try {
    await createMigrator({ target: db.connectionTarget(), schemaName: "diary", folder }).up();
    return await work(db);
  } finally {
    await db.close();
  }
}

function open() {
  return createDatabase({ schema, directory: project.directory, url: undefined });
}

describe("an application with row security and no server of its own", () => {
  it("starts as a role that policies hold for, with nothing prepared", async () => {
    const seen = await started(async (db) => {
      expect(db.target).toMatch(/^diary_app@127\.0\.0\.1:\d+\/plinth$/);
      const repo = db.repository(notes);
      await db.transaction(async (tx) => {
        await tx.sql`select set_config('app.tenant', 'ada', true)`;
        await repo.create({ owner: "ada" });
        expect(await repo.count()).toBe(1);
      });
      return repo.count();
    });
    expect(seen).toBe(0);
  });

  it("reaches tables of a migration that came later, at once", async () => {
    writeFileSync(join(folder, "0002_tags.sql"), "-- migrate:up\ncreate table tags (id text primary key);\n");
    const made = await started(async (db) => db.repository(tags).create({}));
    expect(made.id).toMatch(/^\w{26}$/);
  });

  it("has every right in order after a start, and its other roles by their URLs", async () => {
    await started(async () => undefined);
    await started(async () => undefined);
    const server = await startEmbedded({ directory: project.directory });
    try {
      const names = roleNames("diary");
      const admin = await connect(parseTarget(server.url));
      const found = await checkRoles({
        connection: admin,
        schemaName: "diary",
        names,
        opensNewTables: true,
      });
      expect(found.map(({ rule, object }) => [rule, object])).toEqual([
        ["policies-not-forced", "table diary.notes"],
      ]);
      await admin.close();
      const reader = await connect(parseTarget(embeddedRoleUrl(server.url, names.readOnly)));
      expect((await reader.script("select current_user, count(*) from diary.notes")).at(-1)?.rows).toEqual([
        ["diary_readonly", "0"],
      ]);
      await reader.close();
      const wrong = parseTarget(embeddedRoleUrl(server.url, "another"), {});
      const asApp = new URL(server.url);
      asApp.username = names.app;
      asApp.password = wrong.password ?? "";
      await expect(connect(parseTarget(asApp.href))).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED" });
    } finally {
      await server.release();
    }
  });
});
