import type { Context, Hono } from "hono";
import { NotFoundError } from "plinth";
import { isStorableText, methodNotAllowed, readQuery, refuseBody } from "plinth/http";
import { z } from "zod";

type Handler = (context: Context) => Promise<Response> | Response;

/**
 * What an address does for each method it takes. HEAD is GET without its body; LIST is a GET that reads query
 * parameters. No other method takes any, and DELETE takes no body either.
 */
export type Methods = {
  readonly [M in "GET" | "LIST" | "POST" | "PUT" | "PATCH" | "DELETE"]?: Handler;
};

/** Adds an address. A method it does not take is answered with 405 and those it does. */
export function addResource(app: Hono, path: string, methods: Methods): void {
  const allowed = new Set<string>();
  for (const [name, handle] of Object.entries(methods)) {
    const method = name === "LIST" ? "GET" : name;
    allowed.add(method);
    app.on(method, path, async (context) => {
      if (name !== "LIST") readQuery(context.req.raw, NO_PARAMETERS);
      if (name === "DELETE") await refuseBody(context.req.raw);
      return handle(context);
    });
  }
  if (allowed.has("GET")) allowed.add("HEAD");
  app.all(path, () => methodNotAllowed([...allowed]));
}

const NO_PARAMETERS = z.object({});

/** A JSON answer. The dead are never shown, so neither is the note of when and by whom. */
export function answer(body: object, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  const text = JSON.stringify(body, (key, value: unknown) => (HIDDEN.has(key) ? undefined : value));
  return new Response(text, { status, headers: { "content-type": "application/json", ...headers } });
}

const HIDDEN = new Set(["deletedAt", "deletedBy"]);

/** 201 with the address of what was made. */
export function created(body: object, location: string): Response {
  return answer(body, 201, { location });
}

export function noContent(): Response {
  return new Response(null, { status: 204 });
}

/**
 * A key from the path.
 *
 * @throws {NOT_FOUND} for text that no row can have as its key.
 */
export function keyIn(context: Context, name: string, entity: string): string {
  const key = context.req.param(name);
  if (key === undefined || !isStorableText(key)) throw new NotFoundError(entity);
  return key;
}
