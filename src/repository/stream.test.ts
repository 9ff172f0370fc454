import { beforeAll, describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { openWorkbench } from "./where/workbench.fixture.ts";

const { db, projects, tasks, labels } = await openWorkbench();

const COUNT = 2_345;

beforeAll(async () => {
  const [p] = await projects.createMany([{ name: "P" }, { name: "Q" }]);
  await tasks.createMany(
    Array.from({ length: COUNT }, (_, i) => ({ title: `t${i}`, projectId: p?.id ?? "", priority: i })),
  );
});

/** The rows of a stream, all together. */
async function collected<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const rows: T[] = [];
  for await (const row of stream) rows.push(row);
  return rows;
}

describe("stream", () => {
  it.each([1_000, 1, COUNT, COUNT + 1, 5])(
    "gives every row once, in order, %i at a time",
    async (batchSize) => {
      const where = batchSize === 1 ? { priority: { lt: 3 } } : {};
      const rows = await collected(
        tasks.stream({ where, sort: "-priority", batchSize, columns: ["priority"] }),
      );
      const count = batchSize === 1 ? 3 : COUNT;
      expect(rows).toEqual(Array.from({ length: count }, (_, i) => ({ priority: count - 1 - i })));
    },
  );

  it("brings related rows along", async () => {
    const rows = await collected(
      projects.stream({ sort: "name", with: { tasks: { limit: 1, sort: "priority" } }, batchSize: 1 }),
    );
    expect(rows.map(({ name, tasks: [task] }) => [name, task?.title])).toEqual([
      ["P", "t0"],
      ["Q", undefined],
    ]);
  });

  it("gives nothing where there is nothing", async () => {
    expect(await collected(labels.stream())).toEqual([]);
  });

  it("frees its connection when the loop is left", async () => {
    for await (const task of tasks.stream({ batchSize: 10 })) {
      expect(task.title).toMatch(/^t/);
      expect(db.pool.stats.inUse).toBe(1);
      break;
    }
    expect(db.pool.stats.inUse).toBe(0);
    await expect(
      (async () => {
        for await (const _ of tasks.stream()) throw new Error("mine");
      })(),
    ).rejects.toThrow("mine");
    expect(db.pool.stats.inUse).toBe(0);
  });

  it("shows the rows of one moment", async () => {
    let seen = 0;
    for await (const task of tasks.stream({ batchSize: 100, sort: "priority" })) {
      if (seen === 0) await tasks.create({ title: "late", projectId: task.projectId, priority: 99_999 });
      seen += 1;
    }
    expect(seen).toBe(COUNT);
    await db.sql`delete from workbench.tasks where title = 'late'`;
  });

  it("reads what its transaction wrote, while other statements run in it", async () => {
    await db
      .transaction(async () => {
        await tasks.create({
          title: "mine",
          projectId: (await tasks.list({ limit: 1 })).data[0]?.projectId ?? "",
        });
        let seen = 0;
        for await (const task of tasks.stream({ batchSize: 500 })) {
          if (seen++ % 1_000 === 0) await tasks.update(task.id, { priority: -1 });
        }
        expect(seen).toBe(COUNT + 1);
        throw new Error("undo");
      })
      .catch((error: unknown) => expect(String(error)).toContain("undo"));
  });

  it("ends when its signal is aborted", async () => {
    const stopping = new AbortController();
    const reading = (async () => {
      for await (const _ of tasks.stream({ batchSize: 10, signal: stopping.signal })) stopping.abort();
    })();
    expect(await rejection(reading)).toMatchObject({ code: "QUERY_CANCELED" });
    expect(db.pool.stats.inUse).toBe(0);
  });

  it("refuses what a list refuses, before anything is sent", async () => {
    const wrong = [{ limit: 5 }, { sort: "nope" }, { batchSize: 0 }, { where: { nope: 1 } }] as const;
    for (const options of wrong) {
      expect(await rejection(collected(tasks.stream(options as never)))).toMatchObject({
        code: "INVALID_QUERY",
      });
    }
    expect(db.pool.stats.inUse).toBe(0);
  });
});
