/** postgres.js: tagged templates, which it prepares and pipelines by itself. */
import postgres from "postgres";
import {
  type Account,
  byMessage,
  type Credit,
  EXTRA_FORTUNE,
  type FilmOfPerson,
  type Fortune,
  found,
  type MoviePage,
  type Operations,
  type PersonPage,
  type Project,
  type Settings,
  type Subject,
  type Task,
  type UserPage,
  type World,
} from "../comparison/operations.ts";

type Review = UserPage["latestReviews"][number];

export function openPostgresJs({ url, poolSize }: Settings): Subject {
  const sql = postgres(url, { max: poolSize, transform: postgres.camel });
  const film = sql`m.id, m.image, m.title, m.year, m.avg_rating`;
  const task = sql`id, project_id, title, description, priority, status, due_at, created_at`;
  const oneRow = async (id: number): Promise<World> =>
    found((await sql<World[]>`select id, random_number from world where id = ${id}`)[0]);
  const operations: Operations = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map(oneRow)),
    fortunes: async () =>
      [...(await sql<Fortune[]>`select id, message from fortune`), EXTRA_FORTUNE].sort(byMessage),
    async updates(changes) {
      const worlds = await Promise.all(changes.map(({ id }) => oneRow(id)));
      const changed = worlds.map(({ id }, at) => ({ id, randomNumber: changes[at]?.randomNumber ?? 0 }));
      const numbers = changed.map(({ randomNumber }) => randomNumber);
      await sql`update world set random_number = n.random_number
        from unnest(${changed.map(({ id }) => id)}::int[], ${numbers}::int[]) n (id, random_number)
        where world.id = n.id`;
      return changed;
    },
    async getUser(id) {
      const flat = await sql<(Omit<Review, "movie"> & FlatMovie & { name: string; userImage: string })[]>`
        select u.name, u.image as user_image, r.*
        from users u left join lateral (
          select r.id, r.body, r.rating, r.creation_time, m.id as movie_id, m.image, m.title, m.avg_rating
          from reviews r join rated_movies m on m.id = r.movie_id
          where r.author_id = u.id order by r.creation_time desc limit 10) r on true
        where u.id = ${id} order by r.creation_time desc`;
      const { name, userImage } = found(flat[0]);
      const latestReviews = flat
        .filter((row) => row.id !== null)
        .map(({ id, body, rating, movieId, image, title, avgRating }) => {
          return { id, body, rating, movie: { id: movieId, image, title, avgRating } };
        });
      return { id, name, image: userImage, latestReviews };
    },
    async getPerson(id) {
      // Independent statements are meant to be sent at once.
      const [persons, actedIn, directed] = await Promise.all([
        sql<Omit<PersonPage, "actedIn" | "directed">[]>`
          select id, full_name, image, bio from people where id = ${id}`,
        sql<FilmOfPerson[]>`select ${film} from actors a join rated_movies m on m.id = a.movie_id
          where a.person_id = ${id} order by m.year, m.title`,
        sql<FilmOfPerson[]>`select ${film} from directors d join rated_movies m on m.id = d.movie_id
          where d.person_id = ${id} order by m.year, m.title`,
      ]);
      return { ...found(persons[0]), actedIn, directed };
    },
    async getMovie(id) {
      const [movies, directors, cast, reviews] = await Promise.all([
        sql<Omit<MoviePage, "directors" | "cast" | "reviews">[]>`
          select id, image, title, year, description, avg_rating from rated_movies where id = ${id}`,
        sql<Credit[]>`select p.id, p.full_name, p.image from directors d join people p on p.id = d.person_id
          where d.movie_id = ${id} order by d.list_order`,
        sql<Credit[]>`select p.id, p.full_name, p.image from actors a join people p on p.id = a.person_id
          where a.movie_id = ${id} order by a.list_order`,
        sql<FlatReview[]>`select r.id, r.body, r.rating, u.id as author_id, u.name, u.image
          from reviews r join users u on u.id = r.author_id
          where r.movie_id = ${id} order by r.creation_time desc`,
      ]);
      return {
        ...found(movies[0]),
        directors,
        cast,
        reviews: reviews.map(({ authorId, name, image, ...review }) => {
          return { ...review, author: { id: authorId, name, image } };
        }),
      };
    },
    insertUser: async ({ name, image }) =>
      found(
        (
          await sql<{ id: number; name: string; image: string }[]>`
            insert into users (name, image) values (${name}, ${image}) returning id, name, image`
        )[0],
      ),
    updateMovie: async (id, title) =>
      found(
        (
          await sql<{ id: number; title: string }[]>`
            update movies set title = ${title} where id = ${id} returning id, title`
        )[0],
      ),
    async accountPage(afterId) {
      const flat = await sql<(Omit<Account, "profile"> & Account["profile"])[]>`
        select a.id, a.email, a.full_name, a.created_at, p.account_id, p.avatar_url, p.bio, p.phone
        from accounts a join profiles p on p.account_id = a.id where a.id > ${afterId} order by a.id limit 50`;
      return flat.map(({ id, email, fullName, createdAt, ...profile }) => {
        return { id, email, fullName, createdAt, profile };
      });
    },
    async projectPage(afterId) {
      const projects = await sql<Omit<Project, "tasks">[]>`
        select id, name, description, status, created_at from projects
        where id > ${afterId} order by id limit 20`;
      const tasksOf = new Map<number, Task[]>(projects.map(({ id }) => [id, []]));
      const tasks = await sql<Task[]>`
        select ${task} from tasks where project_id = any(${[...tasksOf.keys()]}::int[]) order by id`;
      for (const one of tasks) tasksOf.get(one.projectId)?.push(one);
      return projects.map((project) => ({ ...project, tasks: tasksOf.get(project.id) ?? [] }));
    },
    taskPage: ({ status, minPriority, after }) => sql<Task[]>`
      select ${task} from tasks
      where status = ${status} and priority >= ${minPriority}
        and (created_at, id) < (${after.createdAt}, ${after.id})
      order by created_at desc, id desc limit 20`,
    async insertTasks(tasks) {
      const rows = tasks.map(({ projectId, title, description, priority, status, dueAt }) => {
        return { project_id: projectId, title, description, priority, status, due_at: dueAt };
      });
      await sql`insert into new_tasks ${sql(rows)}`;
    },
    async assign({ task: { projectId, title, description, priority, status, dueAt }, action }) {
      await sql.begin((tx) => [
        tx`insert into new_tasks (project_id, title, description, priority, status, due_at)
          values (${projectId}, ${title}, ${description}, ${priority}, ${status}, ${dueAt})`,
        tx`update project_totals set task_count = task_count + 1 where project_id = ${projectId}`,
        tx`insert into activity (project_id, action) values (${projectId}, ${action})`,
      ]);
    },
    async slow() {
      await sql`select pg_sleep(0.03)`;
    },
  };
  return { operations, close: () => sql.end() };
}

interface FlatMovie {
  readonly movieId: number;
  readonly image: string;
  readonly title: string;
  readonly avgRating: number | null;
}

type FlatReview = { id: number; body: string; rating: number; authorId: number; name: string; image: string };
