import { describe, expect, it } from "vitest";
import { refuseTransactionControl } from "./index.ts";

describe("refuseTransactionControl", () => {
  it.each([
    "commit",
    "COMMIT",
    "  rollback",
    "end",
    "abort",
    "begin",
    "start transaction",
    "savepoint a",
    "release savepoint a",
    "rollback to savepoint a",
    "commit prepared 'a'",
    "prepare transaction 'a'",
    "prepare /* */ transaction 'a'",
    "/* c */ commit",
    "/* a /* b */ c */ commit",
    "-- c\ncommit",
    "-- c\r\n  /* d */\n-- e\n commit",
    ";commit",
    " ; ; /**/ ; commit;",
    "commit/**/and chain",
  ])("refuses %j", (text) => {
    expect(() => refuseTransactionControl(text)).toThrow(
      expect.objectContaining({ code: "TRANSACTION_CONTROL" }),
    );
  });

  it.each([
    "",
    "select 1",
    "select 'commit'",
    "-- commit",
    "-- commit\nselect 1",
    "/* commit */ select 1",
    "commits",
    "ending",
    "beginning",
    "prepare a as select 1",
    "prepare transactions as select 1",
    "with commit as (select 1) select * from commit",
    "/* never closed commit",
  ])("lets %j pass", (text) => {
    expect(() => refuseTransactionControl(text)).not.toThrow();
  });

  it("names the statement and the way to do it", () => {
    expect(() => refuseTransactionControl("  commit and chain")).toThrow(
      "COMMIT is not sent by hand\n  Use db.transaction(async (tx) => { … }): it commits, rolls back and gives the connection back for you.",
    );
  });

  it("takes time in proportion to the text, however deep the comments", () => {
    const deep = `${"/*".repeat(200_000)}${"*/".repeat(200_000)} commit`;
    const started = performance.now();
    expect(() => refuseTransactionControl(deep)).toThrow();
    expect(() => refuseTransactionControl(`${";".repeat(500_000)} commit`)).toThrow();
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
