import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { developmentOn } from "../migrations/dev/development.ts";
import { createMigrator, findDrift } from "../migrations/index.ts";
import { openShadow } from "../shadow/index.ts";
import { type Ground, openGround } from "./ground.fixture.ts";

const FILE = `-- migrate:up
create table tasks (id int primary key);
create function touch() returns int language sql as 'select 1';
-- migrate:down
drop function touch(); drop table tasks;
`;

async function migrated(): Promise<Ground & { readonly folder: string }> {
  const ground = await openGround();
  onTestFinished(() => ground.close());
  const folder = mkdtempSync(join(tmpdir(), "plinth-roles-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "0001_init.sql"), FILE);
  const { target, schemaName } = ground;
  await createMigrator({ target, schemaName, folder }).up();
  await ground.sync();
  return { ...ground, folder };
}

const shadowOf = ({ target: { host, port, user } }: Ground) =>
  openShadow({ url: `postgres://${user}@${host}:${port}/postgres`, directory: import.meta.dirname });

it("is no drift what a sync gave and took, and drift what somebody gave another", async () => {
  const ground = await migrated();
  const { target, schemaName, folder, admin } = ground;
  const shadow = await shadowOf(ground);
  onTestFinished(() => shadow.release());
  const drift = async (roles?: readonly string[]) =>
    (await findDrift({ target, schemaName, folder, shadow, roles })).findings.map(({ object }) => object);
  const roles = Object.values(ground.names);
  expect(await drift(roles)).toEqual([]);
  // The control: these are differences for whoever does not know the roles.
  expect(await drift()).not.toEqual([]);
  await admin.script(`grant select on ${schemaName}.tasks to pg_monitor`);
  expect(await drift(roles)).toEqual(["grant table tasks to pg_monitor"]);
});

it("leaves a developer's database as it is where only rights differ from the schema", async () => {
  const ground = await migrated();
  const { target, schemaName, folder } = ground;
  const development = developmentOn(target, {
    openShadow: () => shadowOf(ground),
    schemaName,
    folder,
    roles: Object.values(ground.names),
  });
  const declared = [
    "create table tasks (id int primary key)",
    "create function touch() returns int language sql as 'select 1'",
  ];
  expect((await development.reshape({ declared })).statements).toEqual([]);
  const run = await development.reshape({ declared: [...declared, "create table more (id int)"] });
  expect(run.statements).toHaveLength(1);
  expect((await ground.check()).map(({ object }) => object)).toContain(`table ${schemaName}.more`);
});
