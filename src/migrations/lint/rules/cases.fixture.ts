import { ALLOWANCE_CASES } from "./cases/allowance-cases.fixture.ts";
import { BREAK_CASES } from "./cases/break-cases.fixture.ts";
import { DATA_CASES } from "./cases/data-cases.fixture.ts";
import { DESIGN_CASES } from "./cases/design-cases.fixture.ts";
import { LOCK_CASES } from "./cases/lock-cases.fixture.ts";
import type { RuleCase } from "./cases/rule-case.fixture.ts";
import { RUN_CASES } from "./cases/run-cases.fixture.ts";

/** At least one of every rule. */
export const RULE_CASES: readonly RuleCase[] = [
  ...LOCK_CASES,
  ...BREAK_CASES,
  ...DATA_CASES,
  ...RUN_CASES,
  ...DESIGN_CASES,
  ...ALLOWANCE_CASES,
];

/** `rule`, or `rule: what sets the case apart`. */
export function titleOf({ rule, when }: RuleCase): string {
  return when === "" ? rule : `${rule}: ${when}`;
}
