import type { Hono } from "hono";
import { InputError } from "plinth";
import {
  calendarDay,
  pageLimit,
  pageNumber,
  readJsonBody,
  readQuery,
  sortKey,
  wholeNumber,
} from "plinth/http";
import { z } from "zod";
import type { Tracker } from "../db.ts";
import { prose, reference, title } from "../fields.ts";
import { addResource, answer, created, keyIn, noContent } from "../resource.ts";
import { retrying } from "../retry.ts";
import { taskStatus } from "../schema.ts";

const PRIORITY_MIN = 1;
const PRIORITY_MAX = 5;

const newTask = z.object({
  projectId: reference,
  title,
  description: prose.exactOptional(),
  priority: z.int().min(PRIORITY_MIN).max(PRIORITY_MAX).exactOptional(),
  status: z.enum(taskStatus.enumValues).exactOptional(),
  dueDate: calendarDay().nullable().exactOptional(),
  assignedTo: reference.nullable().exactOptional(),
});
const taskPatch = newTask.exactPartial();
const taskQuery = z.object({
  status: z.enum(taskStatus.enumValues).exactOptional(),
  priority: wholeNumber(PRIORITY_MIN, PRIORITY_MAX).exactOptional(),
  assignedTo: reference.exactOptional(),
  projectId: reference.exactOptional(),
  dueBefore: calendarDay().exactOptional(),
  sort: sortKey(["createdAt", "dueDate", "priority", "title"]).default("-createdAt"),
  page: pageNumber().exactOptional(),
  limit: pageLimit(),
  after: z.string().exactOptional(),
});

export function addTasks(app: Hono, { tasks }: Tracker): void {
  addResource(app, "/v1/tasks", {
    async LIST({ req }) {
      const { sort, limit, page, after, dueBefore, ...columns } = readQuery(req.raw, taskQuery);
      const where = { ...columns, ...(dueBefore === undefined ? {} : { dueDate: { lt: dueBefore } }) };
      if (after === undefined) return answer(await tasks.list({ where, sort, limit, page: page ?? 1 }));
      if (page !== undefined)
        throw new InputError("INVALID_QUERY", [{ path: "page", message: "cannot be combined with after" }]);
      return answer(await tasks.list({ where, sort, limit, after: after === "" ? null : after }));
    },
    async POST({ req }) {
      const input = await readJsonBody(req.raw, newTask);
      const task = await retrying(() => tasks.create(input));
      return created(task, `/v1/tasks/${task.id}`);
    },
  });
  addResource(app, "/v1/tasks/:id", {
    async GET(context) {
      return answer(await tasks.get(keyIn(context, "id", "tasks")));
    },
    async PATCH(context) {
      const id = keyIn(context, "id", "tasks");
      const patch = await readJsonBody(context.req.raw, taskPatch);
      return answer(await retrying(() => tasks.update(id, patch)));
    },
    async DELETE(context) {
      const id = keyIn(context, "id", "tasks");
      await retrying(() => tasks.delete(id));
      return noContent();
    },
  });
}
