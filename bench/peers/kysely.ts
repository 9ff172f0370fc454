/** Kysely: its query builder, relations by the JSON helpers that its recipes name, on `pg`. */
import { type Generated, Kysely, PostgresDialect, sql } from "kysely";
import { jsonArrayFrom, jsonObjectFrom } from "kysely/helpers/postgres";
import pg from "pg";
import {
  byMessage,
  EXTRA_FORTUNE,
  type Operations,
  type Settings,
  type Subject,
  type Task,
  type World,
} from "../comparison/operations.ts";

interface Link {
  movie_id: number;
  person_id: number;
  list_order: number;
}

interface TaskTable {
  id: Generated<number>;
  project_id: number;
  title: string;
  description: string | null;
  priority: number;
  status: string;
  due_at: Date | null;
  created_at: Generated<Date>;
}

interface Tables {
  world: { id: number; random_number: number };
  fortune: { id: number; message: string };
  users: { id: Generated<number>; name: string; image: string };
  people: { id: number; full_name: string; image: string; bio: string };
  movies: { id: number; title: string };
  rated_movies: {
    id: number;
    title: string;
    image: string;
    year: number;
    description: string;
    avg_rating: number | null;
  };
  directors: Link;
  actors: Link;
  reviews: {
    id: number;
    body: string;
    rating: number;
    creation_time: Date;
    author_id: number;
    movie_id: number;
  };
  accounts: { id: number; email: string; full_name: string; created_at: Date };
  profiles: { account_id: number; avatar_url: string; bio: string | null; phone: string | null };
  projects: { id: number; name: string; description: string | null; status: string; created_at: Date };
  project_totals: { project_id: number; task_count: number };
  tasks: TaskTable;
  new_tasks: TaskTable;
  activity: { id: Generated<number>; project_id: number; action: string };
}

const TASK = [
  "id",
  "project_id as projectId",
  "title",
  "description",
  "priority",
  "status",
  "due_at as dueAt",
  "created_at as createdAt",
] as const;
const FILM = ["m.id", "m.image", "m.title", "m.year", "m.avg_rating as avgRating"] as const;
const CREDIT = ["p.id", "p.full_name as fullName", "p.image"] as const;

