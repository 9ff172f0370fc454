/** By hand with `pg`: the code an expert writes. Related rows by statements of their own, one after the other. */
import pg from "pg";
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

export const openPgNamed = (settings: Settings): Subject => open(settings, true);
export const openPgUnnamed = (settings: Settings): Subject => open(settings, false);

const TASK = `id, project_id as "projectId", title, description, priority, status, due_at as "dueAt", created_at as "createdAt"`;
const FILM = `m.id, m.image, m.title, m.year, m.avg_rating as "avgRating"`;
const CREDIT = `p.id, p.full_name as "fullName", p.image`;

const SQL = {
  world: `select id, random_number as "randomNumber" from world where id = $1`,
  fortunes: "select id, message from fortune",
  worldUpdates: `update world set random_number = n.random_number
    from unnest($1::int[], $2::int[]) n (id, random_number) where world.id = n.id`,
  user: `select u.id, u.name, u.image, r.id as "reviewId", r.body, r.rating,
      r."movieId", r."movieImage", r.title, r."avgRating"
    from users u left join lateral (
      select r.id, r.body, r.rating, r.creation_time, m.id as "movieId", m.image as "movieImage", m.title,
        m.avg_rating as "avgRating"
      from reviews r join rated_movies m on m.id = r.movie_id
      where r.author_id = u.id order by r.creation_time desc limit 10) r on true
    where u.id = $1 order by r.creation_time desc`,
  person: `select id, full_name as "fullName", image, bio from people where id = $1`,
  actedIn: `select ${FILM} from actors a join rated_movies m on m.id = a.movie_id
    where a.person_id = $1 order by m.year, m.title`,
  directed: `select ${FILM} from directors d join rated_movies m on m.id = d.movie_id
    where d.person_id = $1 order by m.year, m.title`,
  movie: `select m.id, m.image, m.title, m.year, m.description, m.avg_rating as "avgRating"
    from rated_movies m where m.id = $1`,
  directors: `select ${CREDIT} from directors d join people p on p.id = d.person_id
    where d.movie_id = $1 order by d.list_order`,
  cast: `select ${CREDIT} from actors a join people p on p.id = a.person_id
    where a.movie_id = $1 order by a.list_order`,
  reviews: `select r.id, r.body, r.rating, u.id as "authorId", u.name, u.image
    from reviews r join users u on u.id = r.author_id where r.movie_id = $1 order by r.creation_time desc`,
  insertUser: "insert into users (name, image) values ($1, $2) returning id, name, image",
  updateMovie: "update movies set title = $2 where id = $1 returning id, title",
  accounts: `select a.id, a.email, a.full_name as "fullName", a.created_at as "createdAt",
      p.account_id as "accountId", p.avatar_url as "avatarUrl", p.bio, p.phone
    from accounts a join profiles p on p.account_id = a.id where a.id > $1 order by a.id limit 50`,
  projects: `select id, name, description, status, created_at as "createdAt"
    from projects where id > $1 order by id limit 20`,
  tasksOf: `select ${TASK} from tasks where project_id = any($1) order by id`,
  taskPage: `select ${TASK} from tasks
    where status = $1 and priority >= $2 and (created_at, id) < ($3, $4)
    order by created_at desc, id desc limit 20`,
  insertTask: `insert into new_tasks (project_id, title, description, priority, status, due_at)
    values ($1, $2, $3, $4, $5, $6)`,
  insertTasks: `insert into new_tasks (project_id, title, description, priority, status, due_at)
    select * from unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::text[], $6::timestamptz[])`,
  countTask: "update project_totals set task_count = task_count + 1 where project_id = $1",
  log: "insert into activity (project_id, action) values ($1, $2)",
  slow: "select pg_sleep(0.03)",
} as const;

type Statement = keyof typeof SQL;
interface Runs {
  query<R extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<R>>;
}

