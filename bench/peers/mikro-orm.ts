/** MikroORM 6: a forked entity manager per call, as its documents ask of every request. */
import { type Collection, EntitySchema, MikroORM, OptionalProps, raw } from "@mikro-orm/postgresql";
import {
  byMessage,
  byYearAndTitle,
  type Credit,
  EXTRA_FORTUNE,
  type FilmOfPerson,
  type Fortune,
  type NewTask,
  type NewUser,
  type Operations,
  type Project,
  type Settings,
  type Subject,
  type Task,
  type World,
} from "../comparison/operations.ts";

interface Link {
  movie: RatedMovie;
  person: Person;
  listOrder: number;
}
interface Person extends Credit {
  bio: string;
  actedIn: Collection<Link>;
  directed: Collection<Link>;
}
interface RatedMovie extends FilmOfPerson {
  description: string;
  directors: Collection<Link>;
  cast: Collection<Link>;
  reviews: Collection<Review>;
}
interface User extends NewUser {
  id: number;
}
interface Review {
  id: number;
  body: string;
  rating: number;
  creationTime: Date;
  author: User;
  movie: RatedMovie;
}
interface Account {
  id: number;
  email: string;
  fullName: string;
  createdAt: Date;
  profile: Profile;
}
interface Profile {
  account: Account;
  avatarUrl: string;
  bio: string | null;
  phone: string | null;
}
interface ProjectWithTasks extends Omit<Project, "tasks"> {
  tasks: Collection<TaskOfProject>;
}
interface TaskOfProject extends Omit<Task, "projectId"> {
  project: ProjectWithTasks;
}
interface NewTaskRow extends NewTask {
  id: number;
  createdAt: Date;
  [OptionalProps]?: "createdAt";
}
interface ProjectTotal {
  projectId: number;
  taskCount: number;
}
interface Activity {
  id: number;
  projectId: number;
  action: string;
}

const key = { type: "integer", primary: true, autoincrement: true } as const;
const integer = { type: "integer" } as const;
const text = { type: "text" } as const;
const instant = { type: "Date", columnType: "timestamptz" } as const;
const optional = { nullable: true } as const;

const Worlds = new EntitySchema<World>({
  name: "World",
  tableName: "world",
  properties: { id: key, randomNumber: integer },
});
const Fortunes = new EntitySchema<Fortune>({
  name: "Fortune",
  tableName: "fortune",
  properties: { id: key, message: text },
});
const Users = new EntitySchema<User>({
  name: "User",
  tableName: "users",
  properties: { id: key, name: text, image: text },
});
const People = new EntitySchema<Person>({
  name: "Person",
  tableName: "people",
  properties: {
    id: key,
    fullName: text,
    image: text,
    bio: text,
    actedIn: { kind: "1:m", entity: "Actor", mappedBy: "person" },
    directed: { kind: "1:m", entity: "Director", mappedBy: "person" },
  },
});
const Movies = new EntitySchema<{ id: number; title: string }>({
  name: "Movie",
  tableName: "movies",
  properties: { id: key, title: text },
});
const RatedMovies = new EntitySchema<RatedMovie>({
  name: "RatedMovie",
  tableName: "rated_movies",
  properties: {
    id: key,
    title: text,
    image: text,
    year: integer,
    description: text,
    avgRating: { type: "double", ...optional },
    directors: { kind: "1:m", entity: "Director", mappedBy: "movie" },
    cast: { kind: "1:m", entity: "Actor", mappedBy: "movie" },
    reviews: { kind: "1:m", entity: "Review", mappedBy: "movie" },
  },
});
const linkOf = (name: string, tableName: string): EntitySchema<Link> =>
  new EntitySchema<Link>({
    name,
    tableName,
    properties: {
      movie: { kind: "m:1", entity: "RatedMovie", primary: true },
      person: { kind: "m:1", entity: "Person", primary: true },
      listOrder: integer,
    },
  });
