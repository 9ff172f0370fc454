import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../test/support/soak.ts";
import { holds, type World } from "./interpreter.fixture.ts";
import { fill, plainThing, project, task } from "./random-where.fixture.ts";
import { openWorkbench } from "./workbench.fixture.ts";

type Row = Readonly<Record<string, unknown>>;

const workbench = await openWorkbench();
const { db, people, projects, tasks, labels, taskLabels, things } = workbench;
const all: Record<"people" | "projects" | "tasks" | "labels" | "taskLabels" | "things", readonly Row[]> = {
  people: [],
  projects: [],
  tasks: [],
  labels: [],
  taskLabels: [],
  things: [],
};
const ranks = new Map<string, number>();

/** What a row is related to, seen by whoever sees the living. */
const world: World = {
  rank: (text) => ranks.get(text) ?? -1,
  related: (row, relation) => {
    switch (relation) {
      case "owner":
        return all.people.filter((one) => one.id === row.ownerId);
      case "tasks":
        return all.tasks.filter((one) => one.projectId === row.id);
      case "project":
        return all.projects.filter((one) => one.id === row.projectId);
      case "children":
        return all.tasks.filter((one) => one.parentId === row.id);
      case "labels": {
        const links = all.taskLabels.filter((link) => link.taskId === row.id);
        return all.labels.filter((label) => links.some((link) => link.labelId === label.id));
      }
      default:
        return undefined;
    }
  },
};

beforeAll(async () => {
  await fill(workbench);
  const limit = { limit: 100 };
  all.people = (await people.list(limit)).data;
  all.projects = (await projects.list(limit)).data;
  all.tasks = (await tasks.list(limit)).data;
  all.labels = (await labels.list(limit)).data;
  all.taskLabels = (await taskLabels.list(limit)).data;
  all.things = (await things.list(limit)).data;
  const sorted = await db.sql<{ word: string }>`
    select word from unnest(${["a", "b", "ab", "%", "a b", ""]}::text[]) word order by word`;
  sorted.forEach(({ word }, rank) => {
    ranks.set(word, rank);
  });
});

describe("a random where", () => {
  it(
    "finds the rows that a naive reading of it finds",
    async () => {
      let [asked, some] = [0, 0];
      const compare = async (
        where: unknown,
        rows: readonly Row[],
        list: PromiseLike<{ readonly data: readonly Row[] }>,
      ) => {
        const found = await Promise.resolve(list).catch((error: { code?: string }) => {
          // Such as a `mode` alone: the arbitraries do not know which operators belong together.
          expect(error.code).toBe("INVALID_QUERY");
        });
        if (found === undefined) return;
        const expected = rows.filter((row) => holds(world, where, row) === true);
        asked += 1;
        if (expected.length > 0 && expected.length < rows.length) some += 1;
        expect(found.data.map((row) => row.id)).toEqual(expected.map((row) => row.id));
      };
      await fc.assert(
        fc.asyncProperty(plainThing, task, project, async ([thing], [task], [project]) => {
          await compare(thing, all.things, things.list({ where: thing as never, limit: 100 }));
          await compare(task, all.tasks, tasks.list({ where: task as never, limit: 100 }));
          await compare(project, all.projects, projects.list({ where: project as never, limit: 100 }));
        }),
        { seed: 20261121, numRuns: soakRuns(10_000) },
      );
      expect(asked).toBeGreaterThan(150);
      expect(some).toBeGreaterThan(50);
    },
    SOAK_TIMEOUT_MS,
  );
});
