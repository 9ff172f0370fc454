/** Sequelize 6: models, and lists of related rows by statements of their own (`separate`). */
import { DataTypes, type IncludeOptions, type Model, type ModelStatic, Op, Sequelize } from "sequelize";
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
  type Project,
  type Settings,
  type Subject,
  type Task,
  type UserPage,
  type World,
} from "../comparison/operations.ts";

// Each model wants objects of its own: it writes the column's name into them.
const key = () => ({ type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true });
const part = () => ({ type: DataTypes.INTEGER, primaryKey: true });
const integer = DataTypes.INTEGER;
const text = DataTypes.TEXT;
const instant = DataTypes.DATE;

type Row = Record<string, unknown>;

function models(sequelize: Sequelize) {
  // Names of columns are the properties' in snake case.
  const model = <T extends Row>(tableName: string, attributes: object): ModelStatic<Model<T, Partial<T>>> =>
    sequelize.define<Model<T, Partial<T>>>(
      tableName,
      // biome-ignore lint/suspicious/noExplicitAny: its attributes are typed by a class that nobody writes here.
      attributes as any,
      { tableName, underscored: true, timestamps: false },
    );
  const link = () => ({ movieId: part(), personId: part(), listOrder: integer });
  const task = () => ({
    id: key(),
    projectId: integer,
    title: text,
    description: text,
    priority: integer,
    status: text,
    dueAt: instant,
  });
  const all = {
    world: model<World & Row>("world", { id: key(), randomNumber: integer }),
    fortune: model<Fortune & Row>("fortune", { id: key(), message: text }),
    user: model("users", { id: key(), name: text, image: text }),
    person: model("people", { id: key(), fullName: text, image: text, bio: text }),
    movie: model("movies", { id: key(), title: text }),
    ratedMovie: model("rated_movies", {
      id: key(),
      title: text,
      image: text,
      year: integer,
      description: text,
      avgRating: DataTypes.DOUBLE,
    }),
    director: model("directors", link()),
    actor: model("actors", link()),
    review: model("reviews", {
      id: key(),
      body: text,
      rating: integer,
      creationTime: instant,
      authorId: integer,
      movieId: integer,
    }),
    account: model("accounts", { id: key(), email: text, fullName: text, createdAt: instant }),
    profile: model("profiles", { accountId: part(), avatarUrl: text, bio: text, phone: text }),
    project: model("projects", {
      id: key(),
      name: text,
      description: text,
      status: text,
      createdAt: instant,
    }),
    projectTotal: model("project_totals", { projectId: part(), taskCount: integer }),
    task: model("tasks", { ...task(), createdAt: instant }),
    newTask: model("new_tasks", task()),
    activity: model("activity", { id: key(), projectId: integer, action: text }),
  };
  for (const [as, links] of [
    ["actedIn", all.actor],
    ["directed", all.director],
  ] as const) {
    all.person.hasMany(links, { as, foreignKey: "personId" });
    links.belongsTo(all.person, { as: "person", foreignKey: "personId" });
    links.belongsTo(all.ratedMovie, { as: "movie", foreignKey: "movieId" });
  }
  all.ratedMovie.hasMany(all.director, { as: "directors", foreignKey: "movieId" });
  all.ratedMovie.hasMany(all.actor, { as: "cast", foreignKey: "movieId" });
  all.ratedMovie.hasMany(all.review, { as: "reviews", foreignKey: "movieId" });
  all.user.hasMany(all.review, { as: "latestReviews", foreignKey: "authorId" });
  all.review.belongsTo(all.user, { as: "author", foreignKey: "authorId" });
  all.review.belongsTo(all.ratedMovie, { as: "movie", foreignKey: "movieId" });
  all.account.hasOne(all.profile, { as: "profile", foreignKey: "accountId" });
  all.project.hasMany(all.task, { as: "tasks", foreignKey: "projectId" });
  return all;
}

const FILM = ["id", "image", "title", "year", "avgRating"];
const CREDIT = ["id", "fullName", "image"];

