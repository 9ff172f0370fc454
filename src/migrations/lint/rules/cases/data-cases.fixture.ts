import { NOTES, TASKS } from "../../corpus/grounds.fixture.ts";
import { filled, ruleCase } from "./rule-case.fixture.ts";

/** `data/*`. */
export const DATA_CASES = [
  ruleCase(
    "data/truncate",
    NOTES,
    "truncate notes",
    { up: "create table papers (id bigint primary key)", down: "truncate papers;\ndrop table papers" },
    { fix: "advice" },
  ),
  ruleCase("data/delete-all", NOTES, "delete from notes", "delete from notes where id = 7", {
    fix: filled("rating = 0"),
  }),
  ruleCase(
    "data/update-all",
    NOTES,
    "update notes set body = ''",
    "update notes set body = '' where id = 7",
    {
      fix: filled("body = ''", "body <> ''"),
    },
  ),
  ruleCase(
    "data/unbatched-write",
    NOTES,
    "update notes set body = '' where rating = 0",
    "update notes set body = '' where id = 7",
    { fix: filled("body = ''", "rating = 0 and body <> ''") },
  ),
  ruleCase(
    "data/unbatched-write",
    NOTES,
    "delete from notes where rating = 0",
    "delete from notes where id between 7 and 9",
    { when: "deleted", fix: filled("rating = 0") },
  ),
  ruleCase("data/drop-cascade", TASKS, "drop table projects cascade", "drop table comments cascade", {
    fix: "advice",
  }),
];
