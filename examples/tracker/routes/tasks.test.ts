import { describe, expect, it } from "vitest";
import { expectProblem, idsOf, openClient } from "../client.fixture.ts";

const { get, send, user, project, task } = await openClient();

describe("POST /v1/tasks", () => {
  it("answers 201 with the task and its defaults", async () => {
    const projectId = await project();
    const answer = await send("POST", "/v1/tasks", { projectId, title: "Pack" });
    expect(answer).toMatchObject({
      status: 201,
      body: {
        projectId,
        title: "Pack",
        description: null,
        priority: 1,
        status: "pending",
        dueDate: null,
        assignedTo: null,
      },
    });
    expect(answer.headers.get("location")).toBe(`/v1/tasks/${answer.text("id")}`);
  });

  it.each(["2024-02-29", "0001-01-01", "9999-12-31", "2026-11-21"])("keeps the day %s", async (dueDate) => {
    expect((await get(`/v1/tasks/${await task({ dueDate })}`)).at("dueDate")).toBe(dueDate);
  });

  it("takes every field", async () => {
    const fields = {
      description: "d",
      priority: 5,
      status: "in_progress",
      dueDate: "2027-01-31",
      assignedTo: await user(),
    };
    expect((await get(`/v1/tasks/${await task(fields)}`)).body).toMatchObject(fields);
  });

  it.each(["projectId", "assignedTo"])("answers 422 to an unknown %s", async (field) => {
    const answer = await send("POST", "/v1/tasks", {
      projectId: await project(),
      title: "X",
      [field]: "nobody",
    });
    expectProblem(answer, 422, "FOREIGN_KEY_VIOLATION", [field]);
  });

  it("answers 422 to a dead project", async () => {
    const projectId = await project();
    await send("DELETE", `/v1/projects/${projectId}`);
    expectProblem(await send("POST", "/v1/tasks", { projectId, title: "X" }), 422, "FOREIGN_KEY_VIOLATION", [
      "projectId",
    ]);
  });

  it.each([
    ["title", ""],
    ["title", "  "],
    ["title", null],
    ["title", {}],
    ["title", "a\0"],
    ["title", "\ud800"],
    ["title", "x".repeat(201)],
    ["description", 1],
    ["description", "a\0"],
    ["priority", 0],
    ["priority", 6],
    ["priority", -1],
    ["priority", 1.5],
    ["priority", "3"],
    ["priority", null],
    ["priority", true],
    ["priority", 1e21],
    ["status", "done"],
    ["status", null],
    ["status", 2],
    ["dueDate", "2026-02-30"],
    ["dueDate", "2025-02-29"],
    ["dueDate", "2026-13-01"],
    ["dueDate", "2026-1-1"],
    ["dueDate", "0000-01-01"],
    ["dueDate", "10000-01-01"],
    ["dueDate", "2026-11-21T00:00:00Z"],
    ["dueDate", "21.11.2026"],
    ["dueDate", "tomorrow"],
    ["dueDate", "infinity"],
    ["dueDate", ""],
    ["dueDate", 20261121],
    ["assignedTo", ""],
    ["assignedTo", 5],
    ["assignedTo", "a\0"],
    ["projectId", ""],
    ["projectId", null],
    ["projectId", "\udc00"],
    ["createdBy", "me"],
    ["done", true],
  ])("answers 422 to %s = %j", async (field, value) => {
    const answer = await send("POST", "/v1/tasks", {
      projectId: await project(),
      title: "X",
      [field]: value,
    });
    expectProblem(answer, 422, "INVALID_VALUE", [field]);
  });

  it("answers 422 to a number JSON can write and nothing can hold", async () => {
    const answer = await send("POST", "/v1/tasks", `{"projectId":"x","title":"X","priority":1e999}`);
    expectProblem(answer, 422, "INVALID_VALUE", ["priority"]);
  });
});

