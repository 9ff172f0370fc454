/** Knex: its query builder on `pg`, one statement per table. */
import knex from "knex";
import {
  type Account,
  byMessage,
  type Credit,
  EXTRA_FORTUNE,
  type FilmOfPerson,
  type Fortune,
  found,
  type MoviePage,
  type NewTask,
  type Operations,
  type PersonPage,
  type Project,
  type Settings,
  type Subject,
  type Task,
  type UserPage,
  type World,
} from "../comparison/operations.ts";

const TASK = {
  id: "id",
  projectId: "project_id",
  title: "title",
  description: "description",
  priority: "priority",
  status: "status",
  dueAt: "due_at",
  createdAt: "created_at",
};
const FILM = { id: "m.id", image: "m.image", title: "m.title", year: "m.year", avgRating: "m.avg_rating" };
const CREDIT = { id: "p.id", fullName: "p.full_name", image: "p.image" };

export function openKnex({ url, poolSize }: Settings): Subject {
  const db = knex({
    client: "pg",
    connection: url,
    pool: { min: poolSize, max: poolSize },
  });
  const oneRow = async (id: number): Promise<World> =>
    found(
      await db("world").first<World | undefined>({ id: "id", randomNumber: "random_number" }).where({ id }),
    );
  const filmsOf = async (link: string, id: number): Promise<FilmOfPerson[]> =>
    await db(`${link} as l`)
      .join("rated_movies as m", "m.id", "l.movie_id")
      .select<FilmOfPerson[]>(FILM)
      .where("l.person_id", id)
      .orderBy(["m.year", "m.title"]);
  const creditsOf = async (link: string, id: number): Promise<Credit[]> =>
    await db(`${link} as l`)
      .join("people as p", "p.id", "l.person_id")
      .select<Credit[]>(CREDIT)
      .where("l.movie_id", id)
      .orderBy("l.list_order");
  const operations: Operations = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map(oneRow)),
    fortunes: async () =>
      [...(await db("fortune").select<Fortune[]>("id", "message")), EXTRA_FORTUNE].sort(byMessage),
    async updates(changes) {
      const worlds = await Promise.all(changes.map(({ id }) => oneRow(id)));
      const changed = worlds.map(({ id }, at) => ({ id, randomNumber: changes[at]?.randomNumber ?? 0 }));
      // Its documents know no update of many rows with different values.
      await db.transaction(async (tx) => {
        for (const { id, randomNumber } of changed) {
          await tx("world").where({ id }).update({ random_number: randomNumber });
        }
      });
      return changed;
    },
    async getUser(id) {
      const [user, reviews] = await Promise.all([
        db("users").first<{ id: number; name: string; image: string }>("id", "name", "image").where({ id }),
        db("reviews as r")
          .join("rated_movies as m", "m.id", "r.movie_id")
          .select<FlatReview[]>({
            id: "r.id",
            body: "r.body",
            rating: "r.rating",
            movieId: "m.id",
            image: "m.image",
            title: "m.title",
            avgRating: "m.avg_rating",
          })
          .where("r.author_id", id)
          .orderBy("r.creation_time", "desc")
          .limit(10),
      ]);
      const latestReviews = reviews.map(({ id, body, rating, movieId, ...movie }) => {
        return { id, body, rating, movie: { id: movieId, ...movie } };
      });
      return { ...found(user), latestReviews };
    },
    async getPerson(id) {
      const [person, actedIn, directed] = await Promise.all([
        db("people as p")
          .first<Omit<PersonPage, "actedIn" | "directed">>({ ...CREDIT, bio: "p.bio" })
          .where("p.id", id),
        filmsOf("actors", id),
        filmsOf("directors", id),
      ]);
      return { ...found(person), actedIn, directed };
    },
    async getMovie(id) {
      const [movie, directors, cast, reviews] = await Promise.all([
        db("rated_movies as m")
          .first<Omit<MoviePage, "directors" | "cast" | "reviews">>({
            ...FILM,
            description: "m.description",
          })
          .where("m.id", id),
        creditsOf("directors", id),
        creditsOf("actors", id),
        db("reviews as r")
          .join("users as u", "u.id", "r.author_id")
          .select<FlatOpinion[]>({
            id: "r.id",
            body: "r.body",
            rating: "r.rating",
            authorId: "u.id",
            name: "u.name",
            image: "u.image",
          })
          .where("r.movie_id", id)
          .orderBy("r.creation_time", "desc"),
      ]);
      return {
        ...found(movie),
        directors,
        cast,
        reviews: reviews.map(({ authorId, name, image, ...review }) => {
          return { ...review, author: { id: authorId, name, image } };
        }),
      };
    },
    insertUser: async (user) => found((await db("users").insert(user, ["id", "name", "image"]))[0]),
    updateMovie: async (id, title) =>
      found((await db("movies").where({ id }).update({ title }, ["id", "title"]))[0]),
    async accountPage(afterId) {
      const flat = await db("accounts as a")
        .join("profiles as p", "p.account_id", "a.id")
        .select<(Omit<Account, "profile"> & Account["profile"])[]>({
          id: "a.id",
          email: "a.email",
          fullName: "a.full_name",
          createdAt: "a.created_at",
          accountId: "p.account_id",
          avatarUrl: "p.avatar_url",
          bio: "p.bio",
          phone: "p.phone",
        })
        .where("a.id", ">", afterId)
        .orderBy("a.id")
        .limit(50);
      return flat.map(({ id, email, fullName, createdAt, ...profile }) => {
        return { id, email, fullName, createdAt, profile };
      });
    },
    async projectPage(afterId) {
      const projects = await db("projects")
        .select<Omit<Project, "tasks">[]>("id", "name", "description", "status", { createdAt: "created_at" })
        .where("id", ">", afterId)
        .orderBy("id")
        .limit(20);
      const tasksOf = new Map<number, Task[]>(projects.map(({ id }) => [id, []]));
      const tasks = await db("tasks")
        .select<Task[]>(TASK)
        .whereIn("project_id", [...tasksOf.keys()])
        .orderBy("id");
      for (const task of tasks) tasksOf.get(task.projectId)?.push(task);
      return projects.map((project) => ({ ...project, tasks: tasksOf.get(project.id) ?? [] }));
    },
    taskPage: async ({ status, minPriority, after }) =>
      await db("tasks")
        .select<Task[]>(TASK)
        .where({ status })
        .where("priority", ">=", minPriority)
        .whereRaw("(created_at, id) < (?, ?)", [after.createdAt, after.id])
        .orderBy([
          { column: "created_at", order: "desc" },
          { column: "id", order: "desc" },
        ])
        .limit(20),
    async insertTasks(tasks) {
      await db("new_tasks").insert(tasks.map(toRow));
    },
    assign: ({ task, action }) =>
      db.transaction(async (tx) => {
        await tx("new_tasks").insert(toRow(task));
        await tx("project_totals").where({ project_id: task.projectId }).increment("task_count");
        await tx("activity").insert({ project_id: task.projectId, action });
      }),
    async slow() {
      await db.raw("select pg_sleep(0.03)");
    },
  };
  return { operations, close: () => db.destroy() };
}

function toRow({ projectId, dueAt, ...task }: NewTask) {
  return { ...task, project_id: projectId, due_at: dueAt };
}

type FlatReview = Omit<UserPage["latestReviews"][number], "movie"> & {
  readonly movieId: number;
  readonly image: string;
  readonly title: string;
  readonly avgRating: number | null;
};

interface FlatOpinion {
  readonly id: number;
  readonly body: string;
  readonly rating: number;
  readonly authorId: number;
  readonly name: string;
  readonly image: string;
}
