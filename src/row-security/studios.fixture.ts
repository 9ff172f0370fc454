/** Studios that share their tables, in every form that makes a difference to whose rows they are. */
import { type AnyPgColumn, index, integer, text, uniqueIndex } from "drizzle-orm/pg-core";
import { createDatabase, type Database } from "plinth";
import {
  appSchema,
  authorship,
  entity,
  identityKey,
  publicId,
  relations,
  timestamps,
  ulidKey,
  versioned,
} from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll } from "vitest";
import { connect, parseTarget } from "../driver/index.ts";

export const app = appSchema("studios");

/** Everybody's: whose rows there can be. */
export const studios = entity(app, "studios", { id: text().primaryKey(), name: text().notNull() });

const studioId = () =>
  text()
    .notNull()
    .references((): AnyPgColumn => studios.id);

export const projects = entity(
  app,
  "projects",
  {
    id: ulidKey(),
    studioId: studioId(),
    slug: text().notNull().unique(),
    name: text().notNull(),
    code: publicId(),
    ...versioned(),
    ...timestamps(),
    ...authorship(),
  },
  { tenant: "studioId", softDelete: true, history: true, search: { columns: ["name"] } },
);

export const tasks = entity(
  app,
  "tasks",
  {
    id: ulidKey(),
    studioId: studioId(),
    projectId: text()
      .notNull()
      .references((): AnyPgColumn => projects.id, { onDelete: "cascade" }),
    parentId: text().references((): AnyPgColumn => tasks.id, { onDelete: "set null" }),
    memberId: text().references((): AnyPgColumn => members.id, { onDelete: "set null" }),
    title: text().notNull(),
    points: integer().notNull().default(0),
  },
  {
    tenant: "studioId",
    softDelete: true,
    history: true,
    search: { columns: ["title"] },
    constraints: (t) => [
      uniqueIndex().on(t.projectId, t.title),
      index().on(t.memberId),
      index().on(t.parentId),
    ],
    list: { sort: ["title", "points", "project.name"] },
  },
);

export const members = entity(
  app,
  "members",
  { id: ulidKey(), studioId: studioId(), email: text().notNull().unique(), name: text().notNull() },
  { tenant: "studioId", history: true },
);

export const labels = entity(
  app,
  "labels",
  {
    id: identityKey(),
    studioId: studioId(),
    name: text().notNull().unique(),
    uses: integer().notNull().default(0),
  },
  { tenant: "studioId" },
);

export const taskLabels = entity(
  app,
  "task_labels",
  {
    studioId: studioId(),
    taskId: text()
      .primaryKey()
      .references((): AnyPgColumn => tasks.id),
    member: text().primaryKey(),
    weight: integer().notNull().default(1),
  },
  { tenant: "studioId" },
);

export const projectRelations = relations(projects, (r) => ({
  studio: r.one(studios, { via: "studioId" }),
  tasks: r.many(tasks),
}));
export const taskRelations = relations(tasks, (r) => ({
  project: r.one(projects, { via: "projectId" }),
  member: r.one(members, { via: "memberId" }),
  parent: r.one(tasks, { via: "parentId" }),
  above: r.ancestors({ via: "parentId" }),
  below: r.descendants({ via: "parentId" }),
  marks: r.many(taskLabels),
}));
export const memberRelations = relations(members, (r) => ({
  tasks: r.many(tasks),
  projects: r.many(projects, { through: tasks, from: "memberId", to: "projectId" }),
}));
export const studioRelations = relations(studios, (r) => ({ projects: r.many(projects) }));

export const schema = {
  app,
  studios,
  projects,
  tasks,
  members,
  labels,
  taskLabels,
  projectRelations,
  taskRelations,
  memberRelations,
  studioRelations,
};

export type Studios = Database<typeof schema>;

export function repositoriesOf(db: Pick<Studios, "repository">) {
  return {
    studios: db.repository(studios),
    projects: db.repository(projects),
    tasks: db.repository(tasks),
    members: db.repository(members),
    labels: db.repository(labels),
    taskLabels: db.repository(taskLabels),
  };
}

let roles = 0;

/**
 * A database of the test file's own. `db` is the application role's, which row security binds; `admin` that of a role which it does
 * not bind any more; `run` is one more client, a superuser's, that knows nothing of Plinth.
 */
export async function openStudios(pool: { readonly max: number } = { max: 3 }) {
  const { db, url, adminUrl, close } = await testDatabase({ schema, pool });
  const client = await connect(parseTarget(adminUrl));
  const run = async (sql: string) => (await client.script(sql)).at(-1)?.rows ?? [];
  const role = decodeURIComponent(new URL(url).username);
  const unbound = `studio_unbound_${process.pid}_${++roles}`;
  await run(`create role ${unbound} login in role ${role}; set search_path to studios;
    insert into studios values ('ada', 'Ada''s'), ('bob', 'Bob & Co')`);
  const target = new URL(adminUrl);
  target.username = unbound;
  target.password = "";
  const admin = await createDatabase({ schema, url: target.href, pool });
  // After it was opened: no database opens for a role that policies do not hold for.
  await run(`alter role ${unbound} superuser`);
  afterAll(async () => {
    await admin.close();
    await run(`drop role ${unbound}`);
    await client.close();
    await close();
  });
  const as = <T>(tenantId: string, work: () => T | PromiseLike<T>) =>
    db.as({ tenantId, userId: `u-${tenantId}` }, work);
  return { db, admin, url, adminUrl, role, run, as, repo: repositoriesOf(db) };
}