const Directors = linkOf("Director", "directors");
const Actors = linkOf("Actor", "actors");
const Reviews = new EntitySchema<Review>({
  name: "Review",
  tableName: "reviews",
  properties: {
    id: key,
    body: text,
    rating: integer,
    creationTime: instant,
    author: { kind: "m:1", entity: "User" },
    movie: { kind: "m:1", entity: "RatedMovie" },
  },
});
const Accounts = new EntitySchema<Account>({
  name: "Account",
  tableName: "accounts",
  properties: {
    id: key,
    email: text,
    fullName: text,
    createdAt: instant,
    profile: { kind: "1:1", entity: "Profile", mappedBy: "account" },
  },
});
const Profiles = new EntitySchema<Profile>({
  name: "Profile",
  tableName: "profiles",
  properties: {
    account: { kind: "1:1", entity: "Account", primary: true, inversedBy: "profile" },
    avatarUrl: text,
    bio: { ...text, ...optional },
    phone: { ...text, ...optional },
  },
});
const Projects = new EntitySchema<ProjectWithTasks>({
  name: "Project",
  tableName: "projects",
  properties: {
    id: key,
    name: text,
    description: { ...text, ...optional },
    status: text,
    createdAt: instant,
    tasks: { kind: "1:m", entity: "Task", mappedBy: "project", orderBy: { id: "asc" } },
  },
});
const taskProperties = {
  id: key,
  title: text,
  description: { ...text, ...optional },
  priority: integer,
  status: text,
  dueAt: { ...instant, ...optional },
  createdAt: { ...instant, defaultRaw: "now()" },
};
const Tasks = new EntitySchema<TaskOfProject>({
  name: "Task",
  tableName: "tasks",
  properties: { ...taskProperties, project: { kind: "m:1", entity: "Project" } },
});
const NewTasks = new EntitySchema<NewTaskRow>({
  name: "NewTask",
  tableName: "new_tasks",
  properties: { ...taskProperties, projectId: integer },
});
const ProjectTotals = new EntitySchema<ProjectTotal>({
  name: "ProjectTotal",
  tableName: "project_totals",
  properties: { projectId: { ...integer, primary: true }, taskCount: integer },
});
const Activities = new EntitySchema<Activity>({
  name: "Activity",
  tableName: "activity",
  properties: { id: key, projectId: integer, action: text },
});

