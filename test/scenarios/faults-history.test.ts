/**
 * What could make a history that is not so (row 81 of the fault list). What is recorded of one writer at a time, and who
 * may touch it, is tested in `src/history/` (`recording`, `guard`, `actor`, `upkeep`).
 */
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Connection, connect, parseTarget } from "../../src/driver/index.ts";
import { openLedger } from "../../src/history/ledger.fixture.ts";

const { run, url, repo, db } = await openLedger();

interface Event {
  readonly operation: string;
  readonly before: Readonly<Record<string, string>> | null;
  readonly after: Readonly<Record<string, string>> | null;
}

async function eventsOf(key: string): Promise<readonly Event[]> {
  const rows = await run(
    `select operation, before, after from shares_history where row_key = '${key}' order by version`,
  );
  return rows.map(([operation, before, after]) => ({
    operation: operation ?? "",
    before: JSON.parse(before ?? "null"),
    after: JSON.parse(after ?? "null"),
  }));
}

async function client(): Promise<Connection> {
  const connection = await connect(parseTarget(url));
  await connection.script("set search_path to ledger");
  onTestFinished(() => connection.destroy());
  return connection;
}

describe("many who change the same rows at once", () => {
  const ROWS = 3;
  const WRITERS = 6;
  /** What a writer does next, to which row, and how that ends. */
  const step = fc.record({
    row: fc.nat(ROWS - 1),
    amount: fc.integer({ min: 1, max: 9 }),
    end: fc.constantFrom("commit", "commit", "rollback", "savepoint", "terminate", "repository"),
  });

  it("leave a chain: each change begins where the one before it ended, with those that were committed and no other", async () => {
    await run(`insert into shares select 'chain', i::text, 0 from generate_series(0, ${ROWS - 1}) i`);
    const plans = fc.sample(fc.array(step, { minLength: 8, maxLength: 8 }), { seed: 81, numRuns: WRITERS });
    const committed = Array<number>(ROWS).fill(0);
    const changes = Array<number>(ROWS).fill(0);
    await Promise.all(
      plans.map(async (plan) => {
        let own = await client();
        for (const { row, amount, end } of plan) {
          const add = `update shares set percent = percent + ${amount} where account_id = 'chain' and holder = '${row}'`;
          if (end === "terminate") {
            await own.script(`begin; ${add}`);
            await run(`select pg_terminate_backend(${own.processId}, 5000)`);
            own = await client();
            continue;
          }
          if (end === "repository")
            await repo.shares.increment({ accountId: "chain", holder: String(row) }, { percent: amount });
          else if (end === "savepoint") await own.script(`begin; savepoint s; ${add}; rollback to s; commit`);
          else await own.script(`begin; ${add}; ${end}`);
          if (end !== "commit" && end !== "repository") continue;
          committed[row] = (committed[row] ?? 0) + amount;
          changes[row] = (changes[row] ?? 0) + 1;
        }
      }),
    );
    for (let row = 0; row < ROWS; row++) {
      const [first, ...rest] = await eventsOf(`(chain,${row})`);
      expect(first).toMatchObject({ operation: "insert", after: { percent: "0" } });
      let percent = "0";
      for (const { operation, before, after } of rest) {
        expect([operation, before?.percent]).toEqual(["update", percent]);
        percent = after?.percent ?? "";
      }
      expect([rest.length, percent]).toEqual([changes[row], String(committed[row])]);
      const [[stored]] = (await run(
        `select percent::text from shares where account_id = 'chain' and holder = '${row}'`,
      )) as [[string]];
      expect(stored).toBe(percent);
      // As the repository tells it: numbered in the order in which the changes took effect.
      const { data } = await repo.shares.history({ accountId: "chain", holder: String(row) }, { limit: 1 });
      expect(data[0]?.after?.percent).toBe(committed[row]);
    }
  });
});

describe("what is taken back", () => {
  it.each([
    ["an insert", "insert into shares values ('back', 'new', 1)"],
    ["an update", "update shares set percent = 9 where account_id = 'back'"],
    ["a delete", "delete from shares where account_id = 'back'"],
    ["a TRUNCATE", "truncate shares"],
    [
      "a MERGE",
      "merge into shares s using (values ('back')) v (a) on s.account_id = v.a when matched then delete",
    ],
  ])("leaves no trace: %s", async (_what, text) => {
    await run("insert into shares values ('back', 'old', 1) on conflict do nothing");
    const count = async () => (await run("select count(*)::text from shares_history"))[0]?.[0];
    const before = await count();
    await run(`begin; ${text}; rollback`);
    await run(`begin; savepoint s; ${text}; rollback to s; commit`);
    await expect(
      db.transaction(async () => {
        await db.sql([`set local search_path to ledger`] as unknown as TemplateStringsArray);
        await db.sql([text] as unknown as TemplateStringsArray);
        throw new Error("undo");
      }),
    ).rejects.toThrow("undo");
    expect(await count()).toBe(before);
  });
});

describe("a role that says it is another", () => {
  it("is recorded as the one that logged in, whatever it sets", async () => {
    const [clerk, boss] = [`clerk81_${process.pid}`, `boss81_${process.pid}`];
    await run(
      `create role ${boss}; create role ${clerk} login in role ${boss}; grant usage on schema ledger to ${boss}; grant select, insert on shares to ${boss}`,
    );
    const target = new URL(url);
    target.username = clerk;
    const connection = await connect(parseTarget(target.href));
    onTestFinished(async () => {
      await connection.close();
      await run(`drop owned by ${clerk}, ${boss}; drop role ${clerk}; drop role ${boss}`);
    });
    await connection.script(
      `set role ${boss}; set plinth.user_id = 'boss'; set plinth.role = '${boss}'; insert into ledger.shares values ('spoof', '1', 1)`,
    );
    await expect(connection.script(`set session authorization ${boss}`)).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
    });
    const rows = await run("select role, user_id from shares_history where row_key = '(spoof,1)'");
    expect(rows).toEqual([[clerk, "boss"]]);
  });
});
