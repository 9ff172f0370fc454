import type { IsolationLevel } from "plinth";
import { describe, expect, it } from "vitest";
import { play, type Step } from "../support/isolation/sessions.ts";
import { workshops } from "../support/workshop.ts";

/**
 * The scenarios of hermitage (https://github.com/ept/hermitage), through `db.transaction`: what each level forbids does not
 * happen, and what it allows does, so that no level is stricter than it says.
 */
const open = workshops();

const ALL = "select id, value from workshop.test order by id";
const row = (id: number) => `select id, value from workshop.test where id = ${id}`;
const set = (id: number, value: number | string) =>
  `update workshop.test set value = ${value} where id = ${id} returning id, value`;

interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly answers: Readonly<Record<IsolationLevel, readonly string[]>>;
  /** The rows at the end. */
  readonly end: Readonly<Record<IsolationLevel, string>>;
}

const same = <T>(answer: T): Readonly<Record<IsolationLevel, T>> => ({
  "read committed": answer,
  "repeatable read": answer,
  serializable: answer,
});

const FAILED = "SERIALIZATION_FAILURE";

const SCENARIOS: readonly Scenario[] = [
  {
    name: "G0: a dirty write waits",
    steps: [
      [1, set(1, 11)],
      [2, set(1, 12)],
      [1, set(2, 21)],
      [1, "commit"],
      [2, set(2, 22)],
      [2, "commit"],
    ],
    answers: {
      "read committed": ["1=>11", "blocks, then 1=>12", "2=>21", "ok", "2=>22", "ok"],
      "repeatable read": ["1=>11", `blocks, then ${FAILED}`, "2=>21", "ok", "-", "-"],
      serializable: ["1=>11", `blocks, then ${FAILED}`, "2=>21", "ok", "-", "-"],
    },
    end: { "read committed": "1=>12 2=>22", "repeatable read": "1=>11 2=>21", serializable: "1=>11 2=>21" },
  },
  {
    name: "G1a: what was rolled back is never read",
    steps: [
      [1, set(1, 101)],
      [2, ALL],
      [1, "rollback"],
      [2, ALL],
      [2, "commit"],
    ],
    answers: same(["1=>101", "1=>10 2=>20", "ok", "1=>10 2=>20", "ok"]),
    end: same("1=>10 2=>20"),
  },
  {
    name: "G1b: what was not final is never read",
    steps: [
      [1, set(1, 101)],
      [2, ALL],
      [1, set(1, 11)],
      [1, "commit"],
      [2, ALL],
      [2, "commit"],
    ],
    answers: {
      "read committed": ["1=>101", "1=>10 2=>20", "1=>11", "ok", "1=>11 2=>20", "ok"],
      "repeatable read": ["1=>101", "1=>10 2=>20", "1=>11", "ok", "1=>10 2=>20", "ok"],
      serializable: ["1=>101", "1=>10 2=>20", "1=>11", "ok", "1=>10 2=>20", "ok"],
    },
    end: same("1=>11 2=>20"),
  },
  {
    name: "G1c: two do not read each other's writes",
    steps: [
      [1, set(1, 11)],
      [2, set(2, 22)],
      [1, row(2)],
      [2, row(1)],
      [1, "commit"],
      [2, "commit"],
    ],
    answers: {
      "read committed": ["1=>11", "2=>22", "2=>20", "1=>10", "ok", "ok"],
      "repeatable read": ["1=>11", "2=>22", "2=>20", "1=>10", "ok", "ok"],
      serializable: ["1=>11", "2=>22", "2=>20", "1=>10", "ok", FAILED],
    },
    end: { "read committed": "1=>11 2=>22", "repeatable read": "1=>11 2=>22", serializable: "1=>11 2=>20" },
  },
  {
    name: "OTV: a transaction that was observed does not vanish",
    steps: [
      [3, row(9)],
      [1, set(1, 11)],
      [1, set(2, 19)],
      [2, set(1, 12)],
      [1, "commit"],
      [3, row(1)],
      [2, set(2, 18)],
      [3, row(2)],
      [2, "commit"],
      [3, ALL],
      [3, "commit"],
    ],
    answers: {
      "read committed": [
        "none",
        "1=>11",
        "2=>19",
        "blocks, then 1=>12",
        "ok",
        "1=>11",
        "2=>18",
        "2=>19",
        "ok",
        "1=>12 2=>18",
        "ok",
      ],
      "repeatable read": [
        "none",
        "1=>11",
        "2=>19",
        `blocks, then ${FAILED}`,
        "ok",
        "1=>10",
        "-",
        "2=>20",
        "-",
        "1=>10 2=>20",
        "ok",
      ],
      serializable: [
        "none",
        "1=>11",
        "2=>19",
        `blocks, then ${FAILED}`,
        "ok",
        "1=>10",
        "-",
        "2=>20",
        "-",
        "1=>10 2=>20",
        "ok",
      ],
    },
    end: { "read committed": "1=>12 2=>18", "repeatable read": "1=>11 2=>19", serializable: "1=>11 2=>19" },
  },
  {
    name: "PMP: a predicate is read twice",
    steps: [
      [1, "select id, value from workshop.test where value = 30"],
      [2, "insert into workshop.test (id, value) values (3, 30)"],
      [2, "commit"],
      [1, "select id, value from workshop.test where value % 3 = 0"],
      [1, "commit"],
    ],
    answers: {
      "read committed": ["none", "none", "ok", "3=>30", "ok"],
      "repeatable read": ["none", "none", "ok", "none", "ok"],
      serializable: ["none", "none", "ok", "none", "ok"],
    },
    end: same("1=>10 2=>20 3=>30"),
  },
  {
    name: "PMP: a predicate is written by",
    steps: [
      [1, "update workshop.test set value = value + 10"],
      [2, "delete from workshop.test where value = 20"],
      [1, "commit"],
      [2, "select id, value from workshop.test where value = 20"],
      [2, "commit"],
    ],
    answers: {
      "read committed": ["none", "blocks, then none", "ok", "1=>20", "ok"],
      "repeatable read": ["none", `blocks, then ${FAILED}`, "ok", "-", "-"],
      serializable: ["none", `blocks, then ${FAILED}`, "ok", "-", "-"],
    },
    end: same("1=>20 2=>30"),
  },
  {
    name: "P4: an update is lost",
    steps: [
      [1, row(1)],
      [2, row(1)],
      [1, set(1, 11)],
      [2, set(1, 11)],
      [1, "commit"],
      [2, "commit"],
    ],
    answers: {
      "read committed": ["1=>10", "1=>10", "1=>11", "blocks, then 1=>11", "ok", "ok"],
      "repeatable read": ["1=>10", "1=>10", "1=>11", `blocks, then ${FAILED}`, "ok", "-"],
      serializable: ["1=>10", "1=>10", "1=>11", `blocks, then ${FAILED}`, "ok", "-"],
    },
    end: same("1=>11 2=>20"),
  },
  {
    name: "G-single: a read is skewed",
    steps: [
      [1, row(1)],
      [2, ALL],
      [2, set(1, 12)],
      [2, set(2, 18)],
      [2, "commit"],
      [1, row(2)],
      [1, "commit"],
    ],
    answers: {
      "read committed": ["1=>10", "1=>10 2=>20", "1=>12", "2=>18", "ok", "2=>18", "ok"],
      "repeatable read": ["1=>10", "1=>10 2=>20", "1=>12", "2=>18", "ok", "2=>20", "ok"],
      serializable: ["1=>10", "1=>10 2=>20", "1=>12", "2=>18", "ok", "2=>20", "ok"],
    },
    end: same("1=>12 2=>18"),
  },
  {
    name: "G-single: a read is skewed by a predicate",
    steps: [
      [1, "select id, value from workshop.test where value % 5 = 0"],
      [2, "update workshop.test set value = 12 where value = 10"],
      [2, "commit"],
      [1, "select id, value from workshop.test where value % 3 = 0"],
      [1, "commit"],
    ],
    answers: {
      "read committed": ["1=>10 2=>20", "none", "ok", "1=>12", "ok"],
      "repeatable read": ["1=>10 2=>20", "none", "ok", "none", "ok"],
      serializable: ["1=>10 2=>20", "none", "ok", "none", "ok"],
    },
    end: same("1=>12 2=>20"),
  },
  {
    name: "G-single: a skewed read decides a delete",
    steps: [
      [1, row(1)],
      [2, ALL],
      [2, set(1, 12)],
      [2, set(2, 18)],
      [2, "commit"],
      [1, "delete from workshop.test where value = 20 returning id, value"],
      [1, "commit"],
    ],
    answers: {
      "read committed": ["1=>10", "1=>10 2=>20", "1=>12", "2=>18", "ok", "none", "ok"],
      "repeatable read": ["1=>10", "1=>10 2=>20", "1=>12", "2=>18", "ok", FAILED, "-"],
      serializable: ["1=>10", "1=>10 2=>20", "1=>12", "2=>18", "ok", FAILED, "-"],
    },
    end: same("1=>12 2=>18"),
  },
  {
    name: "G-single: a delete waits for one that rolls back",
    steps: [
      [1, row(1)],
      [2, ALL],
      [2, set(1, 12)],
      [2, set(2, 18)],
      [1, "delete from workshop.test where value = 20 returning id, value"],
      [2, "rollback"],
      [1, "commit"],
    ],
    answers: same(["1=>10", "1=>10 2=>20", "1=>12", "2=>18", "blocks, then 2=>20", "ok", "ok"]),
    end: same("1=>10"),
  },
  {
    name: "G2-item: writes are skewed",
    steps: [
      [1, "select id, value from workshop.test where id in (1, 2)"],
      [2, "select id, value from workshop.test where id in (1, 2)"],
      [1, set(1, 11)],
      [2, set(2, 21)],
      [1, "commit"],
      [2, "commit"],
    ],
    answers: {
      "read committed": ["1=>10 2=>20", "1=>10 2=>20", "1=>11", "2=>21", "ok", "ok"],
      "repeatable read": ["1=>10 2=>20", "1=>10 2=>20", "1=>11", "2=>21", "ok", "ok"],
      serializable: ["1=>10 2=>20", "1=>10 2=>20", "1=>11", "2=>21", "ok", FAILED],
    },
    end: { "read committed": "1=>11 2=>21", "repeatable read": "1=>11 2=>21", serializable: "1=>11 2=>20" },
  },
  {
    name: "G2: writes are skewed by predicates",
    steps: [
      [1, "select id, value from workshop.test where value % 3 = 0"],
      [2, "select id, value from workshop.test where value % 3 = 0"],
      [1, "insert into workshop.test (id, value) values (3, 30)"],
      [2, "insert into workshop.test (id, value) values (4, 42)"],
      [1, "commit"],
      [2, "commit"],
    ],
    answers: {
      "read committed": ["none", "none", "none", "none", "ok", "ok"],
      "repeatable read": ["none", "none", "none", "none", "ok", "ok"],
      serializable: ["none", "none", "none", "none", "ok", FAILED],
    },
    end: {
      "read committed": "1=>10 2=>20 3=>30 4=>42",
      "repeatable read": "1=>10 2=>20 3=>30 4=>42",
      serializable: "1=>10 2=>20 3=>30",
    },
  },
  {
    name: "G2: a third that only reads makes two of them fail (Fekete)",
    steps: [
      [1, ALL],
      [2, set(2, "value + 5")],
      [2, "commit"],
      [3, ALL],
      [3, "commit"],
      [1, set(1, 0)],
      [1, "commit"],
    ],
    answers: {
      "read committed": ["1=>10 2=>20", "2=>25", "ok", "1=>10 2=>25", "ok", "1=>0", "ok"],
      "repeatable read": ["1=>10 2=>20", "2=>25", "ok", "1=>10 2=>25", "ok", "1=>0", "ok"],
      serializable: ["1=>10 2=>20", "2=>25", "ok", "1=>10 2=>25", "ok", FAILED, "-"],
    },
    end: { "read committed": "1=>0 2=>25", "repeatable read": "1=>0 2=>25", serializable: "1=>10 2=>25" },
  },
];

