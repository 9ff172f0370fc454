import { describe, expect, it } from "vitest";
import { complaints, expectProblem, openClient } from "../client.fixture.ts";

const { get, user } = await openClient();

describe("GET /v1/users", () => {
  const emails = async (query: string) => {
    const answer = await get(`/v1/users?${query}`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const data = answer.at("data");
    return Array.isArray(data) ? data.map((row: { email: string }) => row.email) : [];
  };

  it("filters by a case-insensitive prefix in which %, _ and \\ are letters", async () => {
    for (const [email, fullName] of [
      ["f1@example.com", "Quin%t Percent"],
      ["f2@example.com", "Quin_t Underscore"],
      ["f3@example.com", "Quin\\t Backslash"],
      ["f4@example.com", "quinXt Plain"],
    ] as const) {
      await user({ email, fullName });
    }
    expect((await emails("name=QUIN&sort=email")).sort()).toEqual([
      "f1@example.com",
      "f2@example.com",
      "f3@example.com",
      "f4@example.com",
    ]);
    expect(await emails("name=quin%25t")).toEqual(["f1@example.com"]);
    expect(await emails("name=quin_t")).toEqual(["f2@example.com"]);
    expect(await emails("name=quin%5Ct")).toEqual(["f3@example.com"]);
    expect(await emails("name=uin")).toEqual([]);
    expect(await emails("name='%20or%201=1")).toEqual([]);
  });

  it("sorts both ways by each allowed key, newest first without one", async () => {
    await user({ email: "s-a@example.com", fullName: "Sortable Zoe" });
    await user({ email: "s-b@example.com", fullName: "Sortable Abe" });
    expect(await emails("name=sortable")).toEqual(["s-b@example.com", "s-a@example.com"]);
    expect(await emails("name=sortable&sort=createdAt")).toEqual(["s-a@example.com", "s-b@example.com"]);
    expect(await emails("name=sortable&sort=fullName")).toEqual(["s-b@example.com", "s-a@example.com"]);
    expect(await emails("name=sortable&sort=-fullName")).toEqual(["s-a@example.com", "s-b@example.com"]);
    expect(await emails("name=sortable&sort=-email")).toEqual(["s-b@example.com", "s-a@example.com"]);
  });

  it("pages, and a page past the end is empty", async () => {
    for (const n of [1, 2, 3]) await user({ email: `p${n}@example.com`, fullName: `Pageable ${n}` });
    expect((await get("/v1/users?name=pageable&sort=email&page=2&limit=2")).body).toMatchObject({
      data: [{ email: "p3@example.com", profile: null }],
      meta: { page: 2, limit: 2, total: 3, totalPages: 2 },
    });
    expect((await get("/v1/users?name=pageable&page=2147483647&limit=100")).body).toEqual({
      data: [],
      meta: { page: 2_147_483_647, limit: 100, total: 3, totalPages: 1 },
    });
    expect((await get("/v1/users?name=no-such-user")).body).toEqual({
      data: [],
      meta: { page: 1, limit: 10, total: 0, totalPages: 0 },
    });
  });

  it.each([
    "0",
    "-1",
    "1.5",
    "1e3",
    "01",
    "",
    "x",
    "+1",
    "%201",
    "1%20",
    "0x10",
    "Infinity",
    "99999999999999999999",
    "1%00",
  ])("answers 422 to page and limit %j", async (value) => {
    expectProblem(await get(`/v1/users?page=${value}`), 422, "INVALID_QUERY", ["page"]);
    expectProblem(await get(`/v1/users?limit=${value}`), 422, "INVALID_QUERY", ["limit"]);
  });

  it("says what page, limit and sort may be", async () => {
    expect(complaints(await get("/v1/users?page=0&limit=101&sort=passwordHash"))).toEqual([
      "sort: must be one of fullName, email, createdAt; with - in front for descending",
      "page: must be a whole number from 1 to 999999999999999",
      "limit: must be a whole number from 1 to 100",
    ]);
  });

  it.each([
    "",
    "-",
    "--email",
    "id",
    "passwordHash",
    "full_name",
    "email,fullName",
    "email%20desc",
    "email%00",
    "__proto__",
  ])("answers 422 to sort=%s", async (sort) => {
    expectProblem(await get(`/v1/users?sort=${sort}`), 422, "INVALID_QUERY", ["sort"]);
  });

  it.each([
    ["foo=1", "foo"],
    ["NAME=x", "NAME"],
    ["after=", "after"],
    ["__proto__=1", "__proto__"],
    ["page=1&page=2", "page"],
    ["name=a&name=a", "name"],
    ["name=%00", "name"],
    ["name=%ED%A0%80", "name"],
    ["name=%zz", "name"],
    ["name[]=x", "name[]"],
    ["name%5Bgt%5D=x", "name[gt]"],
  ])("answers 422 to %s", async (query, path) => {
    expectProblem(await get(`/v1/users?${query}`), 422, "INVALID_QUERY", [path]);
  });
});
