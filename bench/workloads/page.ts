import { and, asc, eq, isNull, sql } from "drizzle-orm";
import { projects, tasks } from "../../examples/tracker/schema.ts";
import { type Contenders, cycle } from "../contenders.ts";
import type { Workload } from "../rounds.ts";

const LIMIT = 20;
const columnsOf = (alias: string, names: readonly string[], prefix: string) =>
  names.map((name) => `${alias}.${name} as "${prefix}${name}"`).join(", ");
const SHARED = [
  "id",
  "description",
  "status",
  "created_at",
  "updated_at",
  "created_by",
  "updated_by",
  "deleted_at",
  "deleted_by",
];
const PAGE = `select ${columnsOf("t", [...SHARED, "project_id", "title", "priority", "due_date", "assigned_to"], "")},
  ${columnsOf("p", [...SHARED, "name", "owner_id"], "project_")}
from tracker.tasks t join tracker.projects p on p.id = t.project_id and p.deleted_at is null
where t.project_id = $1 and t.deleted_at is null order by t.title, t.id limit ${LIMIT}`;

/** By hand: the flat row as a task with its project inside. */
function nest(row: Record<string, unknown>): Record<string, unknown> {
  const task: Record<string, unknown> = {};
  const project: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (name.startsWith("project_") && name !== "project_id") project[name.slice(8)] = value;
    else task[name] = value;
  }
  return { ...task, project };
}

/** Twenty tasks of a project, each with its project, in order. */
export function page({ ground, pool, plinth, drizzle }: Contenders): Workload {
  const next = cycle(ground.projectIds);
  const repository = plinth.repository(tasks);
  const living = (projectId: string | ReturnType<typeof sql.placeholder>) =>
    and(eq(tasks.projectId, projectId), isNull(tasks.deletedAt));
  const joined = (projectId: string | ReturnType<typeof sql.placeholder>) =>
    drizzle
      .select()
      .from(tasks)
      .innerJoin(projects, and(eq(projects.id, tasks.projectId), isNull(projects.deletedAt)))
      .where(living(projectId))
      .orderBy(asc(tasks.title), asc(tasks.id))
      .limit(LIMIT);
  const prepared = joined(sql.placeholder("id")).prepare("drizzle_page");
  return {
    name: `a page of ${LIMIT} rows, each with its parent`,
    concurrencies: [1, 10, 64],
    runners: [
      {
        name: "pg, named",
        run: async () =>
          (await pool.query({ name: "hand_page", text: PAGE, values: [next()] })).rows.map(nest),
      },
      { name: "pg, unnamed", run: async () => (await pool.query(PAGE, [next()])).rows.map(nest) },
      { name: "Drizzle join, prepared", run: () => prepared.execute({ id: next() }) },
      { name: "Drizzle join", run: () => joined(next()).execute() },
      {
        name: "Drizzle relational",
        run: () =>
          drizzle.query.tasks
            .findMany({
              where: living(next()),
              with: { project: true },
              orderBy: [asc(tasks.title), asc(tasks.id)],
              limit: LIMIT,
            })
            .execute(),
      },
      {
        name: "Plinth",
        run: async () =>
          repository.list({
            where: { projectId: next() },
            with: { project: true },
            sort: "title",
            limit: LIMIT,
            after: null,
          }),
      },
    ],
  };
}
