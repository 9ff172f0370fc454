import { tasks } from "../../examples/tracker/schema.ts";
import { type Contenders, cycle } from "../contenders.ts";
import type { Workload } from "../rounds.ts";

const ROWS = 100;
const UNNEST = `insert into tracker.tasks (id, project_id, title, priority)
select * from unnest($1::text[], $2::text[], $3::text[], $4::int[]) returning *`;
const VALUES = `insert into tracker.tasks (id, project_id, title, priority)
values ${Array.from({ length: ROWS }, (_, i) => `($${i * 4 + 1}, $${i * 4 + 2}, $${i * 4 + 3}, $${i * 4 + 4})`).join(", ")} returning *`;

let made = 0;

/** A hundred rows at once, given back as the database made them. */
export function createMany({ ground, pool, plinth, drizzle }: Contenders): Workload {
  const next = cycle(ground.projectIds);
  const repository = plinth.repository(tasks);
  const rows = () =>
    Array.from({ length: ROWS }, () => ({
      id: `n${++made}`,
      projectId: next(),
      title: `Task ${made}`,
      priority: 3,
    }));
  const byColumn = () => {
    const all = rows();
    return [
      all.map((row) => row.id),
      all.map((row) => row.projectId),
      all.map((row) => row.title),
      all.map((row) => row.priority),
    ];
  };
  return {
    name: `create ${ROWS} rows`,
    concurrencies: [1, 10],
    async reset() {
      // For good: a mere DELETE would leave them there, dead.
      await pool.query(
        "begin; set local plinth.purging = 'on'; delete from tracker.tasks where id like 'n%'; commit",
      );
      await pool.query("vacuum tracker.tasks");
    },
    runners: [
      {
        name: "pg, named unnest",
        run: async () => (await pool.query({ name: "hand_create", text: UNNEST, values: byColumn() })).rows,
      },
      {
        name: "pg, unnamed values",
        run: async () =>
          (
            await pool.query(
              VALUES,
              rows().flatMap((row) => [row.id, row.projectId, row.title, row.priority]),
            )
          ).rows,
      },
      { name: "Drizzle", run: () => drizzle.insert(tasks).values(rows()).returning().execute() },
      { name: "Plinth", run: async () => repository.createMany(rows()) },
    ],
  };
}
