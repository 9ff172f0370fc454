import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  check,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
  text,
  timestamp,
  unique,
} from "drizzle-orm/pg-core";
import { appSchema, authorship, entity, relations, secret, timestamps, ulidKey } from "plinth/schema";

export const app = appSchema("workshop");

export const stage = app.enum("stage", ["open", "done"]);

export const people = entity(
  app,
  "people",
  {
    id: ulidKey(),
    email: text().notNull().unique(),
    name: text().notNull(),
    score: integer().notNull().default(0),
    token: secret(text()),
    ...timestamps(),
    ...authorship(),
  },
  {
    softDelete: true,
    constraints: (t) => [check("people_name_not_blank", sql`length(btrim(${t.name})) > 0`)],
  },
);

/** Restricts its owner's deletion. */
export const projects = entity(
  app,
  "projects",
  {
    id: ulidKey(),
    ownerId: text()
      .notNull()
      .references((): AnyPgColumn => people.id, { onDelete: "restrict" }),
    name: text().notNull(),
    ...timestamps(),
    ...authorship(),
  },
  { softDelete: true, constraints: (t) => [index().on(t.ownerId)] },
);

/** Dies with its project; only loses its assignee. */
export const tasks = entity(
  app,
  "tasks",
  {
    id: ulidKey(),
    projectId: text()
      .notNull()
      .references((): AnyPgColumn => projects.id, { onDelete: "cascade" }),
    assignedTo: text().references((): AnyPgColumn => people.id, { onDelete: "set null" }),
    title: text().notNull(),
    stage: stage().notNull().default("open"),
    ...timestamps(),
    ...authorship(),
  },
  { softDelete: true, constraints: (t) => [unique().on(t.projectId, t.title), index().on(t.assignedTo)] },
);

/** The second level of a cascade. */
export const comments = entity(
  app,
  "comments",
  {
    id: ulidKey(),
    taskId: text()
      .notNull()
      .references((): AnyPgColumn => tasks.id, { onDelete: "cascade" }),
    body: text().notNull(),
    ...timestamps(),
  },
  { softDelete: true, constraints: (t) => [index().on(t.taskId)] },
);

/** A hard-deleted child of a soft-deleted parent, whose deletion it restricts. */
export const labels = entity(
  app,
  "labels",
  {
    id: ulidKey(),
    projectId: text()
      .notNull()
      .references((): AnyPgColumn => projects.id, { onDelete: "restrict" }),
    name: text().notNull(),
  },
  { constraints: (t) => [unique().on(t.projectId, t.name)] },
);

/** A child of two parents. */
export const members = entity(
  app,
  "members",
  {
    projectId: text()
      .primaryKey()
      .references((): AnyPgColumn => projects.id, { onDelete: "cascade" }),
    personId: text()
      .primaryKey()
      .references((): AnyPgColumn => people.id, { onDelete: "cascade" }),
    role: text().notNull().default("member"),
    ...timestamps(),
  },
  { softDelete: true, constraints: (t) => [index().on(t.personId)] },
);

/** Refers to itself. */
export const folders = entity(
  app,
  "folders",
  {
    id: ulidKey(),
    parentId: text().references((): AnyPgColumn => folders.id, { onDelete: "cascade" }),
    name: text().notNull(),
    ...timestamps(),
  },
  { softDelete: true, constraints: (t) => [index().on(t.parentId)] },
);

/** One column of each kind. */
export const samples = entity(app, "samples", {
  id: ulidKey(),
  big: bigint({ mode: "bigint" }),
  exact: numeric(),
  float: doublePrecision(),
  day: date(),
  moment: timestamp({ withTimezone: true }),
  wall: timestamp({ mode: "string" }),
  document: jsonb(),
  words: text().array(),
  numbers: integer().array(),
});

export const projectRelations = relations(projects, (r) => ({
  owner: r.one(people, { via: "ownerId" }),
  tasks: r.many(tasks),
}));
export const taskRelations = relations(tasks, (r) => ({
  project: r.one(projects, { via: "projectId" }),
  assignee: r.one(people, { via: "assignedTo" }),
  comments: r.many(comments),
}));
