import { sql } from "drizzle-orm";
import { type AnyPgColumn, check, date, index, integer, text } from "drizzle-orm/pg-core";
import { appSchema, authorship, entity, relations, secret, timestamps, ulidKey } from "plinth/schema";

export const app = appSchema("tracker");

export const projectStatus = app.enum("project_status", ["active", "completed", "archived"]);
export const taskStatus = app.enum("task_status", ["pending", "in_progress", "completed", "cancelled"]);
export const memberRole = app.enum("member_role", ["owner", "admin", "member"]);

export const users = entity(
  app,
  "users",
  {
    id: ulidKey(),
    email: text().notNull().unique(),
    fullName: text().notNull(),
    passwordHash: secret(text().notNull()),
    ...timestamps(),
  },
  {
    softDelete: true,
    list: { sort: ["fullName", "email", "createdAt"], defaultSort: "-createdAt" },
    constraints: (t) => [
      // The unique key on email has an index already; seed 003 adds a second one that nothing would use.
      index().on(t.createdAt.desc()),
      check("users_full_name_not_blank", sql`length(btrim(${t.fullName})) > 0`),
    ],
  },
);

/** One to one: the user's key is the profile's key, so that the users table need not grow with it. */
export const profiles = entity(
  app,
  "user_profiles",
  {
    userId: text()
      .primaryKey()
      .references((): AnyPgColumn => users.id, { onDelete: "cascade" }),
    avatarUrl: text(),
    bio: text(),
    phone: text(),
    ...timestamps(),
  },
  { softDelete: true },
);

export const projects = entity(
  app,
  "projects",
  {
    id: ulidKey(),
    name: text().notNull(),
    description: text(),
    status: projectStatus().notNull().default("active"),
    ownerId: text()
      .notNull()
      .references((): AnyPgColumn => users.id, { onDelete: "restrict" }),
    ...timestamps(),
    ...authorship(),
  },
  {
    softDelete: true,
    list: { sort: ["createdAt", "name", "status"], defaultSort: "-createdAt" },
    constraints: (t) => [
      index().on(t.ownerId),
      index().on(t.createdAt.desc()),
      check("projects_name_not_blank", sql`length(btrim(${t.name})) > 0`),
    ],
  },
);

export const tasks = entity(
  app,
  "tasks",
  {
    id: ulidKey(),
    projectId: text()
      .notNull()
      .references((): AnyPgColumn => projects.id, { onDelete: "cascade" }),
    title: text().notNull(),
    description: text(),
    priority: integer().notNull().default(1),
    status: taskStatus().notNull().default("pending"),
    dueDate: date(),
    assignedTo: text().references((): AnyPgColumn => users.id, { onDelete: "set null" }),
    ...timestamps(),
    ...authorship(),
  },
  {
    softDelete: true,
    list: { sort: ["createdAt", "dueDate", "priority", "title"], defaultSort: "-createdAt" },
    constraints: (t) => [
      index().on(t.projectId),
      index().on(t.assignedTo),
      index().on(t.status),
      index().on(t.createdAt.desc()),
      check("tasks_title_not_blank", sql`length(btrim(${t.title})) > 0`),
      check("tasks_priority_range", sql`${t.priority} between 1 and 5`),
    ],
  },
);

/** Many to many; unlike seed 003's, it has the updated_at its trigger keeps. */
export const members = entity(
  app,
  "project_members",
  {
    projectId: text()
      .primaryKey()
      .references((): AnyPgColumn => projects.id, { onDelete: "cascade" }),
    userId: text()
      .primaryKey()
      .references((): AnyPgColumn => users.id, { onDelete: "cascade" }),
    role: memberRole().notNull().default("member"),
    ...timestamps(),
  },
  { softDelete: true, constraints: (t) => [index().on(t.userId)] },
);

export const userRelations = relations(users, (r) => ({ profile: r.one(profiles) }));
export const projectRelations = relations(projects, (r) => ({
  owner: r.one(users, { via: "ownerId" }),
  tasks: r.many(tasks),
  members: r.many(members),
}));
export const taskRelations = relations(tasks, (r) => ({
  project: r.one(projects, { via: "projectId" }),
  assignee: r.one(users, { via: "assignedTo" }),
}));
