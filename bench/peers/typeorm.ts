/** TypeORM: repositories over entity schemas. */
import {
  DataSource,
  EntitySchema,
  type EntitySchemaColumnOptions,
  LessThan,
  MoreThan,
  MoreThanOrEqual,
} from "typeorm";
import {
  type Account,
  byMessage,
  type Credit,
  EXTRA_FORTUNE,
  type FilmOfPerson,
  type Fortune,
  type NewUser,
  type Operations,
  type Project,
  type Settings,
  type Subject,
  type Task,
  type World,
} from "../comparison/operations.ts";

interface Link {
  readonly movieId: number;
  readonly personId: number;
  readonly listOrder: number;
  readonly movie: RatedMovie;
  readonly person: Person;
}
interface Person extends Credit {
  readonly bio: string;
  readonly actedIn: Link[];
  readonly directed: Link[];
}
interface RatedMovie extends FilmOfPerson {
  readonly description: string;
  readonly directors: Link[];
  readonly cast: Link[];
  readonly reviews: Review[];
}
interface User extends NewUser {
  readonly id: number;
}
interface Review {
  readonly id: number;
  readonly body: string;
  readonly rating: number;
  readonly creationTime: Date;
  readonly authorId: number;
  readonly movieId: number;
  readonly author: User;
  readonly movie: RatedMovie;
}

interface ProjectWithTasks extends Omit<Project, "tasks"> {
  // Its types know a list of related rows by its being mutable.
  readonly tasks: Task[];
}

const key: EntitySchemaColumnOptions = { type: "int", primary: true, generated: true };
const integer = (name?: string): EntitySchemaColumnOptions => ({ type: "int", ...(name && { name }) });
const string = (name?: string): EntitySchemaColumnOptions => ({ type: "text", ...(name && { name }) });
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => {
  return { ...column, nullable: true };
};
const instant = (name: string): EntitySchemaColumnOptions => ({ type: "timestamptz", name });

const Worlds = new EntitySchema<World>({
  name: "world",
  columns: { id: key, randomNumber: integer("random_number") },
});
const Fortunes = new EntitySchema<Fortune>({ name: "fortune", columns: { id: key, message: string() } });
const Users = new EntitySchema<User>({
  name: "users",
  columns: { id: key, name: string(), image: string() },
});
const People = new EntitySchema<Person>({
  name: "people",
  columns: { id: key, fullName: string("full_name"), image: string(), bio: string() },
  relations: {
    actedIn: { type: "one-to-many", target: "actors", inverseSide: "person" },
    directed: { type: "one-to-many", target: "directors", inverseSide: "person" },
  },
});
const Movies = new EntitySchema<{ id: number; title: string }>({
  name: "movies",
  columns: { id: key, title: string() },
});
const RatedMovies = new EntitySchema<RatedMovie>({
  name: "rated_movies",
  columns: {
    id: key,
    title: string(),
    image: string(),
    year: integer(),
    description: string(),
    avgRating: { type: "float8", name: "avg_rating", nullable: true },
  },
  relations: {
    directors: { type: "one-to-many", target: "directors", inverseSide: "movie" },
    cast: { type: "one-to-many", target: "actors", inverseSide: "movie" },
    reviews: { type: "one-to-many", target: "reviews", inverseSide: "movie" },
  },
});
const linkOf = (name: string, ofMovie: string, ofPerson: string) =>
  new EntitySchema<Link>({
    name,
    columns: {
      movieId: { ...integer("movie_id"), primary: true },
      personId: { ...integer("person_id"), primary: true },
      listOrder: integer("list_order"),
    },
    relations: {
      movie: {
        type: "many-to-one",
        target: "rated_movies",
        inverseSide: ofMovie,
        joinColumn: { name: "movie_id" },
      },
      person: {
        type: "many-to-one",
        target: "people",
        inverseSide: ofPerson,
        joinColumn: { name: "person_id" },
      },
    },
  });
