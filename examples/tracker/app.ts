import { Hono } from "hono";
import { NotFoundError } from "plinth";
import { problemOf, problemResponse } from "plinth/http";
import type { Tracker } from "./db.ts";
import { addHealth } from "./routes/health.ts";
import { addMembers } from "./routes/members.ts";
import { addProjects } from "./routes/projects.ts";
import { addTasks } from "./routes/tasks.ts";
import { addUsers } from "./routes/users.ts";

/** What an application writes to its log; standard output is for whoever started it. */
export type Log = (line: string) => void;

/** The HTTP application: every address, and one place where an error becomes an answer. */
export function createApp(tracker: Tracker, log: Log): Hono {
  const app = new Hono();
  addHealth(app, tracker);
  addUsers(app, tracker);
  addProjects(app, tracker);
  addMembers(app, tracker);
  addTasks(app, tracker);
  app.notFound(() => problemResponse(problemOf(new NotFoundError("route"))));
  app.onError((error) => {
    const problem = problemOf(error);
    if (problem.status === 500) log(error.stack ?? String(error));
    return problemResponse(problem);
  });
  return app;
}
