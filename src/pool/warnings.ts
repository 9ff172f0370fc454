import { type ConnectionTarget, describeTarget } from "../driver/index.ts";
import type { PlinthError } from "../errors/index.ts";
import { describeHolding, reportHolding } from "./holding.ts";
import type { Holding } from "./member.ts";
import type { PoolWarning } from "./options.ts";

/** Something is odd about one holder: says what, who, and where the connection was taken. */
export function holderWarning(
  code: PoolWarning["code"],
  what: string,
  holding: Holding,
  now: number,
): PoolWarning {
  return {
    code,
    message: `a connection was ${what}: ${describeHolding(holding, now)}\n${holding.site?.trace ?? ""}`,
    holder: reportHolding(holding, now),
  };
}

/** The server has fewer connections for us than `max`. */
export function refusedWarning(open: number, max: number, error: PlinthError): PoolWarning {
  return {
    code: "POOL_REFUSED",
    message: `the server refuses more connections while ${open} of at most ${max} (pool.max) are open: ${error.summary}`,
  };
}

/** A pooler between us and the server refuses or ignores start-up options. */
export function settingsWarning(target: ConnectionTarget): PoolWarning {
  return {
    code: "POOL_NO_SESSION_SETTINGS",
    message:
      `${describeTarget(target)} takes no session settings, as a pooler does, so outside transactions statements have ` +
      "no time-outs from Plinth; set them on the role: alter role … set statement_timeout = …",
  };
}
