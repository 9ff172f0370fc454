import { NOTES } from "../../corpus/grounds.fixture.ts";
import { ruleCase } from "./rule-case.fixture.ts";

const DROP = "alter table notes drop column body";
const ALLOWED = `-- plinth:allow breaks/drop-column: nothing reads it\n${DROP}`;
const fillReason = (fix: string): string =>
  `${fix.replace(/(?:why it is all right here|…)$/, "nothing reads it")}\n${DROP}`;

/** `allowance/*`. */
export const ALLOWANCE_CASES = [
  ruleCase("allowance/without-reason", NOTES, `-- plinth:allow breaks/drop-column\n${DROP}`, ALLOWED, {
    fix: fillReason,
  }),
  ruleCase("allowance/without-reason", NOTES, `-- plinth:allow breaks/drop-column: …\n${DROP}`, ALLOWED, {
    when: "left to be filled in",
    fix: fillReason,
  }),
  ruleCase(
    "allowance/unused",
    NOTES,
    "-- plinth:allow breaks/drop-column: nothing reads it\nselect 1",
    ALLOWED,
    {
      fix: "advice",
    },
  ),
  ruleCase(
    "allowance/unknown-rule",
    NOTES,
    `-- plinth:allow breaks/drop-colum: nothing reads it\n${DROP}`,
    ALLOWED,
    { fix: fillReason },
  ),
];
