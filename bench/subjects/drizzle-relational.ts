/** Drizzle's relational queries, which read: one statement with JSON each, built for every call or prepared once. */
import { and, asc, desc, eq, gt, gte, type Placeholder, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import {
  type Account,
  byMessage,
  byYearAndTitle,
  EXTRA_FORTUNE,
  found,
  type Operations,
  type Settings,
  type Subject,
  type World,
} from "../comparison/operations.ts";
import * as schema from "./drizzle-schema.ts";

export const openDrizzleRelational = (settings: Settings): Subject => open(settings, false);
export const openDrizzleRelationalPrepared = (settings: Settings): Subject => open(settings, true);

interface Built<R> {
  execute(): Promise<R>;
  prepare(name: string): { execute(values: Record<string, unknown>): Promise<R> };
}

function open({ url, poolSize }: Settings, isPrepared: boolean): Subject {
  const pool = new pg.Pool({ connectionString: url, max: poolSize, idleTimeoutMillis: 0 });
  const db = drizzle(pool, { schema });
  const byId = <R>(
    name: string,
    build: (id: number | Placeholder) => Built<R>,
  ): ((id: number) => Promise<R>) => {
    if (!isPrepared) return (id) => build(id).execute();
    const prepared = build(sql.placeholder("id")).prepare(name);
    return (id) => prepared.execute({ id });
  };
  const film = { columns: { id: true, image: true, title: true, year: true, avgRating: true } } as const;
  const credit = { columns: { id: true, fullName: true, image: true } } as const;
  const { world, fortune, users, people, ratedMovies, accounts, projects, tasks } = schema;

  const worldById = byId("world", (id) => db.query.world.findFirst({ where: eq(world.id, id) }));
  const allFortunes = byId("fortunes", () => db.query.fortune.findMany({ where: gt(fortune.id, 0) }));
  const userById = byId("user", (id) =>
    db.query.users.findFirst({
      where: eq(users.id, id),
      with: {
        reviews: {
          columns: { id: true, body: true, rating: true },
          with: { movie: { columns: { id: true, image: true, title: true, avgRating: true } } },
          orderBy: (review) => desc(review.creationTime),
          limit: 10,
        },
      },
    }),
  );
  const personById = byId("person", (id) =>
    db.query.people.findFirst({
      where: eq(people.id, id),
      with: {
        actedIn: { columns: {}, with: { movie: film } },
        directed: { columns: {}, with: { movie: film } },
      },
    }),
  );
  const movieById = byId("movie", (id) =>
    db.query.ratedMovies.findFirst({
      where: eq(ratedMovies.id, id),
      with: {
        directors: { columns: {}, with: { person: credit }, orderBy: (link) => asc(link.listOrder) },
        cast: { columns: {}, with: { person: credit }, orderBy: (link) => asc(link.listOrder) },
        reviews: {
          columns: { id: true, body: true, rating: true },
          with: { author: { columns: { id: true, name: true, image: true } } },
          orderBy: (review) => desc(review.creationTime),
        },
      },
    }),
  );
  const accountsAfter = byId("accounts_after", (id) =>
    db.query.accounts.findMany({
      where: gt(accounts.id, id),
      with: { profile: true },
      orderBy: asc(accounts.id),
      limit: 50,
    }),
  );
  const projectsAfter = byId("projects_after", (id) =>
    db.query.projects.findMany({
      where: gt(projects.id, id),
      with: { tasks: { orderBy: (task) => asc(task.id) } },
      orderBy: asc(projects.id),
      limit: 20,
    }),
  );
  const pageOfTasks = (status: unknown, minPriority: unknown, at: unknown, id: unknown) =>
    db.query.tasks.findMany({
      where: and(
        eq(tasks.status, sql`${status}`),
        gte(tasks.priority, sql`${minPriority}`),
        sql`(${tasks.createdAt}, ${tasks.id}) < (${at}, ${id})`,
      ),
      orderBy: [desc(tasks.createdAt), desc(tasks.id)],
      limit: 20,
    });
  const preparedTasks = pageOfTasks(
    sql.placeholder("status"),
    sql.placeholder("minPriority"),
    sql.param(sql.placeholder("at"), tasks.createdAt),
    sql.placeholder("id"),
  ).prepare("task_page");

  const oneRow = async (id: number): Promise<World> => found(await worldById(id));
  const operations: Partial<Operations> = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map(oneRow)),
    fortunes: async () => [...(await allFortunes(0)), EXTRA_FORTUNE].sort(byMessage),
    async getUser(id) {
      const { reviews, ...user } = found(await userById(id));
      return { ...user, latestReviews: reviews };
    },
    async getPerson(id) {
      const { actedIn, directed, ...person } = found(await personById(id));
      // The order of a related row's columns is not to be had from the interface.
      return {
        ...person,
        actedIn: actedIn.map(({ movie }) => movie).sort(byYearAndTitle),
        directed: directed.map(({ movie }) => movie).sort(byYearAndTitle),
      };
    },
    async getMovie(id) {
      const { directors, cast, ...movie } = found(await movieById(id));
      return {
        ...movie,
        directors: directors.map(({ person }) => person),
        cast: cast.map(({ person }) => person),
      };
    },
    accountPage: async (afterId) => (await accountsAfter(afterId)).filter(hasProfile),
    projectPage: projectsAfter,
    taskPage: ({ status, minPriority, after: { createdAt, id } }) =>
      isPrepared
        ? preparedTasks.execute({ status, minPriority, at: createdAt, id })
        : pageOfTasks(status, minPriority, sql.param(createdAt, tasks.createdAt), id).execute(),
    async slow() {
      await db.execute(sql`select pg_sleep(0.03)`);
    },
  };
  return { operations, close: () => pool.end() };
}

function hasProfile<A extends { readonly profile: Account["profile"] | null }>(
  account: A,
): account is A & { profile: Account["profile"] } {
  return account.profile !== null;
}
