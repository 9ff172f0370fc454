/** What is compared: Plinth, hand-written `pg`, and Drizzle, each with a pool of ten. */

import { relations } from "drizzle-orm";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";
import { createDatabase, type Database } from "plinth";
import * as schema from "../examples/tracker/schema.ts";
import type { Ground } from "./ground.ts";
import { POOL_SIZE } from "./rounds.ts";

/** Drizzle wants its own declaration of what the foreign key says already. */
const drizzleSchema = {
  ...schema,
  taskToProject: relations(schema.tasks, ({ one }) => ({
    project: one(schema.projects, { fields: [schema.tasks.projectId], references: [schema.projects.id] }),
  })),
};

export interface Contenders {
  readonly ground: Ground;
  readonly plinth: Database<typeof schema>;
  readonly pool: pg.Pool;
  readonly drizzle: NodePgDatabase<typeof drizzleSchema>;
  close(): Promise<void>;
}

export async function openContenders(ground: Ground): Promise<Contenders> {
  const pool = new pg.Pool({ connectionString: ground.url, max: POOL_SIZE });
  const plinth = await createDatabase({ schema, url: ground.url, pool: { max: POOL_SIZE } });
  return {
    ground,
    plinth,
    pool,
    drizzle: drizzle(pool, { schema: drizzleSchema }),
    async close() {
      await plinth.close();
      await pool.end();
    },
  };
}

/** The next of `items`, round and round: every contender asks for the same ones. */
export function cycle<T>(items: readonly T[]): () => T {
  let next = 0;
  return () => {
    const item = items[next++ % items.length];
    if (item === undefined) throw new RangeError("nothing to choose from");
    return item;
  };
}
