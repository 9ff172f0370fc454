import { and, eq, isNull, sql } from "drizzle-orm";
import { users } from "../../examples/tracker/schema.ts";
import { type Contenders, cycle } from "../contenders.ts";
import type { Workload } from "../rounds.ts";

/** What a repository's `find` reads, by hand. */
export const FIND = `select id, email, full_name as "fullName", created_at as "createdAt", updated_at as "updatedAt",
  deleted_at as "deletedAt", deleted_by as "deletedBy" from tracker.users where id = $1 and deleted_at is null`;

const COLUMNS = {
  id: users.id,
  email: users.email,
  fullName: users.fullName,
  createdAt: users.createdAt,
  updatedAt: users.updatedAt,
  deletedAt: users.deletedAt,
  deletedBy: users.deletedBy,
};

/** One row by its key. */
export function find({ ground, pool, plinth, drizzle }: Contenders): Workload {
  const next = cycle(ground.userIds);
  const repository = plinth.repository(users);
  const byId = (id: string | ReturnType<typeof sql.placeholder>) =>
    drizzle
      .select(COLUMNS)
      .from(users)
      .where(and(eq(users.id, id), isNull(users.deletedAt)));
  const prepared = byId(sql.placeholder("id")).prepare("drizzle_find");
  return {
    name: "one row by key",
    concurrencies: [1, 10, 64],
    runners: [
      {
        name: "pg, named",
        run: async () => (await pool.query({ name: "hand_find", text: FIND, values: [next()] })).rows[0],
      },
      { name: "pg, unnamed", run: async () => (await pool.query(FIND, [next()])).rows[0] },
      { name: "Drizzle, prepared", run: () => prepared.execute({ id: next() }) },
      { name: "Drizzle", run: () => byId(next()).execute() },
      { name: "Plinth", run: async () => repository.find(next()) },
    ],
  };
}
