import { InputError } from "../errors/index.ts";
import type { StatementCall } from "./connection.ts";

/** The protocol counts parameters in 16 bits; one more would be cut in silence and read as another message. */
export const PARAMETERS_LIMIT = 65_535;
/** NAMEDATALEN - 1: two longer names could become one. */
const NAME_BYTES_LIMIT = 63;

/**
 * Refuses a text or name the wire format cannot carry, before anything is sent: a half-written flight would leave
 * the session out of step.
 *
 * @throws {INVALID_QUERY}
 */
export function checkText({ text, name }: Pick<StatementCall, "text" | "name">): void {
  if (text.includes("\0")) throw refuse("text", "an SQL text cannot hold a NUL character");
  if (name !== undefined && (Buffer.byteLength(name) > NAME_BYTES_LIMIT || name.includes("\0"))) {
    throw refuse("name", "the name of a prepared statement is longer than 63 bytes or holds a NUL character");
  }
}

const BEGIN = /^\s*(?:begin|start\s+transaction)\b/i;

/**
 * Refuses a text that does not open a transaction: the statement behind it would commit by itself.
 *
 * @throws {INVALID_QUERY}
 */
export function checkBegin(text: string): void {
  if (!BEGIN.test(text)) throw refuse("begin", "must be a BEGIN or START TRANSACTION");
}

/**
 * Refuses parameters the wire format cannot carry.
 *
 * @throws {INVALID_QUERY}
 */
export function checkValues(values: StatementCall["values"]): void {
  if (values.length > PARAMETERS_LIMIT) {
    throw refuse("values", `a statement takes at most 65,535 parameters, this one has ${values.length}`);
  }
  for (let i = 0; i < values.length; i++) {
    const value: unknown = values[i];
    if (typeof value !== "string" && value !== null && !Buffer.isBuffer(value)) {
      throw refuse(`values.${i}`, `a parameter is text, bytes or null here, not ${typeof value}`);
    }
  }
}

const CONTROL =
  /^\s*(?:begin|start\s+transaction|commit|rollback|savepoint|release|abort|end|set\s+(?:local|transaction))\b[^;]*;?\s*$/i;

/** True for a text that only starts, ends or shapes a transaction, and so leaves nothing in the session. */
export function controlsTransactionOnly(text: string): boolean {
  return CONTROL.test(text);
}

const LEADING_COMMENTS = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/;
/** Statements whose effect is the session's, and outlives their transaction. */
const SESSION_STATEMENT =
  /^(?:set\s+(?!local\b|transaction\b|constraints\b)\S+|reset|listen|prepare\s+(?!transaction\b)\S+|deallocate|discard|load)\b/i;
const TEMPORARY_TABLE = /^create\s+(?:(?:global|local)\s+)?temp(?:orary)?\s/i;
const ENDS_WITH_TRANSACTION = /\bon\s+commit\s+drop\b/i;
const HELD_CURSOR = /^declare\b[\s\S]{1,500}?\bwith\s+hold\b/i;
const SESSION_LOCK = /\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(/i;
/** `set_config(name, value, false)`; its arguments may hold one pair of parentheses each. */
const SESSION_SETTING = /\bset_config\s*\((?:[^()]|\([^()]*\)){1,1000}?,\s*(?:false|'f(?:alse)?')\s*\)/i;

const DOLLAR_QUOTED = /\$(\w*)\$[\s\S]*?\$\1\$/g;
const LITERAL = /'(?:[^']|'')*'/g;

/**
 * `refuseSessionState` of every statement of a script. Bodies of functions are passed over.
 *
 * @throws {INVALID_QUERY}
 */
export function refuseSessionStateOfScript(text: string): void {
  const shown = text
    .replace(DOLLAR_QUOTED, "''")
    .replace(LITERAL, (literal) => (literal.includes(";") ? "''" : literal));
  for (const statement of shown.split(";")) refuseSessionState(statement);
}

/**
 * Refuses what would stay behind in a session of the server that a pooler gives to somebody else next: a setting, a
 * lock, a channel, a temporary table. What a function does inside, no text tells.
 *
 * @throws {INVALID_QUERY}
 */
export function refuseSessionState(text: string): void {
  const start = text.replace(LEADING_COMMENTS, "");
  const what =
    SESSION_STATEMENT.exec(start)?.[0].split(/\s/)[0]?.toUpperCase() ??
    (TEMPORARY_TABLE.test(start) && !ENDS_WITH_TRANSACTION.test(start)
      ? "a temporary table without ON COMMIT DROP"
      : undefined) ??
    (HELD_CURSOR.test(start) ? "a cursor WITH HOLD" : undefined) ??
    (SESSION_LOCK.test(start) ? "a session's advisory lock" : undefined) ??
    (SESSION_SETTING.test(start) ? "set_config(…, false)" : undefined);
  if (what === undefined) return;
  throw refuse(
    "text",
    `${what} would stay in a session that the pooler gives to others; inside a transaction use SET LOCAL, ` +
      "set_config(…, true) or pg_advisory_xact_lock, or connect to the server itself",
  );
}

function refuse(path: string, message: string): InputError {
  return new InputError("INVALID_QUERY", [{ path, message }]);
}
