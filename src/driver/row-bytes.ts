import type { Cell } from "./connection.ts";
import { MalformedRow } from "./protocol-error.ts";

/** Four bytes, the highest first, as a signed number. Undefined bytes past the end count as zero. */
export function readInt32(buffer: Buffer, offset: number): number {
  return (
    ((buffer[offset] ?? 0) << 24) |
    ((buffer[offset + 1] ?? 0) << 16) |
    ((buffer[offset + 2] ?? 0) << 8) |
    (buffer[offset + 3] ?? 0)
  );
}

export function readUint16(buffer: Buffer, offset: number): number {
  return ((buffer[offset] ?? 0) << 8) | (buffer[offset + 1] ?? 0);
}

/**
 * The columns of a DataRow as text cells.
 *
 * @throws {MalformedRow} when they do not fill it exactly.
 */
export function readCells(buffer: Buffer, offset: number, end: number): Cell[] {
  const count = readUint16(buffer, offset);
  const cells: Cell[] = [];
  let position = offset + 2;
  for (let i = 0; i < count; i++) {
    if (position + 4 > end) throw new MalformedRow();
    const length = readInt32(buffer, position);
    position += 4;
    if (length === -1) {
      cells.push(null);
      continue;
    }
    const next = position + length;
    if (length < 0 || next > end) throw new MalformedRow();
    cells.push(buffer.toString("utf8", position, next));
    position = next;
  }
  if (position !== end) throw new MalformedRow();
  return cells;
}
