import { type Context, Hono } from "hono";
import { InputError, NotFoundError } from "plinth";
import {
  isStorableText,
  liveness,
  pageLimit,
  problemOf,
  problemResponse,
  readiness,
  readJsonBody,
  readQuery,
} from "plinth/http";
import { z } from "zod";
import { hashPassword } from "./password.ts";
import { type Repositories, repositoriesOn, type SnippetsDatabase } from "./repositories.ts";
import { LANGUAGES } from "./schema.ts";
import { shownSnippet, shownUser } from "./shown.ts";

/** Who asks: a user's public id. It stands in for the session of an application with a log-in, and proves nothing. */
const USER_HEADER = "x-user-id";

const newUser = z.object({ email: z.email().max(320).toLowerCase(), password: z.string().min(8).max(1_000) });
const newSnippet = z.object({
  title: z.string().max(200).nullable().default(null),
  body: z.string().min(1).max(100_000),
  language: z.enum(LANGUAGES).default("text"),
  isPublic: z.boolean().default(false),
});
const listing = z.object({ after: z.string().default(""), limit: pageLimit({ default: 20 }) });
const nothing = z.object({});

/** The HTTP application: every address, and one place where an error becomes an answer. */
export function createApp(db: SnippetsDatabase, log: (line: string) => void): Hono {
  const repositories = repositoriesOn(db);
  const app = new Hono();
  app.get("/health/live", (c) => c.json(liveness().body));
  app.get("/health/ready", async (c) => {
    const { status, body } = await readiness(db);
    return c.json(body, status);
  });
  app.post("/v1/users", (c) => postUser(c, repositories));
  app.get("/v1/users/:publicId/snippets", (c) => getSnippetsOfUser(c, repositories));
  app.post("/v1/snippets", (c) => postSnippet(c, repositories));
  app.get("/v1/snippets/:publicId", (c) => getSnippet(c, repositories));
  app.notFound(() => problemResponse(problemOf(new NotFoundError("address"))));
  app.onError((error) => {
    const problem = problemOf(error);
    if (problem.status === 500) log(error.stack ?? String(error));
    return problemResponse(problem);
  });
  return app;
}

async function postUser(c: Context, { users }: Repositories): Promise<Response> {
  readQuery(c.req.raw, nothing);
  const { email, password } = await readJsonBody(c.req.raw, newUser);
  const user = await users.insertUser({ email, passwordHash: await hashPassword(password) });
  return c.json(shownUser(user), 201);
}

async function postSnippet(c: Context, { users, snippets }: Repositories): Promise<Response> {
  readQuery(c.req.raw, nothing);
  const input = await readJsonBody(c.req.raw, newSnippet);
  const publicId = c.req.header(USER_HEADER);
  const owner = publicId === undefined ? undefined : await users.getByPublicId(publicId);
  if (owner === undefined) {
    throw new InputError("INVALID_VALUE", [{ path: USER_HEADER, message: "must be the id of a user" }]);
  }
  const snippet = await snippets.insertSnippet({ ...input, ownerId: owner.id });
  return c.json(shownSnippet(snippet, owner), 201, { location: `/v1/snippets/${snippet.publicId}` });
}

/** Shows a snippet and counts the view. A private one is there for its owner only. */
async function getSnippet(c: Context, { snippets }: Repositories): Promise<Response> {
  readQuery(c.req.raw, nothing);
  const snippet = await snippets.getByPublicId(publicIdIn(c, "snippets"));
  if (snippet === undefined || !(snippet.isPublic || isFrom(c, snippet.owner)))
    throw new NotFoundError("snippets");
  return c.json(shownSnippet(await snippets.recordView(snippet.id), snippet.owner));
}

/** A user's snippets, newest first; the private ones among them for the user alone. */
async function getSnippetsOfUser(c: Context, { users, snippets }: Repositories): Promise<Response> {
  const { after, limit } = readQuery(c.req.raw, listing);
  const owner = await users.getByPublicId(publicIdIn(c, "users"));
  if (owner === undefined) throw new NotFoundError("users");
  const page = await snippets.listByOwner(owner.id, {
    after: after === "" ? null : after,
    limit,
    withPrivate: isFrom(c, owner),
  });
  return c.json({ data: page.data.map((snippet) => shownSnippet(snippet, owner)), meta: page.meta });
}

/** The id in the address. @throws {NOT_FOUND} for text that no row can have. */
function publicIdIn(c: Context, entity: string): string {
  const publicId = c.req.param("publicId");
  if (publicId === undefined || !isStorableText(publicId)) throw new NotFoundError(entity);
  return publicId;
}

function isFrom(c: Context, user: { readonly publicId: string }): boolean {
  return c.req.header(USER_HEADER) === user.publicId;
}
