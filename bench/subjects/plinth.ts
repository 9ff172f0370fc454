/** Plinth: its repositories, and nothing below them. */
import { createDatabase } from "plinth";
import {
  byMessage,
  EXTRA_FORTUNE,
  found,
  type Operations,
  type Settings,
  type Subject,
  type TaskQuery,
  type World,
} from "../comparison/operations.ts";
import * as schema from "./plinth-schema.ts";

const FILM = ["id", "image", "title", "year", "avgRating"] as const;
const CREDIT = ["id", "fullName", "image"] as const;

export async function openPlinth({ url, poolSize }: Settings): Promise<Subject> {
  const db = await createDatabase({ schema, url, pool: { max: poolSize } });
  // An application has transactions. From the first on Node watches every promise, and all that follows costs a little more.
  await db.transaction(() => db.sql`select 1`);
  const on = {
    world: db.repository(schema.world),
    fortune: db.repository(schema.fortune),
    users: db.repository(schema.users),
    people: db.repository(schema.people),
    movies: db.repository(schema.movies),
    ratedMovies: db.repository(schema.ratedMovies),
    accounts: db.repository(schema.accounts),
    projects: db.repository(schema.projects),
    projectTotals: db.repository(schema.projectTotals),
    tasks: db.repository(schema.tasks),
    newTasks: db.repository(schema.newTasks),
    activity: db.repository(schema.activity),
  };

  /** Where a page begins is known to the page before it alone: walked to once, then kept as a client keeps it. */
  const cursors = new Map<string, string>();
  const taskPageAfter = (status: string, minPriority: number, after: string | null) =>
    on.tasks.list({
      where: { status, priority: { gte: minPriority } },
      sort: ["-createdAt", "-id"],
      limit: 20,
      after,
    });
  async function walk({ status, minPriority, page }: TaskQuery): Promise<string> {
    let cursor: string | null = null;
    for (let at = 0; at < page; at++) {
      cursor = (await taskPageAfter(status, minPriority, cursor)).meta.nextCursor;
    }
    return found(cursor);
  }

  const oneRow = async (id: number): Promise<World> => on.world.get(id);
  const operations: Operations = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map((id) => on.world.get(id))),
    fortunes: async () =>
      [...(await on.fortune.list({ limit: 100, after: null })).data, EXTRA_FORTUNE].sort(byMessage),
    async updates(changes) {
      const worlds = await Promise.all(changes.map(({ id }) => on.world.get(id)));
      const changed = worlds.map(({ id }, at) => ({ id, randomNumber: changes[at]?.randomNumber ?? 0 }));
      await on.world.updateEach(
        changed.map(({ id, randomNumber }) => ({ key: id, patch: { randomNumber } })),
      );
      return changed;
    },
    async getUser(id) {
      const { name, image, reviews } = await on.users.get(id, {
        with: {
          reviews: {
            columns: ["id", "body", "rating"],
            with: { movie: { columns: ["id", "image", "title", "avgRating"] } },
            sort: "-creationTime",
            limit: 10,
          },
        },
      });
      return { id, name, image, latestReviews: reviews };
    },
    getPerson: async (id) =>
      on.people.get(id, {
        with: {
          actedIn: { columns: FILM, sort: ["year", "title"] },
          directed: { columns: FILM, sort: ["year", "title"] },
        },
      }),
    getMovie: async (id) =>
      on.ratedMovies.get(id, {
        with: {
          directors: { columns: CREDIT, sort: "link.listOrder" },
          cast: { columns: CREDIT, sort: "link.listOrder" },
          reviews: { columns: ["id", "body", "rating"], with: { author: true }, sort: "-creationTime" },
        },
      }),
    insertUser: async (user) => on.users.create(user),
    updateMovie: async (id, title) => on.movies.update(id, { title }),
    async accountPage(afterId) {
      const { data } = await on.accounts.list({
        where: { id: { gt: afterId } },
        with: { profile: true },
        sort: "id",
        limit: 50,
        after: null,
      });
      if (!data.every(hasProfile)) throw new Error("an account has no profile");
      return data;
    },
    projectPage: async (afterId) =>
      (
        await on.projects.list({
          where: { id: { gt: afterId } },
          with: { tasks: { sort: "id" } },
          sort: "id",
          limit: 20,
          after: null,
        })
      ).data,
    async taskPage(query) {
      const place = `${query.status}/${query.minPriority}/${query.page}`;
      const cursor = cursors.get(place) ?? (await walk(query));
      cursors.set(place, cursor);
      return (await taskPageAfter(query.status, query.minPriority, cursor)).data;
    },
    async insertTasks(tasks) {
      await on.newTasks.createMany(tasks, { returning: false });
    },
    async assign({ task, action }) {
      const { projectId } = task;
      await db.batch([
        on.newTasks.create(task, { returning: false }),
        on.projectTotals.increment(projectId, { taskCount: 1 }, { returning: false }),
        on.activity.create({ projectId, action }, { returning: false }),
      ]);
    },
    async slow() {
      await db.sql`select pg_sleep(0.03)::text`;
    },
  };
  return { operations, close: () => db.close() };
}

/** The relation is declared as one that may be missing. */
function hasProfile<A extends { readonly profile: unknown }>(
  account: A,
): account is A & { readonly profile: NonNullable<A["profile"]> } {
  return account.profile !== null;
}
