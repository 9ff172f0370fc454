import type { Context, Hono } from "hono";
import { isForeignKeyViolation, isNotFound, NotFoundError } from "plinth";
import { readJsonBody } from "plinth/http";
import { z } from "zod";
import type { Tracker } from "../db.ts";
import { addResource, answer, keyIn, noContent } from "../resource.ts";
import { retrying } from "../retry.ts";
import { memberRole } from "../schema.ts";

const membership = z.object({ role: z.enum(memberRole.enumValues) });

export function addMembers(app: Hono, { projects, members }: Tracker): void {
  addResource(app, "/v1/projects/:id/members/:userId", {
    async PUT(context) {
      const key = keyOf(context);
      const { role } = await readJsonBody(context.req.raw, membership);
      try {
        return answer(
          await retrying(() => members.upsert({ ...key, role }, { on: ["projectId", "userId"] })),
        );
      } catch (error) {
        // An unknown project is an address that does not exist; an unknown user is a value that does not fit.
        const isProject = isForeignKeyViolation(error) && error.columns.includes("project_id");
        throw isProject ? new NotFoundError("projects") : error;
      }
    },
    async DELETE(context) {
      const key = keyOf(context);
      try {
        await retrying(() => members.delete(key));
      } catch (error) {
        if (!isNotFound(error)) throw error;
        // Deleting again is no error, as long as there is something to be a member of.
        await projects.get(key.projectId);
      }
      return noContent();
    },
  });
}

function keyOf(context: Context) {
  return { projectId: keyIn(context, "id", "projects"), userId: keyIn(context, "userId", "users") };
}
