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

function refuse(path: string, message: string): InputError {
  return new InputError("INVALID_QUERY", [{ path, message }]);
}
