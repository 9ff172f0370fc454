import { describe, expect, it } from "vitest";
import { complaints, expectProblem, openClient } from "../client.fixture.ts";
import { verifyPassword } from "../password.ts";

const client = await openClient();
const { get, send, user, project } = client;

const newUser = (fields: object = {}) => ({
  email: "new@example.com",
  fullName: "Ann Example",
  password: "correct horse",
  ...fields,
});

describe("POST /v1/users", () => {
  it("answers 201 with the user, its address, and no trace of the password", async () => {
    const answer = await send("POST", "/v1/users", newUser({ email: "Ann@Example.com" }));
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
      email: "ann@example.com",
      fullName: "Ann Example",
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      profile: null,
    });
    expect(answer.headers.get("location")).toBe(`/v1/users/${answer.text("id")}`);
  });

  it("stores a scrypt hash that only the password opens", async () => {
    const answer = await send("POST", "/v1/users", newUser({ password: "pässwörd ✓" }));
    const id = answer.text("id");
    const stored = await client.tracker.users.get(id, { reveal: ["passwordHash"] });
    expect(stored.passwordHash).toMatch(/^scrypt\$32768\$8\$1\$/);
    expect(await verifyPassword("pässwörd ✓", stored.passwordHash)).toBe(true);
    expect(await verifyPassword("pässwörd", stored.passwordHash)).toBe(false);
  });

  it("answers 409 to the same email again, in any case", async () => {
    await user({ email: "taken@example.com" });
    for (const email of ["taken@example.com", "TAKEN@example.com"]) {
      expectProblem(await send("POST", "/v1/users", newUser({ email })), 409, "UNIQUE_VIOLATION", ["email"]);
    }
  });

  it.each([
    ["email", "nobody"],
    ["email", "@example.com"],
    ["email", "a@"],
    ["email", "a b@example.com"],
    ["email", "a@b"],
    ["email", "a@example..com"],
    ["email", "a@example.com\0"],
    ["email", "a\ud800@example.com"],
    ["email", `${"a".repeat(400)}@example.com`],
    ["email", ""],
    ["email", null],
    ["email", 7],
    ["email", ["a@example.com"]],
    ["email", { $ne: "" }],
    ["fullName", ""],
    ["fullName", "   "],
    ["fullName", "\t\n"],
    ["fullName", "Ann\0"],
    ["fullName", "Ann \udfff"],
    ["fullName", "x".repeat(201)],
    ["fullName", null],
    ["fullName", false],
    ["password", "1234567"],
    ["password", "😀😀😀😀"],
    ["password", "correct\0horse"],
    ["password", "correct\ud800horse"],
    ["password", "x".repeat(1_001)],
    ["password", null],
    ["password", 12345678],
  ])("answers 422 to %s = %j", async (field, value) => {
    expectProblem(await send("POST", "/v1/users", newUser({ [field]: value })), 422, "INVALID_VALUE", [
      field,
    ]);
  });

  it.each(["email", "fullName", "password"])("answers 422 without %s", async (field) => {
    const answer = await send("POST", "/v1/users", newUser({ [field]: undefined }));
    expectProblem(answer, 422, "INVALID_VALUE");
    expect(complaints(answer)).toEqual([`${field}: is required`]);
  });

  it.each(["id", "passwordHash", "createdAt", "deletedAt", "profile", "role", "fullname"])(
    "answers 422 to the unknown field %s",
    async (field) => {
      expectProblem(await send("POST", "/v1/users", newUser({ [field]: "x" })), 422, "INVALID_VALUE", [
        field,
      ]);
    },
  );

  it("names every mistake at once, and the nearest known field", async () => {
    const answer = await send("POST", "/v1/users", { emial: "x", fullName: "", password: "short" });
    expect(complaints(answer)).toEqual([
      'emial: unknown field "emial"; did you mean "email"?',
      "email: is required",
      "fullName: must not be blank",
      "password: must have at least 8 characters",
    ]);
  });

  it("takes what SQL would choke on as plain text", async () => {
    const email = "o'brien+tag@example.com";
    const fullName = `Robert'); drop table users;-- "\\ 😀`;
    const id = (await send("POST", "/v1/users", newUser({ email, fullName }))).text("id");
    expect((await get(`/v1/users/${id}`)).body).toMatchObject({ email, fullName });
  });
});

