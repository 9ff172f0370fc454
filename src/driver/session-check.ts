import { ConnectionError } from "../errors/index.ts";
import type { Connection, StatementCall } from "./connection.ts";
import { describeTarget } from "./parse-target.ts";
import type { ConnectionTarget } from "./target.ts";

/** The text forms that decoding relies on (ADR 0015). */
export const TEXT_FORMS = {
  datestyle: "iso",
  intervalstyle: "postgres",
  bytea_output: "hex",
  extra_float_digits: "1",
} as const;

/** What a role or database may have set otherwise, as start-up options: time-outs (zero switches one off) and forms. */
export function startupOptions(target: ConnectionTarget): string {
  return [...timeoutsOf(target), ...Object.entries(TEXT_FORMS)]
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");
}

/**
 * The statements that begin a transaction; without a `begin` it is the implicit one of the flight. Behind a pooler a session's own time-outs would reach somebody else, so every
 * transaction brings them along. They are numbers: no quoting is needed.
 */
export function openingCalls(
  begin: string | undefined,
  { hasSessionSettings }: Pick<Connection, "hasSessionSettings">,
  target: ConnectionTarget,
): readonly StatementCall[] {
  const first = begin === undefined ? [] : [{ text: begin, values: [] }];
  if (hasSessionSettings) return first;
  const settings = timeoutsOf(target).map(([name, ms]) => `pg_catalog.set_config('${name}', '${ms}', true)`);
  return [...first, { text: `select ${settings.join(", ")}`, values: [], leavesNoTrace: true }];
}

function timeoutsOf({ session }: ConnectionTarget): readonly (readonly [name: string, ms: number])[] {
  return [
    ["statement_timeout", Math.trunc(session.statementTimeoutMs)],
    ["lock_timeout", Math.trunc(session.lockTimeoutMs)],
    ["idle_in_transaction_session_timeout", Math.trunc(session.idleInTransactionTimeoutMs)],
  ];
}

/** How the session is set that a statement meets. A time-out shows with its unit (`30s`), so it is read as an interval. */
const SELECT_SETTINGS = `select pg_catalog.pg_backend_pid(),
  ${["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]
    .map(
      (name) =>
        `(extract(epoch from pg_catalog.current_setting('${name}')::pg_catalog.interval) * 1000)::pg_catalog.int8`,
    )
    .join(",\n  ")},
  ${Object.keys(TEXT_FORMS)
    .map((name) => `pg_catalog.current_setting('${name}')`)
    .join(",\n  ")}`;

/** What one look at a session told. */
export interface SessionCheck {
  /** The process that answered is the one the connection was given. A pooler gives out ids of its own. */
  readonly isOwn: boolean;
  readonly hasTimeouts: boolean;
  /** The text forms that are not as they have to be, as `datestyle = SQL, DMY`. */
  readonly otherForms: readonly string[];
}

/** Looks whether the session settings have arrived. One round trip. */
export async function checkSession(connection: Connection, target: ConnectionTarget): Promise<SessionCheck> {
  const { rows } = await connection.query({ text: SELECT_SETTINGS, values: [], leavesNoTrace: true });
  const [processId, ...cells] = rows[0] ?? [];
  const timeouts = timeoutsOf(target);
  const forms = Object.entries(TEXT_FORMS).map(([name, wanted], i) => {
    const found = cells[timeouts.length + i] ?? "";
    return { name, found, isRight: isForm(name, found, wanted) };
  });
  return {
    isOwn: Number(processId) === connection.processId,
    hasTimeouts: timeouts.every(([, ms], i) => cells[i] === String(ms)),
    otherForms: forms.filter(({ isRight }) => !isRight).map(({ name, found }) => `${name} = ${found}`),
  };
}

/** `ISO, MDY` is ISO; from one on, digits are written until they say the number exactly. */
function isForm(name: string, found: string, wanted: string): boolean {
  if (name === "datestyle") return /^iso\b/i.test(found);
  return name === "extra_float_digits" ? Number(found) >= Number(wanted) : found === wanted;
}

/**
 * Refuses sessions whose texts would be misread, or lose digits, and which nobody here can set otherwise.
 *
 * @throws {POOLER_ERROR}
 */
export function refuseOtherForms({ otherForms }: SessionCheck, target: ConnectionTarget): void {
  if (otherForms.length === 0) return;
  const wanted = Object.entries(TEXT_FORMS)
    .filter(([name]) => otherForms.some((form) => form.startsWith(`${name} `)))
    .map(([name, value]) => `alter role … set ${name} = '${value}'`);
  throw new ConnectionError(
    "POOLER_ERROR",
    `${describeTarget(target)} takes no session settings, as a pooler does, and its sessions have ${otherForms.join(", ")}, in which values cannot be read`,
    { hint: `Set them on the role that the pooler logs in as: ${wanted.join("; ")}.` },
  );
}
