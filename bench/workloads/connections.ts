import pg from "pg";
import * as schema from "../../examples/tracker/schema.ts";
import { type Contenders, cycle } from "../contenders.ts";
import type { Workload } from "../rounds.ts";

/** What a repository's `find` reads, by hand. */
const FIND = `select id, email, full_name as "fullName", created_at as "createdAt", updated_at as "updatedAt",
  deleted_at as "deletedAt", deleted_by as "deletedBy" from tracker.users where id = $1 and deleted_at is null`;

/** A connection per request against a shared pool. */
export function connections({ ground, pool, plinth }: Contenders): Workload {
  const next = cycle(ground.userIds);
  const users = plinth.repository(schema.users);
  return {
    name: "a connection per request, or a shared pool",
    concurrencies: [1, 10],
    runners: [
      {
        name: "pg, a client per request",
        async run() {
          const client = new pg.Client(ground.url);
          await client.connect();
          try {
            return (await client.query(FIND, [next()])).rows[0];
          } finally {
            await client.end();
          }
        },
      },
      { name: "pg, shared pool", run: async () => (await pool.query(FIND, [next()])).rows[0] },
      { name: "Plinth", run: async () => users.find(next()) },
    ],
  };
}