describe("GET, PATCH and DELETE /v1/tasks/:id", () => {
  it("write what was sent and nothing else", async () => {
    const id = await task({ dueDate: "2026-12-24", priority: 2 });
    const answer = await send("PATCH", `/v1/tasks/${id}`, { status: "completed", dueDate: null });
    expect(answer).toMatchObject({
      status: 200,
      body: { id, status: "completed", dueDate: null, priority: 2 },
    });
    const { body } = await get(`/v1/tasks/${id}`);
    expect(await send("PATCH", `/v1/tasks/${id}`, {})).toMatchObject({ status: 200, body });
  });

  it.each([
    ["priority", 9, "INVALID_VALUE"],
    ["title", "", "INVALID_VALUE"],
    ["dueDate", "2026-02-30", "INVALID_VALUE"],
    ["id", "x", "INVALID_VALUE"],
    ["assignedTo", "nobody", "FOREIGN_KEY_VIOLATION"],
    ["projectId", "nobody", "FOREIGN_KEY_VIOLATION"],
  ])("answer 422 to %s = %j", async (field, value, code) => {
    expectProblem(await send("PATCH", `/v1/tasks/${await task()}`, { [field]: value }), 422, code, [field]);
  });

  it("answer 404 to a second DELETE and to what follows it", async () => {
    const id = await task();
    expect((await send("DELETE", `/v1/tasks/${id}`)).status).toBe(204);
    expectProblem(await send("DELETE", `/v1/tasks/${id}`), 404, "NOT_FOUND");
    expectProblem(await get(`/v1/tasks/${id}`), 404, "NOT_FOUND");
    expectProblem(await send("PATCH", `/v1/tasks/${id}`, { title: "X" }), 404, "NOT_FOUND");
  });

  it.each(["nobody", "%00", "%ED%A0%80", "%"])("answer 404 to the id %j", async (id) => {
    for (const method of ["GET", "DELETE"])
      expectProblem(await send(method, `/v1/tasks/${id}`), 404, "NOT_FOUND");
    expectProblem(await send("PATCH", `/v1/tasks/${id}`, { title: "X" }), 404, "NOT_FOUND");
  });
});

describe("GET /v1/tasks", () => {
  it("combines its filters", async () => {
    const projectId = await project();
    const assignedTo = await user();
    const wanted = { projectId, assignedTo, status: "in_progress", priority: 4, dueDate: "2026-05-01" };
    const id = await task(wanted);
    for (const other of [
      { status: "pending" },
      { priority: 3 },
      { dueDate: "2026-05-02" },
      { dueDate: null },
      { assignedTo: null },
    ]) {
      await task({ ...wanted, ...other });
    }
    await task({ ...wanted, projectId: await project() });
    const query = `status=in_progress&priority=4&assignedTo=${assignedTo}&projectId=${projectId}&dueBefore=2026-05-02`;
    expect(idsOf(await get(`/v1/tasks?${query}`))).toEqual([id]);
    expect(idsOf(await get(`/v1/tasks?projectId=${projectId}&dueBefore=2026-05-01`))).toEqual([]);
    expect((await get(`/v1/tasks?projectId=${projectId}`)).at("meta")).toEqual({
      page: 1,
      limit: 10,
      total: 6,
      totalPages: 1,
    });
    expect((await get("/v1/tasks?projectId=nobody&assignedTo=nobody")).at("data")).toEqual([]);
  });

  it.each(["createdAt", "dueDate", "priority", "title"])("sorts by %s both ways", async (key) => {
    const projectId = await project();
    const days = ["2026-01-03", null, "2026-01-01", "2026-01-02", null];
    for (const [i, dueDate] of days.entries())
      await task({ projectId, dueDate, title: `T${(i * 2) % 5}`, priority: (i % 3) + 1 });
    const upwards = idsOf(await get(`/v1/tasks?projectId=${projectId}&sort=${key}`));
    expect(upwards).toHaveLength(5);
    expect(idsOf(await get(`/v1/tasks?projectId=${projectId}&sort=-${key}`))).toEqual([...upwards].reverse());
  });

  it.each([
    ["status=done", "status"],
    ["status=", "status"],
    ["status=pending,completed", "status"],
    ["status=pending&status=completed", "status"],
    ["priority=0", "priority"],
    ["priority=6", "priority"],
    ["priority=", "priority"],
    ["priority=1.0", "priority"],
    ["priority=high", "priority"],
    ["assignedTo=", "assignedTo"],
    ["assignedTo=%00", "assignedTo"],
    ["projectId=", "projectId"],
    ["projectId=a%00", "projectId"],
    ["dueBefore=2026-02-30", "dueBefore"],
    ["dueBefore=0000-01-01", "dueBefore"],
    ["dueBefore=", "dueBefore"],
    ["dueBefore=now", "dueBefore"],
    ["sort=status", "sort"],
    ["sort=dueDate,title", "sort"],
    ["page=1e3", "page"],
    ["limit=0", "limit"],
    ["limit=1000", "limit"],
    ["title=x", "title"],
    ["dueAfter=2026-01-01", "dueAfter"],
  ])("answers 422 to %s", async (query, path) => {
    expectProblem(await get(`/v1/tasks?${query}`), 422, "INVALID_QUERY", [path]);
  });
});