describe("GET /v1/users/:id", () => {
  it("gives the user with its profile", async () => {
    const id = await user();
    await send("PATCH", `/v1/users/${id}/profile`, { bio: "hello" });
    expect((await get(`/v1/users/${id}`)).body).toMatchObject({
      id,
      profile: { bio: "hello", avatarUrl: null },
    });
  });

  it.each(["nobody", "%00", "a%00b", "%ED%A0%80", "%", "%zz", "..%2f", "1;drop", "x".repeat(3_000), "💥"])(
    "answers 404 to the id %j",
    async (id) => {
      for (const method of ["GET", "DELETE"])
        expectProblem(await send(method, `/v1/users/${id}`), 404, "NOT_FOUND");
      expectProblem(await send("PATCH", `/v1/users/${id}`, { fullName: "X" }), 404, "NOT_FOUND");
      expectProblem(await send("PATCH", `/v1/users/${id}/profile`, { bio: "X" }), 404, "NOT_FOUND");
      expectProblem(await send("PATCH", `/v1/users/${id}/profile`, {}), 404, "NOT_FOUND");
    },
  );

  it("answers HEAD like GET, without a body", async () => {
    const answer = await send("HEAD", `/v1/users/${await user()}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toBeUndefined();
  });
});

describe("PATCH /v1/users/:id", () => {
  it("writes what was sent and nothing else", async () => {
    const id = await user({ email: "before@example.com", fullName: "Before" });
    const before = await client.tracker.users.get(id, { reveal: ["passwordHash"] });
    const answer = await send("PATCH", `/v1/users/${id}`, { fullName: "After" });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id, email: "before@example.com", fullName: "After", profile: null });
    const after = await client.tracker.users.get(id, { reveal: ["passwordHash"] });
    expect(after.passwordHash).toBe(before.passwordHash);
    expect(after.updatedAt.getTime()).toBeGreaterThan(before.updatedAt.getTime());
  });

  it("changes nothing when nothing was sent, updatedAt included", async () => {
    const id = await user();
    const { body } = await get(`/v1/users/${id}`);
    expect(await send("PATCH", `/v1/users/${id}`, {})).toMatchObject({ status: 200, body });
    expect(await send("PATCH", `/v1/users/${id}`)).toMatchObject({ status: 200, body });
  });

  it("hashes a new password", async () => {
    const id = await user();
    await send("PATCH", `/v1/users/${id}`, { password: "another secret" });
    const { passwordHash } = await client.tracker.users.get(id, { reveal: ["passwordHash"] });
    expect(await verifyPassword("another secret", passwordHash)).toBe(true);
  });

  it("answers 409 to another one's email", async () => {
    await user({ email: "mine@example.com" });
    const answer = await send("PATCH", `/v1/users/${await user()}`, { email: "Mine@example.com" });
    expectProblem(answer, 409, "UNIQUE_VIOLATION", ["email"]);
  });

  it.each([
    ["email", "nobody"],
    ["email", null],
    ["fullName", " "],
    ["fullName", null],
    ["fullName", "a\0"],
    ["password", "short"],
    ["password", null],
    ["id", "x"],
    ["updatedAt", "2026-01-01"],
    ["profile", {}],
  ])("answers 422 to %s = %j", async (field, value) => {
    expectProblem(
      await send("PATCH", `/v1/users/${await user()}`, { [field]: value }),
      422,
      "INVALID_VALUE",
      [field],
    );
  });
});

describe("PATCH /v1/users/:id/profile", () => {
  it("makes the profile, then changes what is sent, and answers with it", async () => {
    const id = await user();
    const first = await send("PATCH", `/v1/users/${id}/profile`, {
      avatarUrl: "https://example.com/a.png",
      phone: "+1 555",
    });
    expect(first).toMatchObject({
      status: 200,
      body: { userId: id, avatarUrl: "https://example.com/a.png", phone: "+1 555", bio: null },
    });
    const second = await send("PATCH", `/v1/users/${id}/profile`, { bio: "hello", phone: null });
    expect(second.body).toMatchObject({ avatarUrl: "https://example.com/a.png", phone: null, bio: "hello" });
    expect((await get(`/v1/users/${id}`)).at("profile")).toEqual(second.body);
  });

  it("changes nothing when nothing was sent, with a profile and without", async () => {
    const id = await user();
    expect(await send("PATCH", `/v1/users/${id}/profile`, {})).toMatchObject({
      status: 200,
      body: { bio: null },
    });
    expect((await get(`/v1/users/${id}`)).at("profile")).toBeNull();
    const made = await send("PATCH", `/v1/users/${id}/profile`, { bio: "hello" });
    expect((await send("PATCH", `/v1/users/${id}/profile`, {})).body).toEqual(made.body);
  });

  it.each([
    ["avatarUrl", "not a url"],
    ["avatarUrl", "javascript:alert(1)"],
    ["avatarUrl", 5],
    ["bio", "a\0b"],
    ["bio", "\ud83d"],
    ["bio", "x".repeat(10_001)],
    ["bio", ["x"]],
    ["phone", 555],
    ["phone", "5".repeat(51)],
    ["userId", "someone"],
    ["website", "https://example.com"],
  ])("answers 422 to %s = %j", async (field, value) => {
    const answer = await send("PATCH", `/v1/users/${await user()}/profile`, { [field]: value });
    expectProblem(answer, 422, "INVALID_VALUE", [field]);
  });
});

describe("DELETE /v1/users/:id", () => {
  it("hides the user everywhere and frees its email", async () => {
    const id = await user({ email: "again@example.com", fullName: "Zed Vanishing" });
    expect(await send("DELETE", `/v1/users/${id}`)).toMatchObject({ status: 204, body: undefined });
    expectProblem(await get(`/v1/users/${id}`), 404, "NOT_FOUND");
    expectProblem(await send("DELETE", `/v1/users/${id}`), 404, "NOT_FOUND");
    expectProblem(await send("PATCH", `/v1/users/${id}`, { fullName: "X" }), 404, "NOT_FOUND");
    expectProblem(await send("PATCH", `/v1/users/${id}`, {}), 404, "NOT_FOUND");
    expectProblem(await send("PATCH", `/v1/users/${id}/profile`, { bio: "X" }), 404, "NOT_FOUND");
    expect((await get("/v1/users?name=Zed%20Vanishing")).at("meta.total")).toBe(0);
    expect((await send("POST", "/v1/users", newUser({ email: "again@example.com" }))).status).toBe(201);
    expect(await client.tracker.users.onlyDeleted().find(id)).toMatchObject({ email: "again@example.com" });
  });

  it("answers 409 while the user owns a live project", async () => {
    const ownerId = await user();
    const projectId = await project({ ownerId });
    expectProblem(await send("DELETE", `/v1/users/${ownerId}`), 409, "RESTRICT_VIOLATION");
    expect((await get(`/v1/users/${ownerId}`)).status).toBe(200);
    await send("DELETE", `/v1/projects/${projectId}`);
    expect((await send("DELETE", `/v1/users/${ownerId}`)).status).toBe(204);
  });

  it("leaves the user's tasks without somebody to do them", async () => {
    const assignedTo = await user();
    const id = await client.task({ assignedTo });
    await send("DELETE", `/v1/users/${assignedTo}`);
    expect((await get(`/v1/tasks/${id}`)).at("assignedTo")).toBeNull();
  });

  it("takes no body", async () => {
    expectProblem(await send("DELETE", `/v1/users/${await user()}`, { force: true }), 422, "INVALID_VALUE", [
      "",
    ]);
  });
});
