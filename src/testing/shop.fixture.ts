import { type AnyPgColumn, text } from "drizzle-orm/pg-core";
import { appSchema, entity, timestamps, ulidKey } from "../schema/index.ts";

/** The schema that the testing kit is tested with. */
export const app = appSchema("shop");

export const users = entity(app, "users", {
  id: ulidKey(),
  email: text().notNull().unique(),
  fullName: text().notNull(),
  ...timestamps(),
});

export const projects = entity(app, "projects", {
  id: ulidKey(),
  name: text().notNull(),
  description: text(),
  ownerId: text()
    .notNull()
    .references((): AnyPgColumn => users.id),
});