const WAITING = `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

const LEVELS: readonly IsolationLevel[] = ["read committed", "repeatable read", "serializable"];

describe.each(LEVELS)("at %s", (level) => {
  it.each(SCENARIOS)("$name", async ({ steps, answers, end }) => {
    const { db, client, quiet } = await open({ pool: { max: 4 } });
    const other = await client();
    await other.run("create table workshop.test (id int primary key, value int not null)");
    await other.run("insert into workshop.test values (1, 10), (2, 20)");
    const waiting = async () => Number((await other.run(WAITING))[0]?.[0]);
    expect(await play(db, level, steps, waiting)).toEqual(answers[level]);
    const rows = await other.run("select id || '=>' || value from workshop.test order by id");
    expect(rows.map(([text]) => text).join(" ")).toBe(end[level]);
    await quiet();
  });
});

describe("a lost update at read committed", () => {
  const counted = async (
    change: (workshop: Awaited<ReturnType<typeof open>>, id: string) => Promise<unknown>,
  ) => {
    const workshop = await open({ pool: { max: 8 } });
    const { id } = await workshop.repo.people.create({ email: "a@example.com", name: "A" });
    await Promise.all(Array.from({ length: 20 }, () => change(workshop, id)));
    return (await workshop.repo.people.get(id)).score;
  };

  it("happens to who reads, thinks and writes", async () => {
    const score = await counted(({ db, repo }, id) =>
      db.transaction(async () => {
        const { score: seen } = await repo.people.get(id);
        await repo.people.update(id, { score: seen + 1 });
      }),
    );
    expect(score).toBeLessThan(20);
  });

  it("does not happen to who locks the row first", async () => {
    const score = await counted(({ db, repo }, id) =>
      db.transaction(async () => {
        const { score: seen } = await repo.people.get(id, { lock: "update" });
        await repo.people.update(id, { score: seen + 1 });
      }),
    );
    expect(score).toBe(20);
  });

  it("does not happen to who changes the value where it is", async () => {
    expect(await counted(({ repo }, id) => Promise.resolve(repo.people.increment(id, { score: 1 })))).toBe(
      20,
    );
  });

  it("is noticed by who insists on what was seen", async () => {
    const score = await counted(async ({ repo }, id) => {
      for (;;) {
        const { score: seen } = await repo.people.get(id);
        const isMine = await repo.people.update(id, { score: seen + 1 }, { where: { score: seen } }).then(
          () => true,
          () => false,
        );
        if (isMine) return;
      }
    });
    expect(score).toBe(20);
  });
});
