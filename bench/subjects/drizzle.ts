/** Drizzle's query builder: built for every call, or prepared once where the interface allows it. */
import { and, asc, desc, eq, gt, gte, inArray, type Placeholder, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import {
  byMessage,
  EXTRA_FORTUNE,
  found,
  type NewUser,
  type Operations,
  type Settings,
  type Subject,
  type Task,
  type World,
} from "../comparison/operations.ts";
import {
  accounts,
  activity,
  actors,
  directors,
  fortune,
  movies,
  newTasks,
  people,
  profiles,
  projects,
  projectTotals,
  ratedMovies,
  reviews,
  tasks,
  users,
  world,
} from "./drizzle-schema.ts";

export const openDrizzle = (settings: Settings): Subject => {
  const subject = open(settings, false);
  return subject;
};

/** Only what differs from the builder: a transaction prepares nothing, and an insert of 1,000 rows is built. */
export function openDrizzlePrepared(settings: Settings): Subject {
  const { operations, close } = open(settings, true);
  const { assign: _assign, insertTasks: _insertTasks, ...prepared } = operations;
  return { operations: prepared, close };
}

type Holes<V> = { readonly [K in keyof V]: V[K] | Placeholder };
interface Built<R> {
  execute(): Promise<R>;
  prepare(name: string): { execute(values: Record<string, unknown>): Promise<R> };
}

/** A statement of these holes. Prepared, it is built once. */
function statement<V extends Record<string, unknown>, R>(
  isPrepared: boolean,
  name: string,
  holes: readonly (keyof V & string)[],
  build: (values: Holes<V>) => Built<R>,
): (values: V) => Promise<R> {
  if (!isPrepared) return (values) => build(values).execute();
  const placeholders = Object.fromEntries(holes.map((hole) => [hole, sql.placeholder(hole)]));
  const prepared = build(placeholders as Holes<V>).prepare(name);
  return (values) => prepared.execute(values);
}

function open({ url, poolSize }: Settings, isPrepared: boolean): Subject & { operations: Operations } {
  const pool = new pg.Pool({ connectionString: url, max: poolSize, idleTimeoutMillis: 0 });
  const db = drizzle(pool);
  const byId = <R>(name: string, build: (id: number | Placeholder) => Built<R>) => {
    const run = statement<{ id: number }, R>(isPrepared, name, ["id"], ({ id }) => build(id));
    return (id: number): Promise<R> => run({ id });
  };
  const film = {
    id: ratedMovies.id,
    image: ratedMovies.image,
    title: ratedMovies.title,
    year: ratedMovies.year,
    avgRating: ratedMovies.avgRating,
  };
  const credit = { id: people.id, fullName: people.fullName, image: people.image };

  const worldById = byId("world", (id) => db.select().from(world).where(eq(world.id, id)));
  const allFortunes = statement(isPrepared, "fortunes", [], () => db.select().from(fortune));
  const userById = byId("user", (id) => db.select().from(users).where(eq(users.id, id)));
  const reviewsOf = byId("reviews_of", (id) =>
    db
      .select({
        id: reviews.id,
        body: reviews.body,
        rating: reviews.rating,
        movie: {
          id: ratedMovies.id,
          image: ratedMovies.image,
          title: ratedMovies.title,
          avgRating: ratedMovies.avgRating,
        },
      })
      .from(reviews)
      .innerJoin(ratedMovies, eq(ratedMovies.id, reviews.movieId))
      .where(eq(reviews.authorId, id))
      .orderBy(desc(reviews.creationTime))
      .limit(10),
  );
  const personById = byId("person", (id) => db.select().from(people).where(eq(people.id, id)));
  const filmsOf = (name: string, link: typeof actors | typeof directors) =>
    byId(name, (id) =>
      db
        .select(film)
        .from(link)
        .innerJoin(ratedMovies, eq(ratedMovies.id, link.movieId))
        .where(eq(link.personId, id))
        .orderBy(asc(ratedMovies.year), asc(ratedMovies.title)),
    );
  const [actedIn, directed] = [filmsOf("acted_in", actors), filmsOf("directed", directors)];
  const movieById = byId("movie", (id) => db.select().from(ratedMovies).where(eq(ratedMovies.id, id)));
  const creditsOf = (name: string, link: typeof actors | typeof directors) =>
    byId(name, (id) =>
      db
        .select(credit)
        .from(link)
        .innerJoin(people, eq(people.id, link.personId))
        .where(eq(link.movieId, id))
        .orderBy(asc(link.listOrder)),
    );
  const [directorsOf, castOf] = [creditsOf("directors_of", directors), creditsOf("cast_of", actors)];
  const reviewsAbout = byId("reviews_about", (id) =>
    db
      .select({
        id: reviews.id,
        body: reviews.body,
        rating: reviews.rating,
        author: { id: users.id, name: users.name, image: users.image },
      })
      .from(reviews)
      .innerJoin(users, eq(users.id, reviews.authorId))
      .where(eq(reviews.movieId, id))
      .orderBy(desc(reviews.creationTime)),
  );
  const insertUser = statement<
    NewUser & Record<string, unknown>,
    { id: number; name: string; image: string }[]
  >(isPrepared, "insert_user", ["name", "image"], ({ name, image }) =>
    db.insert(users).values({ name, image }).returning(),
  );
  const updateMovie = statement<{ id: number; title: string }, { id: number; title: string }[]>(
    isPrepared,
    "update_movie",
    ["id", "title"],
    ({ id, title }) =>
      db
        .update(movies)
        .set({ title: sql`${title}` })
        .where(eq(movies.id, id))
        .returning(),
  );
  const accountsAfter = byId("accounts_after", (id) =>
    db
      .select({
        id: accounts.id,
        email: accounts.email,
        fullName: accounts.fullName,
        createdAt: accounts.createdAt,
        profile: {
          accountId: profiles.accountId,
          avatarUrl: profiles.avatarUrl,
          bio: profiles.bio,
          phone: profiles.phone,
        },
      })
      .from(accounts)
      .innerJoin(profiles, eq(profiles.accountId, accounts.id))
      .where(gt(accounts.id, id))
      .orderBy(asc(accounts.id))
      .limit(50),
  );
  const projectsAfter = byId("projects_after", (id) =>
    db.select().from(projects).where(gt(projects.id, id)).orderBy(asc(projects.id)).limit(20),
  );
  const tasksOf = statement<{ ids: number[] }, Task[]>(isPrepared, "tasks_of", ["ids"], ({ ids }) =>
    db
      .select()
      .from(tasks)
      .where(
        Array.isArray(ids) ? inArray(tasks.projectId, ids) : sql`${tasks.projectId} = any(${ids}::int[])`,
      )
      .orderBy(asc(tasks.id)),
  );
  const taskPage = statement<{ status: string; minPriority: number; at: Date; id: number }, Task[]>(
    isPrepared,
    "task_page",
    ["status", "minPriority", "at", "id"],
    ({ status, minPriority, at, id }) =>
      db
        .select()
        .from(tasks)
        .where(
          and(
            eq(tasks.status, status),
            gte(tasks.priority, minPriority),
            sql`(${tasks.createdAt}, ${tasks.id}) < (${sql.param(at, tasks.createdAt)}, ${id})`,
          ),
        )
        .orderBy(desc(tasks.createdAt), desc(tasks.id))
        .limit(20),
  );

  const oneRow = async (id: number): Promise<World> => found((await worldById(id))[0]);
  const operations: Operations = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map(oneRow)),
    fortunes: async () => [...(await allFortunes({})), EXTRA_FORTUNE].sort(byMessage),
    async updates(changes) {
      const worlds = await Promise.all(changes.map(({ id }) => oneRow(id)));
      const changed = worlds.map(({ id }, at) => ({ id, randomNumber: changes[at]?.randomNumber ?? 0 }));
      // https://orm.drizzle.team/docs/guides/update-many-with-different-value
      const cases = changed.map(
        ({ id, randomNumber }) => sql`when ${world.id} = ${id} then ${randomNumber}::int`,
      );
      await db
        .update(world)
        .set({ randomNumber: sql`(case ${sql.join(cases, sql.raw(" "))} end)` })
        .where(
          inArray(
            world.id,
            changed.map(({ id }) => id),
          ),
        );
      return changed;
    },
    async getUser(id) {
      const [user, latestReviews] = await Promise.all([userById(id), reviewsOf(id)]);
      return { ...found(user[0]), latestReviews };
    },
    async getPerson(id) {
      const [persons, acted, led] = await Promise.all([personById(id), actedIn(id), directed(id)]);
      return { ...found(persons[0]), actedIn: acted, directed: led };
    },
    async getMovie(id) {
      const [found_, led, cast, about] = await Promise.all([
        movieById(id),
        directorsOf(id),
        castOf(id),
        reviewsAbout(id),
      ]);
      return { ...found(found_[0]), directors: led, cast, reviews: about };
    },
    insertUser: async (user) => found((await insertUser({ ...user }))[0]),
    updateMovie: async (id, title) => found((await updateMovie({ id, title }))[0]),
    accountPage: accountsAfter,
    async projectPage(afterId) {
      const page = await projectsAfter(afterId);
      const byProject = new Map<number, Task[]>(page.map(({ id }) => [id, []]));
      for (const task of await tasksOf({ ids: [...byProject.keys()] })) {
        byProject.get(task.projectId)?.push(task);
      }
      return page.map((project) => ({ ...project, tasks: byProject.get(project.id) ?? [] }));
    },
    taskPage: ({ status, minPriority, after }) =>
      taskPage({ status, minPriority, at: after.createdAt, id: after.id }),
    async insertTasks(rows) {
      await db.insert(newTasks).values([...rows]);
    },
    assign: ({ task, action }) =>
      db.transaction(async (tx) => {
        await tx.insert(newTasks).values(task);
        await tx
          .update(projectTotals)
          .set({ taskCount: sql`${projectTotals.taskCount} + 1` })
          .where(eq(projectTotals.projectId, task.projectId));
        await tx.insert(activity).values({ projectId: task.projectId, action });
      }),
    async slow() {
      await db.execute(sql`select pg_sleep(0.03)`);
    },
  };
  return { operations, close: () => pool.end() };
}
