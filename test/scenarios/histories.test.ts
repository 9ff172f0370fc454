import type { IsolationLevel } from "plinth";
import { describe, expect, it, onTestFinished } from "vitest";
import { check } from "../support/histories/check.ts";
import { type Finding, FORBIDDEN, type Operation, type Recorded } from "../support/histories/history.ts";
import { disturb, type Recording, record, TABLES } from "../support/histories/record.ts";
import { directly } from "../support/pooler.ts";
import { startProxy } from "../support/proxy.ts";
import { randomFrom } from "../support/random-schema.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../support/soak.ts";
import { workshops } from "../support/workshop.ts";

const open = workshops();
/** What the checker's own sabotage needs to show itself; more than a hundredth of the long run. */
const ENOUGH = 600;

const anomaliesOf = (findings: readonly Finding[]) => [...new Set(findings.map(({ anomaly }) => anomaly))];

function above(level: IsolationLevel, findings: readonly Finding[]): readonly Finding[] {
  const forbidden: readonly string[] = FORBIDDEN[level];
  return findings.filter(({ anomaly }) => forbidden.includes(anomaly));
}

async function recorded(
  options: Pick<Recording, "isolation" | "transactions"> & Partial<Recording>,
  { withFaults = false } = {},
) {
  const direct = directly("ended backends and lost replies");
  const plain = await open(direct);
  const client = await plain.client();
  await client.run(TABLES);
  // Few lists and many workers: who meets in a circle need not wait a second to be told.
  await client.run(`alter database ${new URL(plain.url).pathname.slice(1)} set deadlock_timeout = '20ms'`);
  const proxy = await startProxy(plain.url);
  onTestFinished(() => proxy.close());
  const application = `history-${plain.url.split("/").at(-1)}`;
  const { createDatabase } = await import("plinth");
  const db = await createDatabase({
    schema: await import("../support/workshop-schema.ts"),
    url: proxy.urlFor(plain.url),
    session: { applicationName: application },
    pool: { max: 10 },
    onWarning: () => {},
  });
  onTestFinished(() => db.close({ deadlineMs: 1_000 }));
  const random = randomFrom(options.isolation.length);
  const recording: Recording = { workers: 10, keys: 8, random, ...options };
  const calm = withFaults ? disturb(proxy, client, application, randomFrom(7)) : async () => {};
  try {
    return await record(db, recording);
  } finally {
    await calm();
  }
}

describe.each(["read committed", "repeatable read", "serializable"] as const)("at %s", (isolation) => {
  it(
    "a history under ended backends, lost replies and failed commits shows nothing above the level",
    async () => {
      const history = await recorded({ isolation, transactions: soakRuns(20_000) }, { withFaults: true });
      expect(above(isolation, check(history))).toEqual([]);
      const outcomes = new Set(history.map(({ outcome }) => outcome));
      expect([outcomes.has("ok"), outcomes.has("fail")]).toEqual([true, true]);
    },
    SOAK_TIMEOUT_MS,
  );
});

describe("the checker notices, on real histories,", () => {
  const sabotaged = async (options: Pick<Recording, "isolation"> & Partial<Recording>, faults = false) =>
    anomaliesOf(check(await recorded({ transactions: ENOUGH, keys: 3, ...options }, { withFaults: faults })));

  it("what read committed allows and repeatable read does not", { timeout: SOAK_TIMEOUT_MS }, async () => {
    expect(await sabotaged({ isolation: "read committed" })).toContain("G-single");
  });

  it("what repeatable read allows and serializable does not", { timeout: SOAK_TIMEOUT_MS }, async () => {
    expect(await sabotaged({ isolation: "repeatable read" })).toContain("G2");
  });

  it("a client that runs again what may have been committed", { timeout: SOAK_TIMEOUT_MS }, async () => {
    expect(await sabotaged({ isolation: "read committed", manners: "again" }, true)).toContain("duplicate");
  });

  it("a client that takes a failed commit for a success", { timeout: SOAK_TIMEOUT_MS }, async () => {
    expect(await sabotaged({ isolation: "read committed", manners: "deaf" })).toContain("lost-append");
  });
});

describe("the checker", () => {
  let ids = 0;
  const append = (key: number, value: number): Operation => ({ kind: "append", key, value });
  const read = (key: number, ...list: number[]): Operation => ({ kind: "read", key, list });
  const ok = (...operations: Operation[]): Recorded => ({ id: ++ids, outcome: "ok", operations });
  const fail = (...operations: Operation[]): Recorded => ({ id: ++ids, outcome: "fail", operations });
  const info = (...operations: Operation[]): Recorded => ({ id: ++ids, outcome: "info", operations });

  it.each([
    ["nothing", [], [ok(append(1, 1)), ok(append(1, 2)), ok(read(1, 1)), ok(read(1, 1, 2))]],
    [
      "incompatible-order",
      ["G-single", "incompatible-order"],
      [ok(append(1, 1)), ok(append(1, 2)), ok(read(1, 2)), ok(read(1, 1, 2))],
    ],
    ["duplicate", ["duplicate"], [ok(append(1, 1)), ok(read(1, 1, 1))]],
    ["garbage", ["garbage"], [ok(read(1, 7))]],
    ["lost-append", ["lost-append"], [ok(append(1, 1)), ok(read(1))]],
    ["internal", ["internal", "lost-append"], [ok(append(1, 1), read(1))]],
    ["G1a", ["G1a"], [fail(append(1, 1)), ok(read(1, 1))]],
    ["G1b", ["G-single", "G1b"], [ok(append(1, 1), append(1, 2)), ok(read(1, 1)), ok(read(1, 1, 2))]],
    [
      "G0",
      ["G0"],
      [ok(append(1, 1), append(2, 2)), ok(append(1, 3), append(2, 4)), ok(read(1, 1, 3)), ok(read(2, 4, 2))],
    ],
    ["G1c", ["G1c"], [ok(append(1, 1), read(2, 2)), ok(append(2, 2), read(1, 1))]],
    [
      "G-single, a skewed read",
      ["G-single"],
      [ok(append(1, 1), append(2, 2)), ok(read(1), read(2, 2)), ok(read(1, 1), read(2, 2))],
    ],
    [
      "G-nonadjacent, two skewed reads that meet",
      ["G-nonadjacent"],
      [
        ok(append(1, 1)),
        ok(append(2, 2)),
        ok(read(1, 1), read(2)),
        ok(read(1), read(2, 2)),
        ok(read(1, 1), read(2, 2)),
      ],
    ],
    [
      "G2, skewed writes",
      ["G2"],
      [ok(read(1), append(2, 2)), ok(read(2), append(1, 1)), ok(read(1, 1), read(2, 2))],
    ],
    ["nothing, where nobody saw what may have happened", [], [info(append(1, 1)), ok(read(1))]],
    [
      "what came of what may have happened and was seen",
      ["G0"],
      [
        info(append(1, 1), append(2, 2)),
        ok(append(1, 3), append(2, 4)),
        ok(read(1, 1, 3)),
        ok(read(2, 4, 2)),
      ],
    ],
  ] as const)("finds %s", (_name, anomalies, history) => {
    expect(anomaliesOf(check(history)).toSorted()).toEqual([...anomalies]);
  });
});
