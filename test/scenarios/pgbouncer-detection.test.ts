import { createDatabase } from "plinth";
import { describe, expect, it, onTestFinished } from "vitest";
import { connect, parseTarget, type SessionSettings } from "../../src/driver/index.ts";
import * as domain from "../support/domain.ts";
import { openLibrary } from "../support/library.ts";
import { canPool, type PgBouncerOptions, startPgBouncer } from "../support/pgbouncer.ts";
import { rejection } from "../support/rejection.ts";

const { url } = await openLibrary();

/** Passed over in silence, all that Plinth and `pg` could ask for. */
const IGNORES = {
  ignore_startup_parameters:
    "options,extra_float_digits,statement_timeout,lock_timeout,idle_in_transaction_session_timeout",
};
const POOLERS: readonly (readonly [name: string, settings: PgBouncerOptions["settings"]])[] = canPool()
  ? [
      ["refuses start-up options", {}],
      ["ignores start-up options", IGNORES],
    ]
  : [];
const WIRES = ["plinth", "pg"] as const;
const CASES = POOLERS.flatMap(([name, settings]) => WIRES.map((wire) => ({ name, settings, wire })));

async function open(settings: PgBouncerOptions["settings"], session: Partial<SessionSettings> = {}) {
  const bouncer = await startPgBouncer(url, { poolSize: 1, ...(settings === undefined ? {} : { settings }) });
  onTestFinished(() => bouncer.stop());
  const warnings: string[] = [];
  const db = await createDatabase({
    schema: domain,
    url: bouncer.urlOf(url),
    session,
    onWarning: ({ code }) => warnings.push(code),
  });
  onTestFinished(() => db.close());
  return { db, bouncer, warnings };
}

/** What the database says for new sessions, until the test is over. */
async function withDefault(setting: string, value: string): Promise<void> {
  const admin = await connect(parseTarget(url));
  const alter = (text: string) =>
    admin.script(`do $$ begin execute format('alter database %I ${text}', current_database()); end $$`);
  await alter(`set ${setting} = ''${value}''`);
  onTestFinished(async () => {
    await alter(`reset ${setting}`);
    await admin.close();
  });
}

describe.each(CASES)("a pooler that $name, on the $wire wire", ({ settings, wire }) => {
  it("is noticed: no session settings, one warning, whatever is opened later", async () => {
    const { db, warnings } = await open(settings, { wire });
    const all = await Promise.all(
      Array.from({ length: 5 }, () => db.pool.use(async (connection) => connection.hasSessionSettings)),
    );
    expect(all).toEqual([false, false, false, false, false]);
    expect(warnings).toEqual(["POOL_NO_SESSION_SETTINGS"]);
  });

  it("gets the time-outs into every transaction, where they end with it", async () => {
    const { db } = await open(settings, { wire, statementTimeoutMs: 1_234, lockTimeoutMs: 567 });
    const show = () => db.sql<{
      statement: string;
      lock: string;
      idle: string;
    }>`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
         current_setting('idle_in_transaction_session_timeout') as idle`;
    const [before] = await show();
    await db.transaction(async () => {
      expect(await show()).toEqual([{ statement: "1234ms", lock: "567ms", idle: "1min" }]);
      await db.transaction(async () => {
        expect(await show()).toEqual([{ statement: "1234ms", lock: "567ms", idle: "1min" }]);
      });
    });
    expect(await show()).toEqual([before]);
    expect(before).toEqual({ statement: "0", lock: "0", idle: "0" });
  });

  it("ends a statement of a transaction that takes too long", async () => {
    const { db } = await open(settings, { wire, statementTimeoutMs: 100 });
    const slow = db.transaction(() => db.sql`select pg_sleep(20)`);
    expect(await rejection(slow)).toMatchObject({ code: "STATEMENT_TIMEOUT" });
  });
});

describe.each(POOLERS)("behind a pooler that %s", (_name, settings) => {
  it.each([
    ["datestyle", "SQL, DMY"],
    ["intervalstyle", "iso_8601"],
    ["bytea_output", "escape"],
    ["extra_float_digits", "0"],
  ])(
    "a role whose %s makes texts unreadable is refused when connecting, with the fix",
    async (setting, value) => {
      const admin = await connect(parseTarget(url));
      const alter = (text: string) =>
        admin.script(`do $$ begin execute format('alter database %I ${text}', current_database()); end $$`);
      await alter(`set ${setting} = ''${value}''`);
      onTestFinished(async () => {
        await alter(`reset ${setting}`);
        await admin.close();
      });
      const refused = rejection(open(settings));
      expect(await refused).toMatchObject({
        code: "POOLER_ERROR",
        summary: expect.stringContaining(
          `its sessions have ${setting} = ${value}, in which values cannot be read`,
        ),
        hint: expect.stringMatching(`alter role … set ${setting} = '`),
      });
    },
  );

  it("the role's own time-outs hold outside transactions", async () => {
    await withDefault("statement_timeout", "150ms");
    const { db } = await open(settings);
    expect(await rejection(db.sql`select pg_sleep(20)`)).toMatchObject({ code: "STATEMENT_TIMEOUT" });
  });
});

describe("the server itself", () => {
  it.each([0, 1, 999, 60_000, 90_000, 86_400_000, 2_147_483_647])(
    "is no pooler, with time-outs of %i ms",
    async (timeoutMs) => {
      const session = {
        statementTimeoutMs: timeoutMs,
        lockTimeoutMs: timeoutMs,
        idleInTransactionTimeoutMs: timeoutMs,
      };
      const connection = await connect(parseTarget(url, session));
      expect(connection.hasSessionSettings).toBe(true);
      await connection.close();
    },
  );

  it("is no pooler: its settings arrive, and only the first session of a target is asked", async () => {
    const target = parseTarget(url, { statementTimeoutMs: 0, lockTimeoutMs: 61_000 });
    const first = await connect(target);
    const second = await connect(target);
    onTestFinished(async () => {
      await first.close();
      await second.close();
    });
    expect([first.hasSessionSettings, second.hasSessionSettings]).toEqual([true, true]);
    const { rows } = await first.query({
      text: "select pid::text, query from pg_stat_activity where pid = any($1) order by pid = $2 desc",
      values: [`{${first.processId},${second.processId}}`, String(first.processId)],
    });
    expect(rows.map(([, query]) => query)).toEqual([expect.stringContaining("pg_stat_activity"), ""]);
  });
});