export function openSequelize({ url, poolSize }: Settings): Subject {
  const sequelize = new Sequelize(url, {
    logging: false,
    pool: { min: poolSize, max: poolSize, idle: 3_600_000, evict: 3_600_000 },
  });
  const on = models(sequelize);
  /** An instance as the plain rows that an application hands on. */
  const plain = <T>(instance: { toJSON(): object } | null | undefined): T => found(instance).toJSON() as T;
  const oneRow = async (id: number): Promise<World> => plain(await on.world.findByPk(id));

  const filmsBy = (as: string, model: ModelStatic<Model>): IncludeOptions => ({
    as,
    model,
    separate: true,
    include: [{ model: on.ratedMovie, as: "movie", attributes: FILM }],
    order: [
      ["movie", "year", "asc"],
      ["movie", "title", "asc"],
    ],
  });
  const creditsBy = (as: string, model: ModelStatic<Model>): IncludeOptions => ({
    as,
    model,
    separate: true,
    include: [{ model: on.person, as: "person", attributes: CREDIT }],
    order: [["listOrder", "asc"]],
  });
  const operations: Operations = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map(oneRow)),
    fortunes: async () =>
      [...(await on.fortune.findAll()).map((one) => plain<Fortune>(one)), EXTRA_FORTUNE].sort(byMessage),
    async updates(changes) {
      const worlds = await Promise.all(changes.map(({ id }) => oneRow(id)));
      const changed = worlds.map(({ id }, at) => ({ id, randomNumber: changes[at]?.randomNumber ?? 0 }));
      await on.world.bulkCreate(changed, { updateOnDuplicate: ["randomNumber"] });
      return changed;
    },
    async getUser(id) {
      const user = await on.user.findByPk(id, {
        include: {
          model: on.review,
          as: "latestReviews",
          separate: true,
          attributes: ["id", "body", "rating", "authorId"],
          include: [{ model: on.ratedMovie, as: "movie", attributes: ["id", "image", "title", "avgRating"] }],
          order: [["creationTime", "desc"]],
          limit: 10,
        },
      });
      const { latestReviews, ...rest } = plain<Nested<UserPage, "latestReviews">>(user);
      return {
        ...rest,
        latestReviews: latestReviews.map(({ id, body, rating, movie }) => ({ id, body, rating, movie })),
      };
    },
    async getPerson(id) {
      const person = await on.person.findByPk(id, {
        include: [filmsBy("actedIn", on.actor), filmsBy("directed", on.director)],
      });
      const { actedIn, directed, ...rest } = plain<
        Credit & { bio: string; actedIn: Film[]; directed: Film[] }
      >(person);
      return {
        ...rest,
        actedIn: actedIn.map(({ movie }) => movie),
        directed: directed.map(({ movie }) => movie),
      };
    },
    async getMovie(id) {
      const movie = await on.ratedMovie.findByPk(id, {
        include: [
          creditsBy("directors", on.director),
          creditsBy("cast", on.actor),
          {
            model: on.review,
            as: "reviews",
            separate: true,
            attributes: ["id", "body", "rating", "movieId"],
            include: [{ model: on.user, as: "author", attributes: ["id", "name", "image"] }],
            order: [["creationTime", "desc"]],
          },
        ],
      });
      const { directors, cast, reviews, ...rest } = plain<
        Omit<MoviePage, "directors" | "cast"> & { directors: Named[]; cast: Named[] }
      >(movie);
      return {
        ...rest,
        directors: directors.map(({ person }) => person),
        cast: cast.map(({ person }) => person),
        reviews: reviews.map(({ id, body, rating, author }) => ({ id, body, rating, author })),
      };
    },
    insertUser: async (user) => plain(await on.user.create({ ...user })),
    async updateMovie(id, title) {
      const [, movies] = await on.movie.update({ title }, { where: { id }, returning: true });
      return plain(movies[0]);
    },
    async accountPage(afterId) {
      const accounts = await on.account.findAll({
        where: { id: { [Op.gt]: afterId } },
        include: { model: on.profile, as: "profile" },
        order: [["id", "asc"]],
        limit: 50,
      });
      return accounts.map((account) => plain<Account>(account));
    },
    async projectPage(afterId) {
      const projects = await on.project.findAll({
        where: { id: { [Op.gt]: afterId } },
        include: { model: on.task, as: "tasks", separate: true, order: [["id", "asc"]] },
        order: [["id", "asc"]],
        limit: 20,
      });
      return projects.map((project) => plain<Project>(project));
    },
    async taskPage({ status, minPriority, after: { createdAt, id } }) {
      const tasks = await on.task.findAll({
        where: {
          status,
          priority: { [Op.gte]: minPriority },
          [Op.or]: [{ createdAt: { [Op.lt]: createdAt } }, { createdAt, id: { [Op.lt]: id } }],
        },
        order: [
          ["createdAt", "desc"],
          ["id", "desc"],
        ],
        limit: 20,
      });
      return tasks.map((task) => plain<Task>(task));
    },
    async insertTasks(tasks) {
      await on.newTask.bulkCreate(tasks.map(rowOf));
    },
    assign: ({ task, action }) =>
      sequelize.transaction(async (transaction) => {
        const { projectId } = task;
        await on.newTask.create(rowOf(task), { transaction });
        await on.projectTotal.increment({ taskCount: 1 }, { where: { projectId }, transaction });
        await on.activity.create({ projectId, action }, { transaction });
      }),
    async slow() {
      await sequelize.query("select pg_sleep(0.03)");
    },
  };
  return { operations, close: () => sequelize.close() };
}

const rowOf = (task: NewTask): Row => ({ ...task });

type Nested<T, K extends keyof T> = T & Readonly<Record<K, T[K]>>;
interface Film {
  readonly movie: FilmOfPerson;
}
interface Named {
  readonly person: Credit;
}
