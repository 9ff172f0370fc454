import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openClient } from "./client.fixture.ts";

const client = await openClient();
const { send } = client;

const SEED = 20_261_121;
const RUNS = 300;

/** Every field any request has, so that most bodies get past the check for unknown ones. */
const FIELDS = {
  email: fc.oneof(fc.emailAddress(), fc.string()),
  fullName: fc.string({ unit: "binary" }),
  password: fc.constantFrom("short", "\0\0\0\0\0\0\0\0", ""),
  name: fc.string({ unit: "binary" }),
  title: fc.string(),
  ownerId: fc.string(),
  projectId: fc.string(),
  assignedTo: fc.option(fc.string({ unit: "binary" })),
  description: fc.option(fc.string()),
  status: fc.oneof(fc.constantFrom("active", "pending", "completed"), fc.string()),
  priority: fc.oneof(fc.integer(), fc.double(), fc.string()),
  dueDate: fc.oneof(
    fc.date({ noInvalidDate: true }).map((day) => day.toISOString().slice(0, 10)),
    fc.string(),
  ),
  role: fc.oneof(fc.constantFrom("owner", "member"), fc.string()),
  avatarUrl: fc.oneof(fc.webUrl(), fc.string()),
  bio: fc.option(fc.string({ unit: "binary" })),
  phone: fc.option(fc.string()),
};

const body = fc.oneof(
  fc.record(FIELDS, { requiredKeys: [] }),
  fc
    .subarray(Object.keys(FIELDS))
    .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, fc.jsonValue()])))),
  fc.jsonValue(),
  fc.string(),
);
const segment = fc.oneof(
  fc.string({ unit: "binary" }).map(encode),
  fc.constantFrom("%", "%00", "%ff", "..", "x", "%2e%2e", "a%2fb"),
);
const pair = fc.tuple(
  fc.constantFrom(
    "name",
    "sort",
    "page",
    "limit",
    "after",
    "include",
    "status",
    "priority",
    "dueBefore",
    "projectId",
    "x",
  ),
  fc.oneof(
    fc.string({ unit: "binary" }).map(encode),
    fc.integer().map(String),
    fc.constantFrom("", "%00", "%zz", "tasks", "-title"),
  ),
);
const query = fc
  .array(pair, { maxLength: 4 })
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join("&"));
const path = fc.oneof(
  fc.constantFrom("/v1/users", "/v1/projects", "/v1/tasks"),
  fc.tuple(fc.constantFrom("users", "projects", "tasks"), segment).map(([kind, id]) => `/v1/${kind}/${id}`),
  segment.map((id) => `/v1/users/${id}/profile`),
  fc.tuple(segment, segment).map(([id, userId]) => `/v1/projects/${id}/members/${userId}`),
);

/** A lone surrogate has no percent-encoding; it goes as it is. */
function encode(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : text.replaceAll(/[^\p{L}\p{N}]/gu, "");
}

describe("the application", () => {
  it("never answers 5xx, and every refusal is a problem, whatever is sent", async () => {
    const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE");
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(method, path, query, body, async (verb, address, parameters, content) => {
        const answer = await send(verb, `${address}?${parameters}`, verb === "GET" ? undefined : content);
        statuses.add(answer.status);
        expect(answer.status).toBeLessThan(500);
        if (answer.status >= 400) {
          expect(answer.headers.get("content-type")).toBe("application/problem+json");
          expect(answer.body).toMatchObject({
            type: "about:blank",
            status: answer.status,
            code: expect.any(String),
          });
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
    // Otherwise it would have tried one kind of wrong only.
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 404, 405, 422]));
    expect(client.logged).toEqual([]);
  }, 60_000);
});
