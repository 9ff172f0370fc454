import fc from "fast-check";
import { add, given, multiply, subtract } from "plinth";
import { describe, expect, it } from "vitest";
import { rejection } from "../../../test/support/rejection.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../test/support/soak.ts";
import { openShop } from "./shop.fixture.ts";

const SEED = 20261121;
const { repo } = await openShop();
const { visits } = repo;

interface Visit {
  readonly page: string;
  readonly day: string;
  readonly views: number;
  readonly note: string | null;
}

/** The table as a map, with what each call should do to it. */
type Table = Map<string, Visit>;

const keyOf = ({ page, day }: Pick<Visit, "page" | "day">) => `${page} ${day}`;
const on = ["page", "day"] as const;

const key = fc.record({
  page: fc.constantFrom("a", "b", 'c"\\{},', "NULL"),
  day: fc.constantFrom("2026-01-01", "2026-01-02", "2026-01-03"),
});
const note = fc.option(fc.constantFrom("", "x", "NULL", 'q"\\'), { nil: null });
const row = fc
  .record({ key, views: fc.integer({ min: 0, max: 9 }), note: fc.option(note, { nil: undefined }) })
  .map(({ key: parts, views, note: given }) => ({
    ...parts,
    views,
    ...(given === undefined ? {} : { note: given }),
  }));
const rows = fc.uniqueArray(row, { selector: keyOf, maxLength: 8 });

const CHANGES = {
  add: {
    patch: (n: number) => ({ views: add(n) }),
    apply: (v: Visit, n: number) => ({ ...v, views: v.views + n }),
  },
  subtract: {
    patch: (n: number) => ({ views: subtract(n) }),
    apply: (v: Visit, n: number) => ({ ...v, views: v.views - n }),
  },
  multiply: {
    patch: () => ({ views: multiply(-1) }),
    apply: (v: Visit) => ({ ...v, views: 0 - v.views }),
  },
  write: {
    patch: (n: number) => ({ note: `n${n}` }),
    apply: (v: Visit, n: number) => ({ ...v, note: `n${n}` }),
  },
  clear: { patch: () => ({ note: null, views: 0 }), apply: (v: Visit) => ({ ...v, note: null, views: 0 }) },
};
const change = fc.constantFrom(...Object.values(CHANGES));
const amount = fc.integer({ min: 0, max: 5 });

type Step = (table: Table) => Promise<void>;

const ignoring = rows.map(
  (inputs): Step =>
    async (table) => {
      const fresh = inputs.filter((input) => !table.has(keyOf(input)));
      const made = await visits.createMany(inputs, { onConflict: "ignore", on, returning: false });
      expect(made).toBe(fresh.length);
      for (const input of fresh) table.set(keyOf(input), { note: null, ...input });
    },
);

const upserting = fc.tuple(rows, fc.constantFrom("all", "views", "sum", "fixed")).map(
  ([inputs, how]): Step =>
    async (table) => {
      const update = {
        all: undefined,
        views: ["views"] as const,
        sum: { views: add(given()) },
        fixed: { note: "f" },
      }[how];
      const expected = inputs.map((input): Visit => {
        const old = table.get(keyOf(input));
        if (old === undefined) return { note: null, ...input };
        if (how === "all") return { ...old, ...input };
        if (how === "fixed") return { ...old, note: "f" };
        return { ...old, views: how === "sum" ? old.views + input.views : input.views };
      });
      const options = update === undefined ? { on } : { on, update };
      expect(await visits.upsertMany(inputs, options)).toEqual(expected);
      for (const visit of expected) table.set(keyOf(visit), visit);
    },
);

const changing = fc.tuple(change, amount, fc.integer({ min: -3, max: 9 })).map(
  ([{ patch, apply }, n, least]): Step =>
    async (table) => {
      const fitting = [...table.values()].filter(({ views }) => views >= least);
      const changed = await visits.updateMany({ where: { views: { gte: least } } }, patch(n), {
        returning: true,
      });
      expect(sorted(changed)).toEqual(sorted(fitting.map((visit) => apply(visit, n))));
      for (const visit of fitting) table.set(keyOf(visit), apply(visit, n));
    },
);

const each = fc
  .uniqueArray(fc.record({ key, how: change, n: amount }), {
    selector: (item) => keyOf(item.key),
    maxLength: 6,
  })
  .map(
    (items): Step =>
      async (table) => {
        const expected = items.map(({ key: parts, how, n }) => {
          const old = table.get(keyOf(parts));
          return old && how.apply(old, n);
        });
        const changes = items.map(({ key: parts, how, n }) => ({ key: parts, patch: how.patch(n) }));
        expect(await visits.updateEach(changes, { returning: true })).toEqual(expected);
        for (const visit of expected) if (visit !== undefined) table.set(keyOf(visit), visit);
      },
  );

const onlyIf = fc.tuple(key, amount).map(
  ([parts, views]): Step =>
    async (table) => {
      const old = table.get(keyOf(parts));
      const call = visits.update(parts, { views: subtract(1) }, { where: { views: { gt: views } } });
      if (old !== undefined && old.views > views) {
        table.set(keyOf(parts), { ...old, views: old.views - 1 });
        expect(await call).toEqual(table.get(keyOf(parts)));
      } else {
        const code = old === undefined ? "NOT_FOUND" : "CONDITION_FAILED";
        expect(await rejection(call)).toMatchObject({ code });
      }
    },
);

const deleting = fc.tuple(key, amount).map(
  ([{ page }, views]): Step =>
    async (table) => {
      const gone = [...table.values()].filter((visit) => visit.page === page && visit.views < views);
      expect(await visits.deleteMany({ where: { page, views: { lt: views } } })).toBe(gone.length);
      for (const visit of gone) table.delete(keyOf(visit));
    },
);

function sorted(all: Iterable<Visit>): readonly Visit[] {
  return [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

describe("writes of many rows", () => {
  it(
    "do what a table in memory does, whatever their order",
    async () => {
      const step = fc.oneof(ignoring, upserting, changing, each, onlyIf, deleting);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
          await visits.deleteMany({ where: "all" });
          const table: Table = new Map();
          for (const work of steps) await work(table);
          const all = await visits.deleteMany({ where: "all" }, { returning: true });
          expect(sorted(all)).toEqual(sorted(table.values()));
        }),
        { seed: SEED, numRuns: soakRuns(1_000) },
      );
    },
    SOAK_TIMEOUT_MS,
  );
});