const Directors = linkOf("directors", "directors", "directed");
const Actors = linkOf("actors", "cast", "actedIn");
const Reviews = new EntitySchema<Review>({
  name: "reviews",
  columns: {
    id: key,
    body: string(),
    rating: integer(),
    creationTime: instant("creation_time"),
    authorId: integer("author_id"),
    movieId: integer("movie_id"),
  },
  relations: {
    author: { type: "many-to-one", target: "users", joinColumn: { name: "author_id" } },
    movie: {
      type: "many-to-one",
      target: "rated_movies",
      inverseSide: "reviews",
      joinColumn: { name: "movie_id" },
    },
  },
});
const Accounts = new EntitySchema<Account>({
  name: "accounts",
  columns: {
    id: key,
    email: string(),
    fullName: string("full_name"),
    createdAt: instant("created_at"),
  },
  relations: { profile: { type: "one-to-one", target: "profiles", inverseSide: "account" } },
});
const Profiles = new EntitySchema<Account["profile"] & { account: Account }>({
  name: "profiles",
  columns: {
    accountId: { ...integer("account_id"), primary: true },
    avatarUrl: string("avatar_url"),
    bio: optional(string()),
    phone: optional(string()),
  },
  relations: {
    account: {
      type: "one-to-one",
      target: "accounts",
      inverseSide: "profile",
      joinColumn: { name: "account_id" },
    },
  },
});
const Projects = new EntitySchema<ProjectWithTasks>({
  name: "projects",
  columns: {
    id: key,
    name: string(),
    description: optional(string()),
    status: string(),
    createdAt: instant("created_at"),
  },
  relations: { tasks: { type: "one-to-many", target: "tasks", inverseSide: "project" } },
});
const ProjectTotals = new EntitySchema<{ projectId: number; taskCount: number }>({
  name: "project_totals",
  columns: { projectId: { ...integer("project_id"), primary: true }, taskCount: integer("task_count") },
});
const taskColumns = {
  id: key,
  projectId: integer("project_id"),
  title: string(),
  description: optional(string()),
  priority: integer(),
  status: string(),
  dueAt: optional(instant("due_at")),
  createdAt: { ...instant("created_at"), createDate: true },
};
const Tasks = new EntitySchema<Task & { project: ProjectWithTasks }>({
  name: "tasks",
  columns: taskColumns,
  relations: {
    project: {
      type: "many-to-one",
      target: "projects",
      inverseSide: "tasks",
      joinColumn: { name: "project_id" },
    },
  },
});
const NewTasks = new EntitySchema<Task>({ name: "new_tasks", columns: taskColumns });
const Activities = new EntitySchema<{ id: number; projectId: number; action: string }>({
  name: "activity",
  columns: { id: key, projectId: integer("project_id"), action: string() },
});

const FILM = { id: true, image: true, title: true, year: true, avgRating: true } as const;
const CREDIT = { id: true, fullName: true, image: true } as const;

