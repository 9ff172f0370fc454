import { createDatabase } from "plinth";
import { describe, expect, it, onTestFinished } from "vitest";
import { clientOn, complaints, expectProblem, openClient } from "../client.fixture.ts";
import type { TrackerDatabase } from "../db.ts";
import * as schema from "../schema.ts";
import { countStatements } from "../statement-counter.fixture.ts";

const client = await openClient();
const { get, send, user, project, task } = client;

describe("POST /v1/projects", () => {
  it("answers 201 with the project", async () => {
    const ownerId = await user();
    const answer = await send("POST", "/v1/projects", {
      name: "Apollo",
      ownerId,
      description: "To the moon",
    });
    expect(answer).toMatchObject({
      status: 201,
      body: {
        name: "Apollo",
        ownerId,
        description: "To the moon",
        status: "active",
        createdAt: expect.any(String),
      },
    });
    expect(answer.headers.get("location")).toBe(`/v1/projects/${answer.text("id")}`);
  });

  it.each(["nobody", "x".repeat(5_000), "'; drop table users; --"])(
    "answers 422 to the unknown owner %j",
    async (ownerId) => {
      expectProblem(
        await send("POST", "/v1/projects", { name: "X", ownerId }),
        422,
        "FOREIGN_KEY_VIOLATION",
        ["ownerId"],
      );
    },
  );

  it("answers 422 to a dead owner", async () => {
    const ownerId = await user();
    await send("DELETE", `/v1/users/${ownerId}`);
    expectProblem(await send("POST", "/v1/projects", { name: "X", ownerId }), 422, "FOREIGN_KEY_VIOLATION", [
      "ownerId",
    ]);
  });

  it.each([
    ["name", ""],
    ["name", " \n"],
    ["name", null],
    ["name", 5],
    ["name", "a\0"],
    ["name", "\ud800"],
    ["name", "x".repeat(201)],
    ["ownerId", null],
    ["ownerId", 5],
    ["ownerId", ""],
    ["ownerId", "a\0"],
    ["ownerId", "\udc00"],
    ["description", 5],
    ["description", "a\0"],
    ["description", "x".repeat(10_001)],
    ["status", "Active"],
    ["status", ""],
    ["status", null],
    ["status", "active\0"],
    ["status", 1],
    ["createdBy", "me"],
    ["deletedAt", null],
    ["tasks", []],
  ])("answers 422 to %s = %j", async (field, value) => {
    const answer = await send("POST", "/v1/projects", { name: "X", ownerId: await user(), [field]: value });
    expectProblem(answer, 422, "INVALID_VALUE", [field]);
  });

  it.each(["name", "ownerId"])("answers 422 without %s", async (field) => {
    const fields = { name: "X", ownerId: "y", [field]: undefined };
    expect(complaints(await send("POST", "/v1/projects", fields))).toEqual([`${field}: is required`]);
  });
});

describe("PATCH /v1/projects/:id", () => {
  it("writes what was sent and nothing else", async () => {
    const id = await project({ name: "Before", description: "kept" });
    const answer = await send("PATCH", `/v1/projects/${id}`, { name: "After", status: "archived" });
    expect(answer).toMatchObject({
      status: 200,
      body: { id, name: "After", status: "archived", description: "kept" },
    });
    const cleared = await send("PATCH", `/v1/projects/${id}`, { description: null });
    expect(cleared.body).toMatchObject({ name: "After", description: null });
  });

  it("changes nothing when nothing was sent", async () => {
    const id = await project();
    const { body } = await get(`/v1/projects/${id}`);
    expect(await send("PATCH", `/v1/projects/${id}`, {})).toMatchObject({ status: 200, body });
  });

  it("answers 422 to an unknown new owner", async () => {
    const answer = await send("PATCH", `/v1/projects/${await project()}`, { ownerId: "nobody" });
    expectProblem(answer, 422, "FOREIGN_KEY_VIOLATION", ["ownerId"]);
  });

  it.each([
    ["name", null],
    ["status", "done"],
    ["ownerId", null],
    ["id", "x"],
    ["createdAt", "2026-01-01T00:00:00Z"],
  ])("answers 422 to %s = %j", async (field, value) => {
    const answer = await send("PATCH", `/v1/projects/${await project()}`, { [field]: value });
    expectProblem(answer, 422, "INVALID_VALUE", [field]);
  });
});

