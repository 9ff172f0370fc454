/** What declared functions, procedures, views, types and triggers are in types: checked by the compiler, never run. */
import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  date,
  integer,
  jsonb,
  text,
  timestamp,
  uniqueIndex,
  varchar,
} from "drizzle-orm/pg-core";
import type { Database, Query } from "plinth";
import {
  appSchema,
  comment,
  entity,
  inOut,
  out,
  type Row,
  renamedFrom,
  secret,
  setOf,
  ulidKey,
} from "plinth/schema";
import { type Equal, holds } from "./equal.ts";

const app = appSchema("types");
const stage = app.enum("stage", ["open", "done"]);
const email = app.domain("email", text().notNull());
const nickname = app.domain("nickname", varchar({ length: 20 }));
const place = app.compositeType("place", { room: text(), shelf: integer(), since: timestamp() });

const tasks = entity(app, "tasks", {
  id: ulidKey(),
  title: comment(text().notNull(), "What to do."),
  deadline: renamedFrom("dueDate", date()),
  token: secret(text()),
  email: email(),
  nickname: nickname(),
  place: place(),
  places: place().array().notNull(),
  stage: stage().notNull(),
});

// Domains and composite types are columns like others.
holds<
  Equal<
    Row<typeof tasks>,
    {
      id: string;
      title: string;
      deadline: string | null;
      email: string;
      nickname: string | null;
      place: { room: string | null; shelf: number | null; since: Date | null } | null;
      places: { room: string | null; shelf: number | null; since: Date | null }[];
      stage: "open" | "done";
    }
  >
>();

const touch = app.function("touch", {
  arguments: { taskId: text().notNull(), at: timestamp({ withTimezone: true }), by: integer().default(1) },
  returns: timestamp({ withTimezone: true }),
  body: sql``,
});
const total = app.function("total", { returns: bigint({ mode: "bigint" }).notNull(), body: sql`` });
const stagesOf = app.function("stages_of", {
  arguments: { stage: stage() },
  returns: setOf(stage().notNull()),
  body: "",
});
const documents = app.function("documents", { returns: jsonb().array().$type<{ n: number }[]>(), body: "" });
const oneTask = app.function("one_task", { arguments: { id: text() }, returns: tasks, body: "" });
const allTasks = app.function("all_tasks", { returns: setOf(tasks), body: "" });
const counts = app.function("counts", {
  returns: { stage: stage().notNull(), count: bigint({ mode: "bigint" }) },
  body: "",
});
const nothing = app.function("nothing", {
  arguments: { only: text().default("x") },
  returns: "void",
  body: "",
});
const onTask = app.function("on_task", { returns: "trigger", body: "" });
const move = app.procedure("move", {
  arguments: {
    from: text().notNull(),
    moved: inOut(integer()),
    left: out(bigint({ mode: "bigint" }).notNull()),
  },
  body: "",
});
const plain = app.procedure("plain", { body: "" });

export async function calls(db: Database<{ tasks: typeof tasks }>) {
  const touched = db.call(touch, { taskId: "x", at: null });
  holds<Equal<typeof touched, Query<Date | null>>>();
  db.call(touch, { taskId: "x", at: new Date(), by: 2 });
  const sum = await db.call(total);
  holds<Equal<typeof sum, bigint>>();
  const stages = await db.call(stagesOf, { stage: "open" });
  holds<Equal<typeof stages, ("open" | "done")[]>>();
  const found = await db.call(documents);
  holds<Equal<typeof found, { n: number }[] | null>>();
  const one = await db.call(oneTask, { id: null });
  holds<Equal<typeof one, Row<typeof tasks> | undefined>>();
  const all = await db.call(allTasks);
  holds<Equal<typeof all, Row<typeof tasks>[]>>();
  const counted = await db.call(counts);
  holds<Equal<typeof counted, { stage: "open" | "done"; count: bigint | null }[]>>();
  const none = await db.call(nothing);
  holds<Equal<typeof none, undefined>>();
  db.call(nothing, { only: "y" });
  const moved = await db.transaction((tx) => tx.call(move, { from: "x", moved: 1 }));
  holds<Equal<typeof moved, { moved: number | null; left: bigint }>>();
  const over = await db.call(plain);
  holds<Equal<typeof over, undefined>>();

  // @ts-expect-error a secret is in no row
  one?.token;
  // @ts-expect-error an argument without a default
  db.call(touch, { at: null });
  // @ts-expect-error nor without any
  db.call(touch);
  // @ts-expect-error not null
  db.call(touch, { taskId: null, at: null });
  // @ts-expect-error of another type
  db.call(touch, { taskId: 1, at: null });
  // @ts-expect-error no such argument
  db.call(total, { of: 1 });
  // @ts-expect-error no such value
  db.call(stagesOf, { stage: "opne" });
  // @ts-expect-error it only comes back
  db.call(move, { from: "x", moved: 1, left: 2n });
  // @ts-expect-error only triggers call it
  db.call(onTask);
  // @ts-expect-error no routine
  db.call(tasks);
}

// Triggers know the columns of their table.
app.trigger("t", {
  on: tasks,
  timing: "before",
  events: ["update"],
  columns: ["title", "deadline"],
  condition: (row) => sql`${row.old.title} is distinct from ${row.new.title}`,
  execute: onTask,
});
app.trigger("t", {
  on: tasks,
  timing: "before",
  events: ["update"],
  // @ts-expect-error no such column
  columns: ["titel"],
  execute: onTask,
});
app.trigger("t", {
  on: tasks,
  timing: "before",
  events: ["update"],
  // @ts-expect-error no such column
  condition: (row) => sql`${row.old.titel}`,
  execute: onTask,
});
// @ts-expect-error it gives back no trigger
app.trigger("t", { on: tasks, timing: "before", events: ["insert"], execute: touch });
// @ts-expect-error no event
app.trigger("t", { on: tasks, timing: "before", events: [], execute: onTask });

// Views are Drizzle's, and a materialized view's indexes know its columns.
export const openTasks = app.view("open_tasks").as((qb) => qb.select({ id: tasks.id }).from(tasks));
holds<Equal<(typeof openTasks)["id"]["_"]["data"], string>>();
export const stats = app
  .materializedView("stats", { taskId: text().notNull(), n: bigint({ mode: "bigint" }) })
  .as(sql``, { indexes: (t) => [uniqueIndex().on(t.taskId)], comment: "x" });
app.materializedView("m").as((qb) => qb.select({ id: tasks.id }).from(tasks), {
  // @ts-expect-error no such column
  indexes: (t) => [uniqueIndex().on(t.title)],
});
// @ts-expect-error a plain view has no index
app.view("v", { id: text() }).as(sql``, { indexes: () => [] });

// It is a schema of Drizzle's still.
export const plainTable = app.table("plain", {
  id: text().references((): AnyPgColumn => tasks.id),
  on: boolean(),
});
export const numbers = app.sequence("numbers", { startWith: 1 });

// Partitions are by the table's own columns.
entity(app, "p", { id: ulidKey(), at: date().notNull() }, { partitionBy: { range: ["at"], partitions: [] } });
// @ts-expect-error no such column
entity(app, "p", { id: ulidKey() }, { partitionBy: { range: ["ta"], partitions: [] } });
// @ts-expect-error a privilege nobody has
app.grant({ on: tasks, to: "x", privileges: ["read"] });