export function openKysely({ url, poolSize }: Settings): Subject {
  const pool = new pg.Pool({ connectionString: url, max: poolSize, idleTimeoutMillis: 0 });
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const oneRow = (id: number): Promise<World> =>
    db
      .selectFrom("world")
      .select(["id", "random_number as randomNumber"])
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
  const operations: Operations = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map(oneRow)),
    fortunes: async () =>
      [...(await db.selectFrom("fortune").select(["id", "message"]).execute()), EXTRA_FORTUNE].sort(
        byMessage,
      ),
    async updates(changes) {
      const worlds = await Promise.all(changes.map(({ id }) => oneRow(id)));
      const changed = worlds.map(({ id }, at) => ({ id, randomNumber: changes[at]?.randomNumber ?? 0 }));
      const rows = changed.map(({ id, randomNumber }) => sql`(${id}::int, ${randomNumber}::int)`);
      await db
        .updateTable("world")
        .from(sql<{ id: number; n: number }>`(values ${sql.join(rows)})`.as<"v">(sql`v (id, n)`))
        .set((eb) => ({ random_number: eb.ref("v.n") }))
        .whereRef("world.id", "=", "v.id")
        .execute();
      return changed;
    },
    getUser: (id) =>
      db
        .selectFrom("users as u")
        .select((eb) => [
          "u.id",
          "u.name",
          "u.image",
          jsonArrayFrom(
            eb
              .selectFrom("reviews as r")
              .select((eb) => [
                "r.id",
                "r.body",
                "r.rating",
                jsonObjectFrom(
                  eb
                    .selectFrom("rated_movies as m")
                    .select(["m.id", "m.image", "m.title", "m.avg_rating as avgRating"])
                    .whereRef("m.id", "=", "r.movie_id"),
                )
                  .$notNull()
                  .as("movie"),
              ])
              .whereRef("r.author_id", "=", "u.id")
              .orderBy("r.creation_time", "desc")
              .limit(10),
          ).as("latestReviews"),
        ])
        .where("u.id", "=", id)
        .executeTakeFirstOrThrow(),
    getPerson: (id) =>
      db
        .selectFrom("people as p")
        .select((eb) => [
          ...CREDIT,
          "p.bio",
          jsonArrayFrom(
            eb
              .selectFrom("actors as a")
              .innerJoin("rated_movies as m", "m.id", "a.movie_id")
              .select(FILM)
              .whereRef("a.person_id", "=", "p.id")
              .orderBy("m.year")
              .orderBy("m.title"),
          ).as("actedIn"),
          jsonArrayFrom(
            eb
              .selectFrom("directors as d")
              .innerJoin("rated_movies as m", "m.id", "d.movie_id")
              .select(FILM)
              .whereRef("d.person_id", "=", "p.id")
              .orderBy("m.year")
              .orderBy("m.title"),
          ).as("directed"),
        ])
        .where("p.id", "=", id)
        .executeTakeFirstOrThrow(),
    getMovie: (id) =>
      db
        .selectFrom("rated_movies as m")
        .select((eb) => [
          ...FILM,
          "m.description",
          jsonArrayFrom(
            eb
              .selectFrom("directors as d")
              .innerJoin("people as p", "p.id", "d.person_id")
              .select(CREDIT)
              .whereRef("d.movie_id", "=", "m.id")
              .orderBy("d.list_order"),
          ).as("directors"),
          jsonArrayFrom(
            eb
              .selectFrom("actors as a")
              .innerJoin("people as p", "p.id", "a.person_id")
              .select(CREDIT)
              .whereRef("a.movie_id", "=", "m.id")
              .orderBy("a.list_order"),
          ).as("cast"),
          jsonArrayFrom(
            eb
              .selectFrom("reviews as r")
              .select((eb) => [
                "r.id",
                "r.body",
                "r.rating",
                jsonObjectFrom(
                  eb
                    .selectFrom("users as u")
                    .select(["u.id", "u.name", "u.image"])
                    .whereRef("u.id", "=", "r.author_id"),
                )
                  .$notNull()
                  .as("author"),
              ])
              .whereRef("r.movie_id", "=", "m.id")
              .orderBy("r.creation_time", "desc"),
          ).as("reviews"),
        ])
        .where("m.id", "=", id)
        .executeTakeFirstOrThrow(),
    insertUser: (user) =>
      db.insertInto("users").values(user).returning(["id", "name", "image"]).executeTakeFirstOrThrow(),
    updateMovie: (id, title) =>
      db
        .updateTable("movies")
        .set({ title })
        .where("id", "=", id)
        .returning(["id", "title"])
        .executeTakeFirstOrThrow(),
    // JSON would make texts of the dates: what holds some is read flat, or by a statement of its own.
    async accountPage(afterId) {
      const flat = await db
        .selectFrom("accounts as a")
        .innerJoin("profiles as p", "p.account_id", "a.id")
        .select([
          "a.id",
          "a.email",
          "a.full_name as fullName",
          "a.created_at as createdAt",
          "p.account_id as accountId",
          "p.avatar_url as avatarUrl",
          "p.bio",
          "p.phone",
        ])
        .where("a.id", ">", afterId)
        .orderBy("a.id")
        .limit(50)
        .execute();
      return flat.map(({ id, email, fullName, createdAt, ...profile }) => {
        return { id, email, fullName, createdAt, profile };
      });
    },
    async projectPage(afterId) {
      const projects = await db
        .selectFrom("projects")
        .select(["id", "name", "description", "status", "created_at as createdAt"])
        .where("id", ">", afterId)
        .orderBy("id")
        .limit(20)
        .execute();
      const tasksOf = new Map<number, Task[]>(projects.map(({ id }) => [id, []]));
      const tasks = await db
        .selectFrom("tasks")
        .select(TASK)
        .where("project_id", "in", [...tasksOf.keys()])
        .orderBy("id")
        .execute();
      for (const task of tasks) tasksOf.get(task.projectId)?.push(task);
      return projects.map((project) => ({ ...project, tasks: tasksOf.get(project.id) ?? [] }));
    },
    taskPage: ({ status, minPriority, after }) =>
      db
        .selectFrom("tasks")
        .select(TASK)
        .where("status", "=", status)
        .where("priority", ">=", minPriority)
        .where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id)))
        .orderBy("created_at", "desc")
        .orderBy("id", "desc")
        .limit(20)
        .execute(),
    async insertTasks(tasks) {
      await db.insertInto("new_tasks").values(tasks.map(toRow)).execute();
    },
    assign: ({ task, action }) =>
      db.transaction().execute(async (tx) => {
        await tx.insertInto("new_tasks").values(toRow(task)).execute();
        await tx
          .updateTable("project_totals")
          .set((eb) => ({ task_count: eb("task_count", "+", 1) }))
          .where("project_id", "=", task.projectId)
          .execute();
        await tx.insertInto("activity").values({ project_id: task.projectId, action }).execute();
      }),
    async slow() {
      await sql`select pg_sleep(0.03)`.execute(db);
    },
  };
  return { operations, close: () => db.destroy() };
}

function toRow({ projectId, dueAt, ...task }: Omit<Task, "id" | "createdAt">) {
  return { ...task, project_id: projectId, due_at: dueAt };
}