describe("GET and DELETE /v1/projects/:id", () => {
  it.each(["nobody", "%00", "%ED%A0%80", "%"])("answer 404 to the id %j", async (id) => {
    expectProblem(await get(`/v1/projects/${id}`), 404, "NOT_FOUND");
    expectProblem(await send("PATCH", `/v1/projects/${id}`, { name: "X" }), 404, "NOT_FOUND");
    expectProblem(await send("DELETE", `/v1/projects/${id}`), 404, "NOT_FOUND");
  });

  it("take a project's tasks and members along when it is deleted", async () => {
    const projectId = await project();
    const taskId = await task({ projectId });
    await send("PUT", `/v1/projects/${projectId}/members/${await user()}`, { role: "admin" });
    expect(await send("DELETE", `/v1/projects/${projectId}`)).toMatchObject({ status: 204, body: undefined });
    expectProblem(await get(`/v1/projects/${projectId}`), 404, "NOT_FOUND");
    expectProblem(await get(`/v1/tasks/${taskId}`), 404, "NOT_FOUND");
    expect((await get(`/v1/tasks?projectId=${projectId}`)).at("meta.total")).toBe(0);
    expect(await client.tracker.tasks.onlyDeleted().find(taskId)).toBeDefined();
    expect(await client.tracker.members.count({ projectId })).toBe(0);
    expectProblem(await send("DELETE", `/v1/projects/${projectId}`), 404, "NOT_FOUND");
  });
});

describe("GET /v1/projects", () => {
  it("nests live tasks and the owner, in two statements for the whole page", async () => {
    const ownerId = await user({ fullName: "Olga Owner" });
    const full = await project({ name: "~ full", ownerId });
    const empty = await project({ name: "~~ empty", ownerId });
    const kept = [await task({ projectId: full }), await task({ projectId: full })];
    await send("DELETE", `/v1/tasks/${await task({ projectId: full })}`);
    const counter = await countStatements(client.url);
    const db: TrackerDatabase = await createDatabase({ schema, url: counter.url, pool: { max: 1 } });
    onTestFinished(() => db.close().then(counter.close));
    const before = counter.statements;
    const answer = await clientOn(db).get("/v1/projects?include=tasks,owner&sort=-name&limit=2");
    expect(counter.statements - before).toBe(2);
    expect(answer.body).toMatchObject({
      data: [
        { id: empty, tasks: [], owner: { id: ownerId, fullName: "Olga Owner" } },
        { id: full, owner: { id: ownerId } },
      ],
      meta: { page: 1, limit: 2 },
    });
    const tasks = answer.at("data.1.tasks");
    expect(Array.isArray(tasks) && tasks.map((one: { id: string }) => one.id).sort()).toEqual(kept.sort());
    expect(JSON.stringify(answer.body)).not.toMatch(/password|deletedAt/);
  });

  it.each(["tasks", "owner"])("nests only %s when only that is asked for", async (include) => {
    await project();
    const row = (await get(`/v1/projects?include=${include}&limit=1`)).at("data.0");
    expect(Object.keys(row ?? {})).toContain(include);
    expect(Object.keys(row ?? {})).not.toContain(include === "tasks" ? "owner" : "tasks");
  });

  it.each(["", "members", "tasks,members", "tasks;owner", "Tasks", "tasks,", "__proto__", "tasks%00"])(
    "answers 422 to include=%s and says what is allowed",
    async (include) => {
      const answer = await get(`/v1/projects?include=${include}`);
      expectProblem(answer, 422, "INVALID_QUERY");
      expect(complaints(answer)[0]).toMatch(/^include/);
      if (!include.includes("%00")) expect(complaints(answer)[0]).toContain("tasks, owner");
    },
  );

  it.each([
    ["sort=ownerId", "sort"],
    ["sort=", "sort"],
    ["page=0", "page"],
    ["limit=101", "limit"],
    ["name=x", "name"],
    ["include=tasks&include=owner", "include"],
  ])("answers 422 to %s", async (query, path) => {
    expectProblem(await get(`/v1/projects?${query}`), 422, "INVALID_QUERY", [path]);
  });

  it("pages in order", async () => {
    const { body } = await get("/v1/projects?sort=createdAt&page=99999&limit=50");
    expect(body).toMatchObject({ data: [], meta: { page: 99_999, limit: 50 } });
  });
});