export async function openMikroOrm({ url, poolSize }: Settings): Promise<Subject> {
  const orm = await MikroORM.init({
    clientUrl: url,
    dbName: "postgres",
    pool: { min: poolSize, max: poolSize },
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
      Tasks,
      NewTasks,
      ProjectTotals,
      Activities,
    ],
  });
  const worldOf = async (id: number): Promise<World> => plainWorld(await fork().findOneOrFail(Worlds, id));
  const fork = () => orm.em.fork();
  const operations: Operations = {
    oneRow: worldOf,
    manyReads: (ids) => Promise.all(ids.map(worldOf)),
    fortunes: async () =>
      [...(await fork().findAll(Fortunes)).map(({ id, message }) => ({ id, message })), EXTRA_FORTUNE].sort(
        byMessage,
      ),
    async updates(changes) {
      const em = fork();
      const worlds = await Promise.all(changes.map(({ id }) => em.findOneOrFail(Worlds, id)));
      for (const [at, world] of worlds.entries()) {
        em.assign(world, { randomNumber: changes[at]?.randomNumber ?? 0 });
      }
      await em.flush();
      return worlds.map(plainWorld);
    },
    async getUser(id) {
      const em = fork();
      const { name, image } = await em.findOneOrFail(Users, id);
      const reviews = await em.find(
        Reviews,
        { author: id },
        { populate: ["movie"], orderBy: { creationTime: "desc" }, limit: 10 },
      );
      const latestReviews = reviews.map(({ id, body, rating, movie }) => {
        return { id, body, rating, movie: cardOf(movie) };
      });
      return { id, name, image, latestReviews };
    },
    async getPerson(id) {
      const person = await fork().findOneOrFail(People, id, {
        populate: ["actedIn.movie", "directed.movie"],
        strategy: "select-in",
      });
      const filmsOf = (links: Collection<Link>): FilmOfPerson[] =>
        links.map(({ movie }) => ({ ...cardOf(movie), year: movie.year })).sort(byYearAndTitle);
      return {
        ...creditOf(person),
        bio: person.bio,
        actedIn: filmsOf(person.actedIn),
        directed: filmsOf(person.directed),
      };
    },
    async getMovie(id) {
      // Three lists joined at once would be their product.
      const movie = await fork().findOneOrFail(RatedMovies, id, {
        populate: ["directors.person", "cast.person", "reviews.author"],
        strategy: "select-in",
      });
      const creditsOf = (links: Collection<Link>): Credit[] =>
        links
          .getItems()
          .sort((a, b) => a.listOrder - b.listOrder)
          .map(({ person }) => creditOf(person));
      return {
        ...cardOf(movie),
        year: movie.year,
        description: movie.description,
        directors: creditsOf(movie.directors),
        cast: creditsOf(movie.cast),
        reviews: movie.reviews
          .getItems()
          .sort((a, b) => b.creationTime.getTime() - a.creationTime.getTime())
          .map(({ id, body, rating, author }) => {
            return { id, body, rating, author: { id: author.id, name: author.name, image: author.image } };
          }),
      };
    },
    insertUser: async (user) => ({ id: Number(await fork().insert<User>(Users, user)), ...user }),
    async updateMovie(id, title) {
      await fork().nativeUpdate(Movies, { id }, { title });
      return { id, title };
    },
    async accountPage(afterId) {
      const accounts = await fork().find(
        Accounts,
        { id: { $gt: afterId } },
        { populate: ["profile"], orderBy: { id: "asc" }, limit: 50 },
      );
      return accounts.map(({ id, email, fullName, createdAt, profile: { avatarUrl, bio, phone } }) => {
        return { id, email, fullName, createdAt, profile: { accountId: id, avatarUrl, bio, phone } };
      });
    },
    async projectPage(afterId) {
      const projects = await fork().find(
        Projects,
        { id: { $gt: afterId } },
        { populate: ["tasks"], orderBy: { id: "asc" }, limit: 20, strategy: "select-in" },
      );
      return projects.map(({ id, name, description, status, createdAt, tasks }) => {
        return { id, name, description, status, createdAt, tasks: tasks.map(plainTask) };
      });
    },
    async taskPage({ status, minPriority, after: { createdAt, id } }) {
      const tasks = await fork().find(
        Tasks,
        {
          status,
          priority: { $gte: minPriority },
          $or: [{ createdAt: { $lt: createdAt } }, { createdAt, id: { $lt: id } }],
        },
        { orderBy: { createdAt: "desc", id: "desc" }, limit: 20 },
      );
      return tasks.map(plainTask);
    },
    async insertTasks(tasks) {
      await fork().insertMany<NewTaskRow>(NewTasks, [...tasks]);
    },
    assign: ({ task, action }) =>
      fork().transactional(async (em) => {
        const { projectId } = task;
        await em.insert<NewTaskRow>(NewTasks, task);
        await em.nativeUpdate(
          ProjectTotals,
          { projectId },
          { taskCount: raw<ProjectTotal, number>("task_count + 1") },
        );
        await em.insert<Activity>(Activities, { projectId, action });
      }),
    async slow() {
      await orm.em.getConnection().execute("select pg_sleep(0.03)");
    },
  };
  return { operations, close: () => orm.close() };
}

function plainWorld({ id, randomNumber }: World): World {
  return { id, randomNumber };
}

function creditOf({ id, fullName, image }: Person): Credit {
  return { id, fullName, image };
}

function cardOf({ id, image, title, avgRating }: RatedMovie) {
  return { id, image, title, avgRating };
}

function plainTask({ project, ...task }: TaskOfProject): Task {
  const { id, title, description, priority, status, dueAt, createdAt } = task;
  return { id, projectId: project.id, title, description, priority, status, dueAt, createdAt };
}
