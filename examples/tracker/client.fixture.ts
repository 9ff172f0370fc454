import { testDatabase } from "plinth/testing";
import { afterAll, expect } from "vitest";
import { createApp } from "./app.ts";
import { MIGRATIONS, type Tracker, type TrackerDatabase, trackerOn } from "./db.ts";
import * as schema from "./schema.ts";

/** An answer, taken apart. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; `undefined` when there is no body. */
  readonly body: unknown;
  /** The part of the body at a dotted path, as in `data.0.id`. */
  at(path: string): unknown;
  /** The same, which has to be text. */
  text(path: string): string;
}

export interface Client {
  readonly tracker: Tracker;
  /** Of the database. */
  readonly url: string;
  /** What the application logged. */
  readonly logged: readonly string[];
  get(path: string): Promise<Answer>;
  /** Sends `body` as JSON; a string or bytes go as they are. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Makes a user, a project or a task with what is not given filled in, and gives back its id. */
  user(fields?: { readonly email?: string; readonly fullName?: string }): Promise<string>;
  project(fields?: object): Promise<string>;
  task(fields?: object): Promise<string>;
}

/** The application on a migrated database of this file's own. */
export async function openClient(): Promise<Client> {
  const { db, url, close } = await testDatabase({ schema, migrations: MIGRATIONS });
  afterAll(close);
  return { ...clientOn(db), url };
}

/** The application on any database. */
export function clientOn(db: TrackerDatabase): Omit<Client, "url"> {
  const tracker = trackerOn(db);
  const logged: string[] = [];
  const app = createApp(tracker, (line) => logged.push(line));
  let made = 0;

  const send: Client["send"] = async (method, path, body, headers = {}) => {
    const isRaw = typeof body === "string" || body instanceof Uint8Array;
    const init =
      body === undefined ? {} : { body: isRaw ? new Uint8Array(Buffer.from(body)) : JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    return answerOf(await app.request(path, { method, ...init, headers: { ...type, ...headers } }));
  };
  const make = async (path: string, fields: object): Promise<string> => {
    const answer = await send("POST", path, fields);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.text("id");
  };
  // Past HTTP, because hashing a password takes a fifth of a second by design.
  const user: Client["user"] = async (fields) => {
    const row = { email: `user-${++made}@example.com`, fullName: "Ann Example", passwordHash: "unusable" };
    return (await tracker.users.create({ ...row, ...fields })).id;
  };
  const project: Client["project"] = async (fields = {}) =>
    make("/v1/projects", {
      name: "A project",
      ...("ownerId" in fields ? {} : { ownerId: await user() }),
      ...fields,
    });
  const task: Client["task"] = async (fields = {}) =>
    make("/v1/tasks", {
      title: "A task",
      ...("projectId" in fields ? {} : { projectId: await project() }),
      ...fields,
    });
  return { tracker, logged, send, get: (path) => send("GET", path), user, project, task };
}

/** What is wrong, as `path: message`, in the order it was said. */
export function complaints({ body }: Answer): readonly string[] {
  const errors = typeof body === "object" && body !== null && "errors" in body ? body.errors : [];
  if (!Array.isArray(errors)) return [];
  return errors.map((error: { path: string; message: string }) => `${error.path}: ${error.message}`);
}

/** The ids of a list, in its order. */
export function idsOf(answer: Answer): readonly string[] {
  const data = answer.at("data");
  return Array.isArray(data) ? data.map((row: { id: string }) => row.id) : [];
}

/** Asserts a problem of RFC 9457, its paths too, and that it holds nothing of ours. */
export function expectProblem(answer: Answer, status: number, code: string, paths?: readonly string[]): void {
  expect({ status: answer.status, code: answer.at("code") }, JSON.stringify(answer.body)).toEqual({
    status,
    code,
  });
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body).toMatchObject({ type: "about:blank", title: expect.any(String), status });
  if (paths !== undefined) expect(complaints(answer).map((line) => line.split(": ", 1)[0])).toEqual(paths);
  expect(JSON.stringify(answer.body)).not.toMatch(/select |insert into|\$1|scrypt|postgres|constraint/i);
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  const at = (path: string): unknown =>
    path.split(".").reduce<unknown>((part, key) => (isRecord(part) ? part[key] : undefined), body);
  return {
    status: response.status,
    headers: response.headers,
    body,
    at,
    text(path) {
      const found = at(path);
      if (typeof found !== "string") throw new TypeError(`no text at ${path} in ${text}`);
      return found;
    },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