function open({ url, poolSize }: Settings, isNamed: boolean): Subject {
  const pool = new pg.Pool({ connectionString: url, max: poolSize, idleTimeoutMillis: 0 });
  async function rows<R extends pg.QueryResultRow>(
    statement: Statement,
    values: unknown[],
    on: Runs = pool,
  ): Promise<R[]> {
    const text = SQL[statement];
    const { rows } = await on.query<R>(isNamed ? { name: statement, text, values } : { text, values });
    return rows;
  }
  async function holding<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  }
  const inTransaction = <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> =>
    holding(async (client) => {
      try {
        await client.query("begin");
        const result = await work(client);
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback");
        throw error;
      }
    });

  const oneRow = async (id: number): Promise<World> => found((await rows<World>("world", [id]))[0]);
  const operations: Operations = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map(oneRow)),
    fortunes: async () => [...(await rows<Fortune>("fortunes", [])), EXTRA_FORTUNE].sort(byMessage),
    async updates(changes) {
      const worlds = await Promise.all(changes.map(({ id }) => oneRow(id)));
      const changed = worlds.map(({ id }, at) => ({ id, randomNumber: changes[at]?.randomNumber ?? 0 }));
      await rows("worldUpdates", [changed.map(({ id }) => id), changed.map((world) => world.randomNumber)]);
      return changed;
    },
    async getUser(id) {
      const flat = await rows<FlatUser>("user", [id]);
      const { name, image } = found(flat[0]);
      return { id, name, image, latestReviews: flat.filter(hasReview).map(toReview) };
    },
    getPerson: (id) =>
      holding(async (client) => ({
        ...found((await rows<Omit<PersonPage, "actedIn" | "directed">>("person", [id], client))[0]),
        actedIn: await rows<FilmOfPerson>("actedIn", [id], client),
        directed: await rows<FilmOfPerson>("directed", [id], client),
      })),
    getMovie: (id) =>
      holding(async (client) => ({
        ...found((await rows<Omit<MoviePage, "directors" | "cast" | "reviews">>("movie", [id], client))[0]),
        directors: await rows<Credit>("directors", [id], client),
        cast: await rows<Credit>("cast", [id], client),
        reviews: (await rows<FlatReview>("reviews", [id], client)).map(
          ({ authorId, name, image, ...review }) => ({ ...review, author: { id: authorId, name, image } }),
        ),
      })),
    insertUser: async ({ name, image }) => found((await rows<InsertedUser>("insertUser", [name, image]))[0]),
    updateMovie: async (id, title) =>
      found((await rows<{ id: number; title: string }>("updateMovie", [id, title]))[0]),
    async accountPage(afterId) {
      const flat = await rows<Omit<Account, "profile"> & Account["profile"]>("accounts", [afterId]);
      return flat.map(({ id, email, fullName, createdAt, ...profile }) => {
        return { id, email, fullName, createdAt, profile };
      });
    },
    async projectPage(afterId) {
      const projects = await rows<Omit<Project, "tasks">>("projects", [afterId]);
      const tasksOf = new Map<number, Task[]>(projects.map(({ id }) => [id, []]));
      for (const task of await rows<Task>("tasksOf", [[...tasksOf.keys()]])) {
        tasksOf.get(task.projectId)?.push(task);
      }
      return projects.map((project) => ({ ...project, tasks: tasksOf.get(project.id) ?? [] }));
    },
    taskPage: ({ status, minPriority, after }) =>
      rows<Task>("taskPage", [status, minPriority, after.createdAt, after.id]),
    async insertTasks(tasks) {
      await rows("insertTasks", columns(tasks));
    },
    assign: ({ task, action }) =>
      inTransaction(async (client) => {
        await rows("insertTask", valuesOf(task), client);
        await rows("countTask", [task.projectId], client);
        await rows("log", [task.projectId, action], client);
      }),
    async slow() {
      await rows("slow", []);
    },
  };
  return { operations, close: () => pool.end() };
}

type InsertedUser = { id: number; name: string; image: string };
type FlatReview = { id: number; body: string; rating: number; authorId: number; name: string; image: string };

interface FlatUser {
  readonly name: string;
  readonly image: string;
  readonly reviewId: number | null;
  readonly body: string;
  readonly rating: number;
  readonly movieId: number;
  readonly movieImage: string;
  readonly title: string;
  readonly avgRating: number | null;
}

const hasReview = (flat: FlatUser): flat is FlatUser & { reviewId: number } => flat.reviewId !== null;

function toReview(flat: FlatUser & { reviewId: number }): UserPage["latestReviews"][number] {
  const { reviewId, body, rating, movieId, movieImage, title, avgRating } = flat;
  return { id: reviewId, body, rating, movie: { id: movieId, image: movieImage, title, avgRating } };
}

function valuesOf({ projectId, title, description, priority, status, dueAt }: NewTask): unknown[] {
  return [projectId, title, description, priority, status, dueAt];
}

function columns(tasks: readonly NewTask[]): unknown[][] {
  const rows = tasks.map(valuesOf);
  return Array.from({ length: 6 }, (_, column) => rows.map((row) => row[column]));
}
