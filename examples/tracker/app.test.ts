import { NotFoundError } from "plinth";
import { describe, expect, it } from "vitest";
import { createApp } from "./app.ts";
import { expectProblem, openClient } from "./client.fixture.ts";

const client = await openClient();
const { get, send, user } = client;

describe("health", () => {
  it("says that it lives and that it is ready", async () => {
    expect(await get("/health/live")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await get("/health/ready")).toMatchObject({
      status: 200,
      body: {
        status: "ok",
        checks: { database: { status: "ok" }, migrations: { status: "skipped" }, pool: { status: "ok" } },
      },
    });
  });

  it("takes no parameters", async () => {
    expectProblem(await get("/health/live?x=1"), 422, "INVALID_QUERY", ["x"]);
    expectProblem(await get("/health/ready?x=1"), 422, "INVALID_QUERY", ["x"]);
  });
});

describe("a request's body", () => {
  it.each([
    "{",
    "{'a':1}",
    "not json",
    '{"a":1}}',
    '{"a":}',
    "{a:1}",
    '"',
    "<xml/>",
    "email=a%40example.com",
  ])("is answered with 400 when it is the malformed %j", async (body) => {
    expectProblem(await send("POST", "/v1/users", body), 400, "MALFORMED_REQUEST");
    expectProblem(
      await send("POST", "/v1/users", body, { "content-type": "text/plain" }),
      400,
      "MALFORMED_REQUEST",
    );
  });

  it("is answered with 400 when it is not UTF-8", async () => {
    const bytes = Buffer.concat([Buffer.from('{"fullName":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    expectProblem(await send("POST", "/v1/users", bytes), 400, "MALFORMED_REQUEST");
  });

  it.each(["[]", '[{"email":"a@example.com"}]', "null", "true", "5", '"text"'])(
    "is answered with 422 when it is %s instead of an object",
    async (body) => {
      expectProblem(await send("POST", "/v1/users", body), 422, "INVALID_VALUE", [""]);
    },
  );

  it.each([undefined, "", "{}"])("is answered with 422 and what is required when it is %j", async (body) => {
    expectProblem(await send("POST", "/v1/users", body), 422, "INVALID_VALUE", [
      "email",
      "fullName",
      "password",
    ]);
  });

  it("is answered with 413 over 1 MB, announced or not", async () => {
    const large = JSON.stringify({ fullName: "x".repeat(1_000_000) });
    expectProblem(await send("POST", "/v1/users", large), 413, "BODY_TOO_LARGE");
    const length = { "content-length": String(large.length) };
    expectProblem(await send("POST", "/v1/users", large, length), 413, "BODY_TOO_LARGE");
    expectProblem(await send("PATCH", `/v1/users/${await user()}`, large), 413, "BODY_TOO_LARGE");
    expectProblem(await send("POST", "/v1/users", "x".repeat(1_000_001)), 413, "BODY_TOO_LARGE");
    expectProblem(await send("POST", "/v1/users", `${" ".repeat(999_998)}[]`), 422, "INVALID_VALUE");
  });

  it("is answered with 415 when it is JSON that calls itself something else", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/jsonp",
    ]) {
      expectProblem(
        await send("POST", "/v1/users", "{}", { "content-type": type }),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
      );
    }
  });

  it("may call itself any kind of JSON", async () => {
    for (const type of [
      "application/json; charset=utf-8",
      "Application/JSON",
      "application/merge-patch+json",
    ]) {
      expect((await send("PATCH", `/v1/users/${await user()}`, "{}", { "content-type": type })).status).toBe(
        200,
      );
    }
  });

  it("is not fooled by keys every object has", async () => {
    for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const body = `{"fullName":"X","${key}":{"email":"a@example.com"}}`;
      expectProblem(await send("PATCH", `/v1/users/${await user()}`, body), 422, "INVALID_VALUE", [key]);
    }
  });

  it("is refused, not trimmed, when it is nested beyond sense", async () => {
    const body = `{"fullName":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect((await send("PATCH", `/v1/users/${await user()}`, body)).status).toBe(422);
  });

  it("gets at most a hundred complaints", async () => {
    const fields = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`field${i}`, i]));
    const answer = await send("POST", "/v1/users", fields);
    const errors = answer.at("errors");
    expect(Array.isArray(errors) && errors.length).toBe(100);
  });
});

describe("an address", () => {
  it.each([
    "/",
    "/v1",
    "/v1/",
    "/v1/user",
    "/v1/users/",
    "/v1/users/x/y/z",
    "/v2/users",
    "/health",
    "/v1/users//profile",
  ])("is answered with 404 when it is the unknown %s", async (path) => {
    expectProblem(await get(path), 404, "NOT_FOUND");
    expectProblem(await send("POST", path, {}), 404, "NOT_FOUND");
  });

  it.each([
    ["POST", "/health/live", "GET, HEAD"],
    ["PUT", "/v1/users", "GET, POST, HEAD"],
    ["DELETE", "/v1/users", "GET, POST, HEAD"],
    ["POST", "/v1/users/x", "GET, PATCH, DELETE, HEAD"],
    ["OPTIONS", "/v1/users/x", "GET, PATCH, DELETE, HEAD"],
    ["GET", "/v1/users/x/profile", "PATCH"],
    ["HEAD", "/v1/users/x/profile", "PATCH"],
    ["PATCH", "/v1/projects", "GET, POST, HEAD"],
    ["POST", "/v1/projects/x/members/y", "PUT, DELETE"],
    ["PUT", "/v1/tasks/x", "GET, PATCH, DELETE, HEAD"],
    ["PROPFIND", "/v1/tasks", "GET, POST, HEAD"],
  ])("is answered with 405 for %s %s, and says what it takes", async (method, path, allow) => {
    const answer = await send(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe(allow);
    if (method !== "HEAD") expectProblem(answer, 405, "METHOD_NOT_ALLOWED");
  });

  it.each([
    "POST /v1/users",
    "PATCH /v1/users/x",
    "DELETE /v1/users/x",
    "GET /v1/tasks/x",
    "PUT /v1/projects/x/members/y",
  ])("takes no parameters for %s", async (line) => {
    const [method = "", path = ""] = line.split(" ");
    expectProblem(await send(method, `${path}?dryRun=1`), 422, "INVALID_QUERY", ["dryRun"]);
  });
});

describe("an error nobody expected", () => {
  it("is answered with 500 and no details, and logged", async () => {
    const logged: string[] = [];
    const app = createApp(client.tracker, (line) => logged.push(line));
    app.get("/broken", () => {
      throw new RangeError("the secret is 42");
    });
    const response = await app.request("/broken");
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      code: "INTERNAL_ERROR",
    });
    expect(logged).toEqual([expect.stringContaining("RangeError: the secret is 42")]);
  });

  it("is not what a missing row is", async () => {
    const app = createApp(client.tracker, () => undefined);
    app.get("/missing", () => {
      throw new NotFoundError("users");
    });
    expect((await app.request("/missing")).status).toBe(404);
  });
});
