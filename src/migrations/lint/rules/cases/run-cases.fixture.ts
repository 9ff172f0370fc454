import { DOMAINS, NOTES } from "../../corpus/grounds.fixture.ts";
import { above, filled, ruleCase } from "./rule-case.fixture.ts";

const BUILD = "create index concurrently notes_body_idx on notes (body)";
const BUILD_IF = "create index concurrently if not exists notes_body_idx on notes (body)";
const NEW_MOOD = "alter type mood add value 'best';\nupdate boxes set feeling = 'best' where id = 7";
const OUTSIDE = { format: "dbmate", options: " transaction:false" } as const;
const SIDE = `${NOTES};\ncreate schema side`;
const NO_WAY_BACK = { up: "create table papers (id bigint primary key)", down: null };

/** `run/*`. */
export const RUN_CASES = [
  ruleCase("run/syntax", NOTES, "create tabel papers (id bigint)", "create table papers (id bigint)", {
    fix: "advice",
  }),
  ruleCase(
    "run/fails",
    NOTES,
    "alter table notes drop column absent",
    "alter table notes drop column if exists absent",
    { fix: "advice" },
  ),
  ruleCase("run/refused", NOTES, "discard all", "discard plans", { fix: "advice" }),
  ruleCase(
    "run/refused",
    NOTES,
    "copy notes to stdout",
    { up: "copy notes to stdout", format: "plain" },
    {
      when: "needs a client",
      fix: "advice",
    },
  ),
  ruleCase(
    "run/concurrently-in-transaction",
    NOTES,
    { up: BUILD, format: "dbmate" },
    { up: BUILD, ...OUTSIDE },
    { fixForm: OUTSIDE },
  ),
  ruleCase(
    "run/transaction-control",
    NOTES,
    { up: "begin;\nselect 1;\ncommit", format: "dbmate" },
    { up: "begin;\nselect 1;\ncommit", format: "plain" },
    { fix: "advice" },
  ),
  ruleCase("run/if-not-exists-index", NOTES, BUILD_IF, BUILD),
  ruleCase(
    "run/if-not-exists-index",
    NOTES,
    { up: BUILD_IF, ...OUTSIDE },
    { up: BUILD, ...OUTSIDE },
    {
      when: "with another tool",
      fixForm: OUTSIDE,
    },
  ),
  ruleCase("run/enum-value", DOMAINS, { up: NEW_MOOD, format: "dbmate" }, NEW_MOOD, { fix: "advice" }),
  ruleCase(
    "run/not-repeatable",
    NOTES,
    { up: BUILD, ...OUTSIDE },
    { up: BUILD, format: "plinth", options: " transaction:false" },
    { fixForm: OUTSIDE },
  ),
  ruleCase(
    "run/not-repeatable",
    NOTES,
    { up: "drop table notes", ...OUTSIDE },
    { up: "drop table if exists notes", ...OUTSIDE },
    { when: "dropped", fixForm: OUTSIDE },
  ),
  ruleCase(
    "run/server-wide",
    NOTES,
    "alter role current_user set work_mem = '8MB'",
    "set local work_mem = '8MB'",
    {
      fix: "advice",
    },
  ),
  ruleCase("run/search-path", SIDE, "set search_path to side", "set local search_path to side", {
    fix: filled("side"),
  }),
  ruleCase(
    "run/search-path",
    SIDE,
    "select set_config('search_path', 'side', false)",
    "select set_config('search_path', 'side', true)",
    {
      when: "by a function",
      fix: filled("side"),
    },
  ),
  ruleCase(
    "run/no-way-back",
    NOTES,
    NO_WAY_BACK,
    { ...NO_WAY_BACK, down: "drop table papers" },
    {
      fix: above,
      fixForm: { down: null },
    },
  ),
  ruleCase(
    "run/needs-version",
    NOTES,
    { up: "alter table notes add column size integer generated always as (rating * 2) virtual", version: 15 },
    { up: "alter table notes add column size integer generated always as (rating * 2) stored", version: 15 },
    { fix: "advice" },
  ),
  ruleCase(
    "run/needs-version",
    NOTES,
    { up: "alter table notes add column token uuid default uuidv7()", version: 17 },
    { up: "alter table notes add column token uuid default gen_random_uuid()", version: 17 },
    { when: "a function", fix: "advice" },
  ),
];
