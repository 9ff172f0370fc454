import { describe, expect, it } from "vitest";
import { complaints, expectProblem, openClient } from "../client.fixture.ts";

const client = await openClient();
const { send, user, project } = client;

const addressOf = async () => `/v1/projects/${await project()}/members/${await user()}`;

describe("PUT /v1/projects/:id/members/:userId", () => {
  it.each(["owner", "admin", "member"])(
    "makes a member with the role %s, twice with the same result",
    async (role) => {
      const address = await addressOf();
      const first = await send("PUT", address, { role });
      expect(first).toMatchObject({
        status: 200,
        body: { role, projectId: expect.any(String), userId: expect.any(String) },
      });
      expect(await send("PUT", address, { role })).toMatchObject({
        status: 200,
        body: { role, createdAt: first.at("createdAt") },
      });
    },
  );

  it("changes the role", async () => {
    const address = await addressOf();
    await send("PUT", address, { role: "member" });
    expect((await send("PUT", address, { role: "admin" })).at("role")).toBe("admin");
  });

  it("gives the same member to two that ask at once", async () => {
    const address = await addressOf();
    const answers = await Promise.all([1, 2, 3, 4].map(() => send("PUT", address, { role: "admin" })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it.each([
    [{}, "role: is required"],
    [{ role: "boss" }, /^role: .*owner.*admin.*member/],
    [{ role: "" }, /^role: /],
    [{ role: null }, /^role: /],
    [{ role: ["admin"] }, /^role: /],
    [{ role: "admin\0" }, "role: must not contain the NUL character"],
    [{ role: "admin", userId: "x" }, /^userId: unknown field/],
    [{ role: "admin", projectId: "x" }, /^projectId: unknown field/],
  ])("answers 422 to %j", async (body, complaint) => {
    const answer = await send("PUT", await addressOf(), body);
    expectProblem(answer, 422, "INVALID_VALUE");
    expect(complaints(answer)).toEqual([expect.stringMatching(complaint)]);
  });

  it.each(["nobody", "%00", "%ED%A0%80"])("answers 404 to the project %s", async (id) => {
    const answer = await send("PUT", `/v1/projects/${id}/members/${await user()}`, { role: "admin" });
    expectProblem(answer, 404, "NOT_FOUND");
  });

  it("answers 404 to a dead project", async () => {
    const id = await project();
    await send("DELETE", `/v1/projects/${id}`);
    expectProblem(
      await send("PUT", `/v1/projects/${id}/members/${await user()}`, { role: "admin" }),
      404,
      "NOT_FOUND",
    );
  });

  it("answers 422 to an unknown or dead user, and 404 to an id no user can have", async () => {
    const members = `/v1/projects/${await project()}/members`;
    const dead = await user();
    await send("DELETE", `/v1/users/${dead}`);
    for (const id of ["nobody", dead]) {
      expectProblem(await send("PUT", `${members}/${id}`, { role: "admin" }), 422, "FOREIGN_KEY_VIOLATION", [
        "userId",
      ]);
    }
    expectProblem(await send("PUT", `${members}/%00`, { role: "admin" }), 404, "NOT_FOUND");
  });
});

describe("DELETE /v1/projects/:id/members/:userId", () => {
  it("answers 204, also when repeated and when there never was one", async () => {
    const address = await addressOf();
    await send("PUT", address, { role: "member" });
    for (const _ of [1, 2])
      expect(await send("DELETE", address)).toMatchObject({ status: 204, body: undefined });
    expect((await send("DELETE", await addressOf())).status).toBe(204);
  });

  it("lets the member come back", async () => {
    const address = await addressOf();
    await send("PUT", address, { role: "owner" });
    await send("DELETE", address);
    expect(await send("PUT", address, { role: "member" })).toMatchObject({
      status: 200,
      body: { role: "member" },
    });
  });

  it.each(["nobody/members/nobody", "%00/members/x", "x/members/%00", "%/members/%"])(
    "answers 404 to %s",
    async (path) => {
      expectProblem(await send("DELETE", `/v1/projects/${path}`), 404, "NOT_FOUND");
    },
  );
});
