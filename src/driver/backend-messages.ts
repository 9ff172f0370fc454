import type { ServerReport } from "../errors/index.ts";
import type { Field } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { readTag } from "./exchange.ts";
import { ProtocolViolation } from "./protocol-error.ts";
import { readInt32, readUint16 } from "./row-bytes.ts";

/**
 * Bodies of the server's messages, from `start` to `end` of a buffer.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** Of a column in RowDescription behind its name: table, attribute, type, size, modifier, format. */
const FIELD_BYTES = 18;

/** @throws {ProtocolViolation} when the fields do not fill the message. */
export function readFields(buffer: Buffer, start: number, end: number): Field[] {
  const count = readUint16(buffer, start);
  const fields: Field[] = [];
  let position = start + 2;
  for (let i = 0; i < count; i++) {
    const zero = endOfText(buffer, position, end);
    // An OID is unsigned.
    const typeId = readInt32(buffer, zero + 7) >>> 0;
    fields.push({ name: buffer.toString("utf8", position, zero), typeId });
    position = zero + 1 + FIELD_BYTES;
  }
  if (position !== end) throw new ProtocolViolation("a row description of another length than its fields");
  return fields;
}

/** Where a text that ends with a zero byte ends. */
function endOfText(buffer: Buffer, start: number, end: number): number {
  const zero = buffer.indexOf(0, start);
  if (zero === -1 || zero >= end) throw new ProtocolViolation("a text without an end");
  return zero;
}

/** A text that ends with a zero byte. */
function readText(buffer: Buffer, start: number, end: number): string {
  return buffer.toString("utf8", start, endOfText(buffer, start, end));
}

/** All texts of a message, each of which ends with a zero byte. */
export function readTexts(buffer: Buffer, start: number, end: number): string[] {
  const texts: string[] = [];
  for (let position = start; position < end; ) {
    const zero = endOfText(buffer, position, end);
    texts.push(buffer.toString("utf8", position, zero));
    position = zero + 1;
  }
  return texts;
}

/**
 * The fields of ErrorResponse and NoticeResponse that Plinth uses.
 *
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
const REPORT_FIELDS: Readonly<Record<string, keyof ServerReport>> = {
  C: "code",
  M: "message",
  // Not `S`, which is in the server's language.
  V: "severity",
  D: "detail",
  W: "where",
  s: "schema",
  t: "table",
  c: "column",
  n: "constraint",
  P: "position",
};

export function readReport(buffer: Buffer, start: number, end: number): ServerReport {
  const report: { -readonly [K in keyof ServerReport]: ServerReport[K] } = {};
  let position = start;
  while (position < end && buffer[position] !== 0) {
    const zero = endOfText(buffer, position + 1, end);
    const name = REPORT_FIELDS[String.fromCharCode(buffer[position] ?? 0)];
    if (name !== undefined) report[name] = buffer.toString("utf8", position + 1, zero);
    position = zero + 1;
  }
  return report;
}

const ZERO = 48;
const NINE = 57;
const SPACE = 32;
const LETTER_S = 83;

/** CommandComplete. `SELECT 1` is read without making a string: it ends nearly every statement. */
export function completeBy(exchange: Exchange, buffer: Buffer, start: number, end: number): void {
  if (buffer[start] === LETTER_S && buffer[start + 6] === SPACE && end - start < 20) {
    let count = 0;
    let position = start + 7;
    for (let digit = buffer[position] ?? 0; digit >= ZERO && digit <= NINE; digit = buffer[position] ?? 0) {
      count = count * 10 + digit - ZERO;
      position += 1;
    }
    if (position === end - 1 && position > start + 7) {
      exchange.complete("SELECT", count);
      return;
    }
  }
  const { command, count } = readTag(readText(buffer, start, end));
  exchange.complete(command, count);
}
