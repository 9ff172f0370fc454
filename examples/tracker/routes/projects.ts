import type { Hono } from "hono";
import { pageLimit, pageNumber, readJsonBody, readQuery, sortKey } from "plinth/http";
import { z } from "zod";
import type { Tracker } from "../db.ts";
import { prose, reference, title } from "../fields.ts";
import { addResource, answer, created, keyIn, noContent } from "../resource.ts";
import { retrying } from "../retry.ts";
import { projectStatus } from "../schema.ts";

const INCLUDES = ["tasks", "owner"] as const;

const newProject = z.object({
  name: title,
  ownerId: reference,
  description: prose.exactOptional(),
  status: z.enum(projectStatus.enumValues).exactOptional(),
});
const projectPatch = newProject.exactPartial();
const projectQuery = z.object({
  include: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(INCLUDES, `must be of ${INCLUDES.join(", ")}, with a comma between`)))
    .default([]),
  sort: sortKey(["createdAt", "name", "status"]).default("-createdAt"),
  page: pageNumber().default(1),
  limit: pageLimit(),
});

export function addProjects(app: Hono, { projects }: Tracker): void {
  addResource(app, "/v1/projects", {
    async LIST({ req }) {
      const { include, ...page } = readQuery(req.raw, projectQuery);
      const relations = { tasks: include.includes("tasks"), owner: include.includes("owner") };
      return answer(await projects.list({ ...page, with: relations }));
    },
    async POST({ req }) {
      const input = await readJsonBody(req.raw, newProject);
      const project = await retrying(() => projects.create(input));
      return created(project, `/v1/projects/${project.id}`);
    },
  });
  addResource(app, "/v1/projects/:id", {
    async GET(context) {
      return answer(await projects.get(keyIn(context, "id", "projects")));
    },
    async PATCH(context) {
      const id = keyIn(context, "id", "projects");
      const patch = await readJsonBody(context.req.raw, projectPatch);
      return answer(await retrying(() => projects.update(id, patch)));
    },
    async DELETE(context) {
      const id = keyIn(context, "id", "projects");
      await retrying(() => projects.delete(id));
      return noContent();
    },
  });
}
