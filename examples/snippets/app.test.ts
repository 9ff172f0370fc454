import { once } from "node:events";
import { type ServerType, serve } from "@hono/node-server";
import { type TestDatabase, testDatabase } from "plinth/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApp } from "./app.ts";
import { MIGRATIONS } from "./db.ts";
import { factoriesOn } from "./factories.fixture.ts";
import * as schema from "./schema.ts";

let database: TestDatabase<typeof schema>;
let server: ServerType;
let origin: string;
let make: ReturnType<typeof factoriesOn>;
const logged: string[] = [];
beforeAll(async () => {
  database = await testDatabase({ schema, migrations: MIGRATIONS });
  make = factoriesOn(database.db);
  const app = createApp(database.db, (line) => logged.push(line));
  server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  origin = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  server.close();
  await database.close();
  expect(logged).toEqual([]);
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked at as a client without types does.
  readonly body: any;
}

async function get(path: string, as?: string): Promise<Answer> {
  const response = await fetch(origin + path, { headers: as === undefined ? {} : { "x-user-id": as } });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function post(path: string, input: unknown, as?: string): Promise<Answer> {
  const response = await fetch(origin + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(as === undefined ? {} : { "x-user-id": as }) },
    body: typeof input === "string" ? input : JSON.stringify(input),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe("POST /v1/users", () => {
  it("makes a user, and shows neither the internal id nor the hash", async () => {
    const { status, body } = await post("/v1/users", { email: "Ann@Example.com", password: "correct horse" });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9A-Za-z]{10}$/),
      email: "ann@example.com",
      createdAt: expect.any(String),
    });
    const stored = await database.db
      .repository(schema.users)
      .findBy({ publicId: body.id }, { reveal: ["passwordHash"] });
    expect(stored?.passwordHash).toMatch(/^scrypt\$32768\$8\$3\$/);
  });

  it("refuses an email that is taken, in any case of letters, with 409", async () => {
    const user = { email: "twice@example.com", password: "correct horse" };
    await post("/v1/users", user);
    const { status, body } = await post("/v1/users", { ...user, email: "TWICE@example.com" });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: "UNIQUE_VIOLATION",
      errors: [{ path: "email", message: "is taken" }],
    });
  });

  it("refuses wrong and unknown fields with 422, all at once", async () => {
    const { status, headers, body } = await post("/v1/users", {
      email: "ann",
      password: "short",
      name: "Ann",
    });
    expect(status).toBe(422);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body.errors.map((error: { path: string }) => error.path).sort()).toEqual([
      "email",
      "name",
      "password",
    ]);
  });
});

describe("POST /v1/snippets", () => {
  it("makes a snippet of the user who asks, private text when nothing else is said", async () => {
    const owner = await make.makeUser();
    const { status, headers, body } = await post("/v1/snippets", { body: "hello" }, owner.publicId);
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`/v1/snippets/${body.id}`);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9A-Za-z]{10}$/),
      ownerId: owner.publicId,
      title: null,
      body: "hello",
      language: "text",
      isPublic: false,
      viewCount: 0,
      createdAt: expect.any(String),
    });
  });

  it("refuses a user who is nobody, and input that is wrong, with 422", async () => {
    const owner = await make.makeUser();
    for (const as of [undefined, "nobody", String(owner.id)]) {
      const { status, body } = await post("/v1/snippets", { body: "hello" }, as);
      expect([status, body.errors[0].path]).toEqual([422, "x-user-id"]);
    }
    const wrong = [
      {},
      { body: "" },
      { body: "x", language: "cobol" },
      { body: "x", id: 1 },
      { body: "a\0b" },
      [],
    ];
    for (const input of wrong) expect((await post("/v1/snippets", input, owner.publicId)).status).toBe(422);
  });

  it("refuses what is no JSON with 400, and what is too large with 413", async () => {
    const owner = await make.makeUser();
    expect((await post("/v1/snippets", "{", owner.publicId)).status).toBe(400);
    const large = { body: "x".repeat(1_100_000) };
    expect((await post("/v1/snippets", large, owner.publicId)).status).toBe(413);
  });
});

describe("GET /v1/snippets/:id", () => {
  it("counts each view", async () => {
    const { publicId } = await make.makeSnippet();
    await Promise.all(Array.from({ length: 9 }, () => get(`/v1/snippets/${publicId}`)));
    const { status, body } = await get(`/v1/snippets/${publicId}`);
    expect([status, body.viewCount]).toEqual([200, 10]);
  });

  it("shows a private one to its owner, and to others that there is nothing, and counts only what was shown", async () => {
    const [owner, other] = await make.makeUser.many(2);
    const { publicId } = await make.makeSnippet({ ownerId: owner?.id ?? 0n, isPublic: false });
    for (const as of [undefined, other?.publicId]) {
      const { status, body } = await get(`/v1/snippets/${publicId}`, as);
      expect([status, body.code]).toEqual([404, "NOT_FOUND"]);
    }
    const { status, body } = await get(`/v1/snippets/${publicId}`, owner?.publicId);
    expect([status, body.viewCount]).toEqual([200, 1]);
  });

  it("knows no internal id, and nothing that cannot be one of ours", async () => {
    const { id } = await make.makeSnippet();
    for (const key of [id, "unknown", "%00", "%ED%A0%80", "x".repeat(5_000)]) {
      expect((await get(`/v1/snippets/${key}`)).status).toBe(404);
    }
  });
});

describe("GET /v1/users/:id/snippets", () => {
  it("pages through the public ones, and through all of them for the user", async () => {
    const owner = await make.makeUser();
    await make.makeSnippet.many(5, (i) => ({ ownerId: owner.id, isPublic: i > 0 }));
    const path = `/v1/users/${owner.publicId}/snippets?limit=3`;
    const first = await get(path);
    const second = await get(`${path}&after=${first.body.meta.nextCursor}`);
    expect([first.body.data.length, second.body.data.length]).toEqual([3, 1]);
    expect(second.body.meta).toEqual({ limit: 3, nextCursor: null });
    const seen = [...first.body.data, ...second.body.data].map((snippet: { id: string }) => snippet.id);
    expect(new Set(seen).size).toBe(4);
    expect((await get(`/v1/users/${owner.publicId}/snippets`, owner.publicId)).body.data).toHaveLength(5);
  });

  it("refuses a forged cursor and a limit out of range with 422, an unknown user with 404", async () => {
    const { publicId } = await make.makeUser();
    for (const query of ["after=forged", "limit=0", "limit=101", "page=1"]) {
      expect((await get(`/v1/users/${publicId}/snippets?${query}`)).status).toBe(422);
    }
    expect((await get("/v1/users/unknown/snippets")).status).toBe(404);
  });
});

describe("GET /health", () => {
  it("says that the process lives and the database answers", async () => {
    expect((await get("/health/live")).status).toBe(200);
    expect((await get("/health/ready")).body).toMatchObject({
      status: "ok",
      checks: { database: { status: "ok" } },
    });
  });
});
