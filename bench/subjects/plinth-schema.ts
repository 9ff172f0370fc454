/** The comparison's tables as Plinth declares them. The view of rated movies is read like a table. */
import { doublePrecision, integer, text, timestamp } from "drizzle-orm/pg-core";
import { appSchema, entity, relations } from "plinth/schema";

const app = appSchema("public", { adopted: true });
const key = () => integer().primaryKey().generatedByDefaultAsIdentity();
const instant = () => timestamp({ withTimezone: true });

export const world = entity(app, "world", { id: key(), randomNumber: integer().notNull() });
export const fortune = entity(app, "fortune", { id: key(), message: text().notNull() });

export const users = entity(app, "users", { id: key(), name: text().notNull(), image: text().notNull() });
export const people = entity(app, "people", {
  id: key(),
  fullName: text().notNull(),
  image: text().notNull(),
  bio: text().notNull(),
});
export const movies = entity(app, "movies", { id: key(), title: text().notNull() });
export const ratedMovies = entity(app, "rated_movies", {
  id: key(),
  title: text().notNull(),
  image: text().notNull(),
  year: integer().notNull(),
  description: text().notNull(),
  avgRating: doublePrecision(),
});
const link = () => ({
  movieId: integer()
    .primaryKey()
    .references(() => ratedMovies.id),
  personId: integer()
    .primaryKey()
    .references(() => people.id),
  listOrder: integer().notNull(),
});
export const directors = entity(app, "directors", link());
export const actors = entity(app, "actors", link());
export const reviews = entity(app, "reviews", {
  id: key(),
  body: text().notNull(),
  rating: integer().notNull(),
  creationTime: instant().notNull(),
  authorId: integer()
    .notNull()
    .references(() => users.id),
  movieId: integer()
    .notNull()
    .references(() => ratedMovies.id),
});

export const accounts = entity(app, "accounts", {
  id: key(),
  email: text().notNull().unique(),
  fullName: text().notNull(),
  createdAt: instant().notNull(),
});
export const profiles = entity(app, "profiles", {
  accountId: integer()
    .primaryKey()
    .references(() => accounts.id),
  avatarUrl: text().notNull(),
  bio: text(),
  phone: text(),
});
export const projects = entity(app, "projects", {
  id: key(),
  name: text().notNull(),
  description: text(),
  status: text().notNull(),
  createdAt: instant().notNull(),
});
export const projectTotals = entity(app, "project_totals", {
  projectId: integer()
    .primaryKey()
    .references(() => projects.id),
  taskCount: integer().notNull(),
});
const task = () => ({
  id: key(),
  projectId: integer()
    .notNull()
    .references(() => projects.id),
  title: text().notNull(),
  description: text(),
  priority: integer().notNull(),
  status: text().notNull(),
  dueAt: instant(),
  createdAt: instant().notNull().defaultNow(),
});
export const tasks = entity(app, "tasks", task());
export const newTasks = entity(app, "new_tasks", task());
export const activity = entity(app, "activity", {
  id: key(),
  projectId: integer()
    .notNull()
    .references(() => projects.id),
  action: text().notNull(),
});

export const userRelations = relations(users, (r) => ({ reviews: r.many(reviews) }));
export const personRelations = relations(people, (r) => ({
  actedIn: r.many(ratedMovies, { through: actors }),
  directed: r.many(ratedMovies, { through: directors }),
}));
export const movieRelations = relations(ratedMovies, (r) => ({
  directors: r.many(people, { through: directors }),
  cast: r.many(people, { through: actors }),
  reviews: r.many(reviews),
}));
export const directorRelations = relations(directors, (r) => ({
  movie: r.one(ratedMovies, { via: "movieId" }),
  person: r.one(people, { via: "personId" }),
}));
export const actorRelations = relations(actors, (r) => ({
  movie: r.one(ratedMovies, { via: "movieId" }),
  person: r.one(people, { via: "personId" }),
}));
export const reviewRelations = relations(reviews, (r) => ({
  author: r.one(users, { via: "authorId" }),
  movie: r.one(ratedMovies, { via: "movieId" }),
}));
export const accountRelations = relations(accounts, (r) => ({ profile: r.one(profiles) }));
export const projectRelations = relations(projects, (r) => ({ tasks: r.many(tasks) }));
