import { describe, expect, it } from "vitest";
import { complaints, expectProblem, idsOf, openClient } from "../client.fixture.ts";

const { get, project, task } = await openClient();

describe("GET /v1/tasks?after=", () => {
  /** Reads page after page, calling `between` before each further one. */
  const readAll = async (
    query: string,
    between: (page: number) => Promise<unknown> = async () => undefined,
  ) => {
    const ids: string[] = [];
    let cursor = "";
    for (let page = 1; page <= 50; page++) {
      const answer = await get(`/v1/tasks?${query}&after=${encodeURIComponent(cursor)}`);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      expect(Object.keys(answer.at("meta") ?? {})).toEqual(["limit", "nextCursor"]);
      ids.push(...idsOf(answer));
      const next = answer.at("meta.nextCursor");
      if (typeof next !== "string") return ids;
      cursor = next;
      await between(page);
    }
    throw new Error("the pages do not end");
  };

  it.each(["createdAt", "-createdAt", "dueDate", "-dueDate", "priority", "-priority", "title", "-title"])(
    "gives each row once, sorted by %s, while rows arrive",
    async (sort) => {
      const projectId = await project();
      const made: string[] = [];
      for (let i = 0; i < 9; i++) {
        const dueDate = i % 3 === 0 ? null : `2026-01-0${(i % 4) + 1}`;
        made.push(await task({ projectId, title: `T${i % 2}`, priority: (i % 5) + 1, dueDate }));
      }
      const ids = await readAll(`projectId=${projectId}&sort=${sort}&limit=2`, (page) =>
        page > 6
          ? Promise.resolve()
          : task({
              projectId,
              title: `T${page % 3}`,
              priority: 3,
              dueDate: page % 2 === 0 ? null : "2026-01-02",
            }),
      );
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.filter((id) => made.includes(id)).sort()).toEqual(made.sort());
    },
  );

  it("orders as pages by number do", async () => {
    const projectId = await project();
    for (let i = 0; i < 7; i++) await task({ projectId, priority: (i % 2) + 1 });
    const byNumber = idsOf(await get(`/v1/tasks?projectId=${projectId}&sort=-priority&limit=100`));
    expect(await readAll(`projectId=${projectId}&sort=-priority&limit=3`)).toEqual(byNumber);
  });

  it("ends with a null cursor, also when nothing matches", async () => {
    expect((await get(`/v1/tasks?after=&projectId=nobody`)).body).toEqual({
      data: [],
      meta: { limit: 10, nextCursor: null },
    });
  });

  it("answers 422 to a forged cursor, one cut short, and one of another sort", async () => {
    const projectId = await project();
    for (let i = 0; i < 3; i++) await task({ projectId });
    const real = (await get("/v1/tasks?after=&limit=1&sort=title")).text("meta.nextCursor");
    const forged = [
      "x",
      "null",
      "eyJpZCI6MX0",
      real.slice(0, -2),
      `${real}A`,
      real.toUpperCase(),
      "%00",
      "'%20or%201=1",
      "A".repeat(9_000),
    ];
    for (const cursor of forged) {
      const answer = await get(`/v1/tasks?sort=title&after=${cursor}`);
      expect(answer.status, cursor).toBe(422);
      expect(complaints(answer)[0]).toMatch(/^after: /);
    }
    expectProblem(await get(`/v1/tasks?sort=-title&after=${real}`), 422, "INVALID_CURSOR", ["after"]);
    expect((await get(`/v1/tasks?sort=title&after=${real}`)).status).toBe(200);
  });

  it("answers 422 to a page as well", async () => {
    expectProblem(await get("/v1/tasks?after=&page=1"), 422, "INVALID_QUERY", ["page"]);
  });
});