export async function openTypeorm({ url, poolSize }: Settings): Promise<Subject> {
  const source = new DataSource({
    type: "postgres",
    url,
    poolSize,
    extra: { idleTimeoutMillis: 0 },
    entities: [
      Worlds,
      Fortunes,
      Users,
      People,
      Movies,
      RatedMovies,
      Directors,
      Actors,
      Reviews,
      Accounts,
      Profiles,
      Projects,
      ProjectTotals,
      Tasks,
      NewTasks,
      Activities,
    ],
  });
  await source.initialize();
  const worlds = source.getRepository(Worlds);
  const oneRow = (id: number): Promise<World> => worlds.findOneByOrFail({ id });
  const operations: Operations = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map(oneRow)),
    fortunes: async () => [...(await source.getRepository(Fortunes).find()), EXTRA_FORTUNE].sort(byMessage),
    async updates(changes) {
      const read = await Promise.all(changes.map(({ id }) => oneRow(id)));
      const changed = read.map(({ id }, at) => ({ id, randomNumber: changes[at]?.randomNumber ?? 0 }));
      await worlds.save(changed);
      return changed;
    },
    async getUser(id) {
      // Its `find` cannot limit a nested list.
      const [user, reviews] = await Promise.all([
        source.getRepository(Users).findOneByOrFail({ id }),
        source.getRepository(Reviews).find({
          select: {
            id: true,
            body: true,
            rating: true,
            creationTime: true,
            movie: { id: true, image: true, title: true, avgRating: true },
          },
          where: { authorId: id },
          relations: { movie: true },
          order: { creationTime: "DESC" },
          take: 10,
        }),
      ]);
      return {
        ...user,
        latestReviews: reviews.map(({ id, body, rating, movie }) => ({ id, body, rating, movie })),
      };
    },
    async getPerson(id) {
      const { actedIn, directed, ...person } = await source.getRepository(People).findOneOrFail({
        where: { id },
        select: {
          ...CREDIT,
          bio: true,
          actedIn: { movieId: true, personId: true, movie: FILM },
          directed: { movieId: true, personId: true, movie: FILM },
        },
        relations: { actedIn: { movie: true }, directed: { movie: true } },
        order: {
          actedIn: { movie: { year: "ASC", title: "ASC" } },
          directed: { movie: { year: "ASC", title: "ASC" } },
        },
      });
      return {
        ...person,
        actedIn: actedIn.map(({ movie }) => movie),
        directed: directed.map(({ movie }) => movie),
      };
    },
    async getMovie(id) {
      // Three lists joined at once would be their product: its documents name the query strategy for that.
      const { directors, cast, reviews, ...movie } = await source.getRepository(RatedMovies).findOneOrFail({
        where: { id },
        relations: {
          directors: { person: true },
          cast: { person: true },
          reviews: { author: true },
        },
        relationLoadStrategy: "query",
      });
      const inOrder = (links: readonly Link[]): Credit[] =>
        [...links]
          .sort((a, b) => a.listOrder - b.listOrder)
          .map(({ person: { id, fullName, image } }) => ({ id, fullName, image }));
      return {
        ...movie,
        directors: inOrder(directors),
        cast: inOrder(cast),
        reviews: [...reviews]
          .sort((a, b) => b.creationTime.getTime() - a.creationTime.getTime())
          .map(({ id, body, rating, author }) => ({ id, body, rating, author })),
      };
    },
    async insertUser(user) {
      const { identifiers } = await source.getRepository(Users).insert(user);
      return { id: Number(identifiers[0]?.id), ...user };
    },
    async updateMovie(id, title) {
      await source.getRepository(Movies).update(id, { title });
      return { id, title };
    },
    accountPage: (afterId) =>
      source.getRepository(Accounts).find({
        where: { id: MoreThan(afterId) },
        relations: { profile: true },
        order: { id: "ASC" },
        take: 50,
      }),
    async projectPage(afterId) {
      // With `take`, an order of the nested rows would count them against it.
      const projects = await source.getRepository(Projects).find({
        where: { id: MoreThan(afterId) },
        relations: { tasks: true },
        relationLoadStrategy: "query",
        order: { id: "ASC" },
        take: 20,
      });
      for (const { tasks } of projects) tasks.sort((a, b) => a.id - b.id);
      return projects;
    },
    taskPage({ status, minPriority, after: { createdAt, id } }) {
      const wanted = { status, priority: MoreThanOrEqual(minPriority) };
      return source.getRepository(Tasks).find({
        where: [
          { ...wanted, createdAt: LessThan(createdAt) },
          { ...wanted, createdAt, id: LessThan(id) },
        ],
        order: { createdAt: "DESC", id: "DESC" },
        take: 20,
      });
    },
    async insertTasks(tasks) {
      await source.getRepository(NewTasks).insert([...tasks]);
    },
    assign: ({ task, action }) =>
      source.transaction(async (manager) => {
        const { projectId } = task;
        await manager.insert(NewTasks, task);
        await manager.increment(ProjectTotals, { projectId }, "taskCount", 1);
        await manager.insert(Activities, { projectId, action });
      }),
    async slow() {
      await source.query("select pg_sleep(0.03)");
    },
  };
  return { operations, close: () => source.destroy() };
}
