/** Columns of every kind that has operators of its own, and relations of every kind. */
import {
  type AnyPgColumn,
  cidr,
  customType,
  inet,
  integer,
  json,
  jsonb,
  point,
  text,
  varchar,
} from "drizzle-orm/pg-core";
import { appSchema, entity, relations, secret, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll } from "vitest";

const app = appSchema("workbench");
const range = customType<{ data: string }>({ dataType: () => "int4range" });

/** Types with code of their own, and an enum. */
export const bytes = customType<{ data: Buffer }>({ dataType: () => "bytea" });
export const spot = customType<{ data: { x: number; y: number } }>({
  dataType: () => "point",
  fromDriver: (value) => {
    const [x, y] = String(value).slice(1, -1).split(",").map(Number);
    return { x: x ?? Number.NaN, y: y ?? Number.NaN };
  },
});
export const mood = app.enum("mood", ["sad", "glad"]);

export const things = entity(app, "things", {
  id: ulidKey(),
  name: text().notNull(),
  code: varchar({ length: 40 }),
  document: jsonb(),
  old: json(),
  tags: text().array(),
  numbers: integer().array(),
  grid: integer().array().array(),
  points: point().array(),
  place: point(),
  host: inet(),
  network: cidr(),
  during: range(),
});

export const people = entity(app, "people", {
  id: ulidKey(),
  name: text().notNull(),
  token: secret(text()),
});

export const projects = entity(
  app,
  "projects",
  {
    id: ulidKey(),
    name: text().notNull(),
    ownerId: text().references((): AnyPgColumn => people.id),
  },
  { softDelete: true },
);

export const tasks = entity(
  app,
  "tasks",
  {
    id: ulidKey(),
    projectId: text()
      .notNull()
      .references((): AnyPgColumn => projects.id, { onDelete: "cascade" }),
    parentId: text().references((): AnyPgColumn => tasks.id, { onDelete: "cascade" }),
    title: text().notNull(),
    priority: integer(),
  },
  { softDelete: true },
);

export const labels = entity(app, "labels", { id: ulidKey(), label: text().notNull() }, { softDelete: true });

export const taskLabels = entity(
  app,
  "task_labels",
  {
    taskId: text()
      .primaryKey()
      .references((): AnyPgColumn => tasks.id, { onDelete: "cascade" }),
    labelId: text()
      .primaryKey()
      .references((): AnyPgColumn => labels.id, { onDelete: "cascade" }),
    position: integer(),
    note: secret(text()),
  },
  { softDelete: true },
);

export const projectRelations = relations(projects, (r) => ({
  owner: r.one(people, { via: "ownerId" }),
  tasks: r.many(tasks),
}));
export const taskRelations = relations(tasks, (r) => ({
  project: r.one(projects, { via: "projectId" }),
  parent: r.one(tasks, { via: "parentId" }),
  children: r.many(tasks, { via: "parentId" }),
  labels: r.many(labels, { through: taskLabels }),
  ancestors: r.ancestors({ via: "parentId" }),
  path: r.ancestors({ via: "parentId" }),
  below: r.descendants({ via: "parentId" }),
}));
export const peopleRelations = relations(people, (r) => ({ projects: r.many(projects) }));

const schema = {
  app,
  mood,
  things,
  people,
  projects,
  tasks,
  labels,
  taskLabels,
  projectRelations,
  taskRelations,
  peopleRelations,
};

export type Workbench = Awaited<ReturnType<typeof openWorkbench>>;

/** A database of the test file's own. */
export async function openWorkbench() {
  const { db, close } = await testDatabase({ schema });
  afterAll(close);
  return {
    db,
    things: db.repository(things),
    people: db.repository(people),
    projects: db.repository(projects),
    tasks: db.repository(tasks),
    labels: db.repository(labels),
    taskLabels: db.repository(taskLabels),
  };
}
