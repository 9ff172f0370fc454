/** The comparison's tables as Drizzle declares them. A view is read like a table. */
import { relations } from "drizzle-orm";
import { doublePrecision, integer, pgTable, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

const key = () => integer().primaryKey().generatedByDefaultAsIdentity();
const instant = (name: string) => timestamp(name, { withTimezone: true });

export const world = pgTable("world", { id: key(), randomNumber: integer("random_number").notNull() });
export const fortune = pgTable("fortune", { id: key(), message: text().notNull() });

export const users = pgTable("users", { id: key(), name: text().notNull(), image: text().notNull() });
export const people = pgTable("people", {
  id: key(),
  fullName: text("full_name").notNull(),
  image: text().notNull(),
  bio: text().notNull(),
});
export const movies = pgTable("movies", { id: key(), title: text().notNull() });
export const ratedMovies = pgTable("rated_movies", {
  id: integer().primaryKey(),
  title: text().notNull(),
  image: text().notNull(),
  year: integer().notNull(),
  description: text().notNull(),
  avgRating: doublePrecision("avg_rating"),
});
const link = () => ({
  movieId: integer("movie_id").notNull(),
  personId: integer("person_id").notNull(),
  listOrder: integer("list_order").notNull(),
});
export const directors = pgTable("directors", link(), (t) => [
  primaryKey({ columns: [t.movieId, t.personId] }),
]);
export const actors = pgTable("actors", link(), (t) => [primaryKey({ columns: [t.movieId, t.personId] })]);
export const reviews = pgTable("reviews", {
  id: key(),
  body: text().notNull(),
  rating: integer().notNull(),
  creationTime: instant("creation_time").notNull(),
  authorId: integer("author_id").notNull(),
  movieId: integer("movie_id").notNull(),
});

export const accounts = pgTable("accounts", {
  id: key(),
  email: text().notNull(),
  fullName: text("full_name").notNull(),
  createdAt: instant("created_at").notNull(),
});
export const profiles = pgTable("profiles", {
  accountId: integer("account_id").primaryKey(),
  avatarUrl: text("avatar_url").notNull(),
  bio: text(),
  phone: text(),
});
export const projects = pgTable("projects", {
  id: key(),
  name: text().notNull(),
  description: text(),
  status: text().notNull(),
  createdAt: instant("created_at").notNull(),
});
export const projectTotals = pgTable("project_totals", {
  projectId: integer("project_id").primaryKey(),
  taskCount: integer("task_count").notNull(),
});
const task = () => ({
  id: key(),
  projectId: integer("project_id").notNull(),
  title: text().notNull(),
  description: text(),
  priority: integer().notNull(),
  status: text().notNull(),
  dueAt: instant("due_at"),
  createdAt: instant("created_at").notNull().defaultNow(),
});
export const tasks = pgTable("tasks", task());
export const newTasks = pgTable("new_tasks", task());
export const activity = pgTable("activity", {
  id: key(),
  projectId: integer("project_id").notNull(),
  action: text().notNull(),
});

export const userRelations = relations(users, ({ many }) => ({ reviews: many(reviews) }));
export const personRelations = relations(people, ({ many }) => ({
  actedIn: many(actors),
  directed: many(directors),
}));
export const movieRelations = relations(ratedMovies, ({ many }) => ({
  directors: many(directors),
  cast: many(actors),
  reviews: many(reviews),
}));
export const directorRelations = relations(directors, ({ one }) => ({
  movie: one(ratedMovies, { fields: [directors.movieId], references: [ratedMovies.id] }),
  person: one(people, { fields: [directors.personId], references: [people.id] }),
}));
export const actorRelations = relations(actors, ({ one }) => ({
  movie: one(ratedMovies, { fields: [actors.movieId], references: [ratedMovies.id] }),
  person: one(people, { fields: [actors.personId], references: [people.id] }),
}));
export const reviewRelations = relations(reviews, ({ one }) => ({
  author: one(users, { fields: [reviews.authorId], references: [users.id] }),
  movie: one(ratedMovies, { fields: [reviews.movieId], references: [ratedMovies.id] }),
}));
export const accountRelations = relations(accounts, ({ one }) => ({
  profile: one(profiles, { fields: [accounts.id], references: [profiles.accountId] }),
}));
export const projectRelations = relations(projects, ({ many }) => ({ tasks: many(tasks) }));
export const taskRelations = relations(tasks, ({ one }) => ({
  project: one(projects, { fields: [tasks.projectId], references: [projects.id] }),
}));
