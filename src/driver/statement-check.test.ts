import { describe, expect, it } from "vitest";
import { controlsTransactionOnly, refuseSessionState } from "./statement-check.ts";

const refused = expect.objectContaining({ code: "INVALID_QUERY" });
// What reads a text once needs milliseconds for it; what reads it once for each of its characters, minutes.
const SIZE = 300_000;
const PATIENCE = { timeout: 15_000 };
const many = (piece: string): string => piece.repeat(Math.ceil(SIZE / piece.length));

describe("refuseSessionState", () => {
  it.each([
    "set app.tenant = 'a'",
    "set/**/app.tenant = 'a'",
    "set -- c\n app.tenant = 'a'",
    "/* /* nested */ */ set app.tenant = 'a'",
    "select ';'; set role x",
    "select E'\\'; '; set role x",
    "select $a$ ; $b$ $a$; listen news",
    "select a$b$ from t; reset all",
    "select set_config('a.b', 'c', is_local => false)",
    "select set_config('a.b', 'c', 'false')",
    `do $$ begin end $$; set a.b = '${"c".repeat(100)}'`,
  ])("refuses %j", (text) => {
    expect(() => refuseSessionState(text)).toThrow(refused);
  });

  it.each([
    "set local app.tenant = 'a'",
    "set /* c */ local app.tenant = 'a'",
    "select 'pg_advisory_lock(1)', 'set role x; listen'",
    "select $a$; set role x; $a$",
    "select E'\\'; set role x; '",
    "/* ; set role x */ select 1",
    '-- ; set role x\nselect 1 as "; reset all;"',
    "select set_config('a.b', 'false)', true)",
    "select $1, $2",
    "",
  ])("lets %j pass", (text) => {
    expect(() => refuseSessionState(text)).not.toThrow();
  });

  it.each([
    [
      "dollar quotes without an end, each of its own",
      Array.from({ length: 40_000 }, (_, i) => `$t${i}$ `).join(""),
    ],
    ["dollar quotes without an end", many("$a$b")],
    ["dollars", many("$")],
    ["comments without an end", many("/*")],
    ["comments", many("/**/")],
    ["strings", many("''")],
    ["semicolons", many(";")],
    ["settings", many("set_config(a,")],
    ["a string of ten million characters", `select '${"a".repeat(10_000_000)}'`],
  ])("reads a text once: %s", PATIENCE, (_what, text) => {
    expect(() => refuseSessionState(text)).not.toThrow();
  });
});

describe("controlsTransactionOnly", () => {
  it.each([
    ["begin", true],
    ["begin isolation level serializable; ", true],
    ["set local a = 'b'", true],
    ["begin; select 1", false],
    ["begins", false],
    ["select 1", false],
  ])("knows %j", (text, expected) => {
    expect(controlsTransactionOnly(text)).toBe(expected);
  });

  it("reads a text once, however many blanks are in it", PATIENCE, () => {
    expect(controlsTransactionOnly(`begin${many(" ")};x`)).toBe(false);
    expect(controlsTransactionOnly(`${many(" ")}begin;${many(" ")}`)).toBe(true);
  });
});
