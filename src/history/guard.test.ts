import { appSchema, entity, ulidKey } from "plinth/schema";
import { describe, expect, it } from "vitest";
import { BEHAVIOURS } from "../behaviours.ts";
import { renderSchema } from "../catalog/index.ts";
import { connect, parseTarget } from "../driver/index.ts";
import { describeSchema, describeTable } from "../schema/index.ts";
import { openLedger, shares } from "./ledger.fixture.ts";
import { pastOf } from "./past.ts";

const { run, url } = await openLedger();

/** What a role that is nobody's owner may do, with every right that somebody could give in passing. */
async function asClerk(
  text: string,
  rights = "grant select, insert, update, delete, truncate on shares to clerk",
) {
  const clerk = `clerk_${process.pid}`;
  await run(
    `do $$ begin if not exists (select from pg_roles where rolname = '${clerk}') then create role ${clerk} login; end if; end $$;
    grant usage, create on schema ledger to ${clerk}; grant temporary on database ${new URL(url).pathname.slice(1)} to ${clerk}; ${rights.replaceAll(" clerk", ` ${clerk}`)}`,
  );
  const target = new URL(url);
  target.username = clerk;
  const connection = await connect(parseTarget(target.href));
  try {
    await connection.script("set search_path to ledger");
    return { clerk, rows: (await connection.script(text)).at(-1)?.rows ?? [] };
  } finally {
    await connection.close();
    await run(`drop owned by ${clerk}; drop role ${clerk}`);
  }
}

const EVERYTHING = "grant all on all tables in schema ledger to clerk";
const refused = (message: RegExp) =>
  expect.objectContaining({ code: "PERMISSION_DENIED", serverMessage: expect.stringMatching(message) });

describe("an ordinary role", () => {
  it("writes history by its changes alone, under its own name, whoever it says it is", async () => {
    const { clerk } = await asClerk(
      "begin; select set_config('plinth.user_id', 'the boss', true); insert into shares values ('g', '1', 1); commit",
    );
    expect(await run("select operation, user_id, role from shares_history where row_key = '(g,1)'")).toEqual([
      ["insert", "the boss", clerk],
    ]);
  });

  it("reads a past with a right on the history, and is told which one where it has none", async () => {
    const past = `select count(*) from ${pastOf(describeTable(shares), "clock_timestamp()")} t`;
    const { rows } = await asClerk(past, "grant select on shares, shares_history to clerk");
    expect(rows).toHaveLength(1);
    await expect(asClerk(past, "grant select on shares to clerk")).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      hint: expect.stringContaining("grant select on shares_history to the role"),
    });
  });

  it("is granted it by a declaration, which a right on the table alone is not", () => {
    const app = appSchema("shop");
    const items = entity(app, "items", { id: ulidKey() }, { history: true });
    const privileges = ["select"] as const;
    const readers = app.grant({ on: items, to: "reader", privileges: [...privileges] });
    const auditors = app.grant({ on: items, history: true, to: "auditor", privileges: [...privileges] });
    const { up } = renderSchema(describeSchema({ app, items, readers, auditors }), BEHAVIOURS);
    expect(up.filter((text) => text.startsWith("grant"))).toEqual([
      'grant select on table "items" to "reader"',
      'grant select on table "items_history" to "auditor"',
    ]);
    expect(() => app.grant({ on: items, history: true, to: "auditor", privileges: ["insert"] })).toThrow(
      "grant on a history: unknown privilege",
    );
    expect(() =>
      app.grant({ on: items, history: true, to: "auditor", privileges: ["select"], columns: ["id"] }),
    ).toThrow("names no columns");
  });

  it.each([
    "select * from shares_history",
    "insert into shares_history (operation, row_key) values ('insert', 'forged')",
    "update shares_history set user_id = 'forged'",
    "delete from shares_history_default",
    "truncate shares_history",
  ])("without rights on it may not: %s", async (text) => {
    await expect(asClerk(text)).rejects.toThrow(expect.objectContaining({ code: "PERMISSION_DENIED" }));
  });

  it.each([
    "insert into shares_history (operation, row_key) values ('insert', 'forged')",
    "insert into shares_history_default (version, operation, row_key) overriding system value values (1, 'insert', 'forged')",
    "update shares_history set user_id = 'forged'",
    "update shares_history_default set user_id = 'forged'",
    "delete from shares_history",
    "delete from shares_history_default",
    "truncate shares_history",
    "truncate shares_history_default",
    "set plinth.history_pruning to 'on'; delete from shares_history",
    "merge into shares_history h using (values (1)) v (x) on true when matched then delete",
  ])("with all rights on it may not: %s", async (text) => {
    await run("insert into shares values ('g', '2', 1) on conflict do nothing");
    await expect(asClerk(text, EVERYTHING)).rejects.toThrow(
      refused(/history is written by its triggers only/),
    );
  });

  it("may not with what may be granted on, nor with a predefined role, however the owner identifies rows", async () => {
    await run("insert into shares values ('g', '5', 1) on conflict do nothing");
    const forge = "insert into shares_history (operation, row_key) values ('insert', 'forged')";
    const grants =
      "grant all on all tables in schema ledger to clerk with grant option; grant pg_write_all_data to clerk";
    await expect(asClerk(forge, grants)).rejects.toThrow(refused(/written by its triggers only/));
    await expect(run("grant trigger on shares_history_pkey to public")).rejects.toThrow(/is an index/);
    for (const identity of ["nothing", "full", "default"]) {
      await run(`alter table shares_history replica identity ${identity}`);
      await expect(asClerk(forge, grants)).rejects.toThrow(refused(/written by its triggers only/));
      await run("update shares set percent = percent + 1 where holder = '5'");
    }
  });

  it("cannot have rows of another table recorded as a table's own", async () => {
    const statement = "referencing new table as new_rows for each statement";
    for (const [recorder, columns, row, level] of [
      ["shares", "account_id text, holder text, percent int, permille int", "'x', 'forged', 1, 1", statement],
      ["postings", "id text, year int, cents int", "'forged', 2026, 1", "for each row"],
    ] as const) {
      const forged = asClerk(
        `create table mine_${recorder} (${columns});
        create trigger forge after insert on mine_${recorder} ${level} execute function ledger.${recorder}_record_history();
        insert into mine_${recorder} values (${row})`,
      );
      await expect(forged).rejects.toThrow(refused(/is that of its own rows/));
    }
  });

  it("cannot write past its history by a temporary table of its name", async () => {
    await run("insert into shares values ('g', '3', 1)");
    for (const name of ["shares_history", "shares"]) {
      await expect(
        asClerk(`create temporary table ${name} (x int); update ledger.shares set percent = 2`),
      ).rejects.toThrow(refused(/a temporary table stands before/));
    }
  });
});

describe("the owner", () => {
  it.each([
    "update shares_history set user_id = null",
    "delete from shares_history",
    "truncate shares_history",
  ])("does not change history by accident: %s", async (text) => {
    await run("insert into shares values ('g', '4', 1) on conflict do nothing");
    await expect(run(text)).rejects.toThrow(refused(/history is never changed/));
  });
});
