import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { documentedErrors } from "../../test/contract/error-codes.ts";
import {
  ConnectionError,
  ConstraintError,
  ERROR_CODES,
  errorFromServer,
  InputError,
  NotFoundError,
  PlinthError,
  PoolError,
  RequestError,
  StatementError,
} from "../errors/index.ts";
import { methodNotAllowed, problemOf, problemResponse } from "./problem.ts";

const SECRET = "hunter2";

const document = readFileSync(new URL("../../docs/reference/errors.md", import.meta.url), "utf8");
const documented = new Map(documentedErrors(document).map(({ code, status }) => [code, status]));

/** A refusal as PostgreSQL words it, full of values. */
const refusal = (code: string, detail: string, fields: object = {}) =>
  errorFromServer({
    code,
    message: `value ${SECRET}`,
    detail,
    where: `SQL statement "insert ${SECRET}"`,
    ...fields,
  });

describe("problemOf", () => {
  it.each(ERROR_CODES)("gives %s the status its documentation says", (code) => {
    const { status, type, title } = problemOf(new PlinthError(code, "text"));
    const said = documented.get(code);
    // What has no status meets no request; should it happen all the same, the fault is ours.
    expect(status).toBe(said === "–" ? 500 : Number(said));
    expect(type).toBe("about:blank");
    expect(title).not.toBe("Error");
  });

  it("says what is wrong with input, each with its path", () => {
    const issues = [{ path: "priority", message: "must be between 1 and 5" }];
    expect(problemOf(new InputError("INVALID_VALUE", issues))).toEqual({
      type: "about:blank",
      title: "Unprocessable Content",
      status: 422,
      code: "INVALID_VALUE",
      detail: "Some values are not as they should be; see errors.",
      errors: issues,
    });
  });

  it("names the property of a taken key, not its column, and no value", () => {
    const error = refusal("23505", `Key (owner_id, full_name)=(7, ${SECRET}) already exists.`, {
      table: "users",
    });
    expect(problemOf(error)).toMatchObject({
      status: 409,
      code: "UNIQUE_VIOLATION",
      errors: [
        { path: "ownerId", message: "is taken" },
        { path: "fullName", message: "is taken" },
      ],
    });
  });

  it("names the property that refers to nothing", () => {
    const problem = problemOf(
      refusal("23503", `Key (project_id)=(${SECRET}) is not present in table "projects".`),
    );
    expect(problem).toMatchObject({
      status: 422,
      errors: [{ path: "projectId", message: "refers to something that does not exist" }],
    });
  });

  it("has something in errors for every 422, also where PostgreSQL names no column", () => {
    const problem = problemOf(
      refusal("23514", `Failing row contains (${SECRET}).`, { constraint: "tasks_priority_range" }),
    );
    expect(problem).toMatchObject({
      status: 422,
      code: "CHECK_VIOLATION",
      errors: [{ path: "", message: "is not allowed" }],
    });
  });

  it("answers a missing row with 404, and with nothing about the table", () => {
    expect(problemOf(new NotFoundError("secret_table"))).toEqual({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      code: "NOT_FOUND",
      detail: "There is no such thing here.",
    });
  });

  it("gives the text of an unreadable request, which was written for the client", () => {
    const error = new RequestError("BODY_TOO_LARGE", "the request's body is larger than 9 bytes");
    expect(problemOf(error)).toMatchObject({
      status: 413,
      detail: "the request's body is larger than 9 bytes",
    });
  });

  it.each([
    [
      new ConnectionError(
        "CONNECTION_FAILED",
        `cannot connect to ann:${SECRET}@db.internal:5432/app: ECONNREFUSED`,
      ),
    ],
    [new PoolError("POOL_EXHAUSTED", `all are in use\n    /srv/${SECRET}.ts:12:3`)],
    [new StatementError("STATEMENT_TIMEOUT", `select '${SECRET}'`, { sqlstate: "57014" })],
    [new ConstraintError("UNIQUE_VIOLATION", `users_${SECRET}_key`, { sqlstate: "23505" })],
    [refusal("22P02", `invalid input ${SECRET}`)],
    [refusal("42601", `syntax error at ${SECRET}`)],
    [refusal("P0001", SECRET)],
    [refusal("XX000", SECRET)],
    [new Error(SECRET)],
    [new TypeError(SECRET, { cause: new Error(SECRET) })],
    [SECRET],
    [{ code: SECRET, status: 200 }],
    [undefined],
    [null],
  ])("lets nothing out of %#", (error) => {
    const text = JSON.stringify(problemOf(error));
    expect(text).not.toContain(SECRET);
    expect(text).not.toMatch(/db\.internal|\.ts:|select/);
  });

  it("says nothing but a code of what nobody expected", () => {
    expect(problemOf(new RangeError("x"))).toEqual({
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      code: "INTERNAL_ERROR",
    });
    expect(problemOf(new PoolError("POOL_MISUSE", "x"))).toMatchObject({ status: 500, code: "POOL_MISUSE" });
  });
});

describe("problemResponse", () => {
  it("is a problem+json that no cache keeps", async () => {
    const response = problemResponse(problemOf(new NotFoundError("users")), { "x-request-id": "r1" });
    expect(response.status).toBe(404);
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-request-id": "r1",
    });
    expect(await response.json()).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });

  it("says when to try again if the service is away", () => {
    const away = problemResponse(problemOf(new ConnectionError("SERVER_UNAVAILABLE", "x")));
    expect(away.status).toBe(503);
    expect(away.headers.get("retry-after")).toBe("1");
  });
});

describe("methodNotAllowed", () => {
  it("names the methods that are", async () => {
    const response = methodNotAllowed(["GET", "HEAD"]);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await response.json()).toMatchObject({
      code: "METHOD_NOT_ALLOWED",
      detail: "this address takes GET, HEAD",
    });
  });
});
