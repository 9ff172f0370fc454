import type { ColumnDescription } from "../schema/index.ts";
import { decoderOf } from "./codec.ts";

/** What the next cells of an answer become in a row. */
export type Slot =
  /** One cell: a column's value. */
  | { readonly kind: "column"; readonly key: string; readonly column: ColumnDescription }
  /** One cell: a whole number that a count made. */
  | { readonly kind: "count"; readonly key: string }
  /** One cell, as PostgreSQL wrote it. */
  | { readonly kind: "raw"; readonly key: string }
  /**
   * As many cells as its slots have: an object within the row. An optional one is null where a join found nothing. That
   * says a cell in front of the others, which is null only then, or else the column of its own that `markedBy` names.
   */
  | {
      readonly kind: "group";
      readonly key: string;
      readonly slots: readonly Slot[];
      readonly isOptional: boolean;
      readonly markedBy?: string | undefined;
    }
  /** No cell: a list that another statement will fill. */
  | { readonly kind: "related"; readonly key: string }
  /** One cell: related rows as JSON arrays of their cells. */
  | {
      readonly kind: "nested";
      readonly key: string;
      readonly many: boolean;
      readonly slots: readonly Slot[];
    };

type Cells = readonly (string | null)[];

/** How many cells of an answer a slot takes. */
function widthOf(slot: Slot): number {
  if (slot.kind === "related") return 0;
  if (slot.kind !== "group") return 1;
  return slot.slots.reduce((width, inner) => width + widthOf(inner), hasMarker(slot) ? 1 : 0);
}

/** Whether a cell in front says that there is an object. */
export function hasMarker({ isOptional, markedBy }: Extract<Slot, { readonly kind: "group" }>): boolean {
  return isOptional && markedBy === undefined;
}

/** Where the cell of a slot stands among those of its neighbours. */
function offsetOf(key: string, slots: readonly Slot[]): number {
  const position = slots.findIndex((slot) => slot.kind === "column" && slot.key === key);
  if (position === -1) throw new TypeError(`no column "${key}" marks the object`);
  return slots.slice(0, position).reduce((width, slot) => width + widthOf(slot), 0);
}

/** Makes the function that turns an answer's cells into a row. Built once per shape, called per row. */
export function createMapper(slots: readonly Slot[]): (cells: Cells) => Record<string, unknown> {
  const read = groupReader(slots);
  return (cells) => read(cells, 0);
}

/** Reads a value that begins at a position among the cells. */
type ReadAt = (cells: Cells, start: number) => unknown;

function groupReader(slots: readonly Slot[]): (cells: Cells, start: number) => Record<string, unknown> {
  let offset = 0;
  const parts = slots.map((slot) => {
    const part = { key: slot.key, offset, read: readerOfSlot(slot) };
    offset += widthOf(slot);
    return part;
  });
  return (cells, start) => {
    const row: Record<string, unknown> = {};
    for (const part of parts) row[part.key] = part.read(cells, start + part.offset);
    return row;
  };
}

function readerOfSlot(slot: Slot): ReadAt {
  switch (slot.kind) {
    case "column":
      return cellReader(decoderOf(slot.column));
    case "count":
      return cellReader(Number);
    case "raw":
      return (cells, at) => cells[at] ?? null;
    case "group": {
      const read = groupReader(slot.slots);
      if (!slot.isOptional) return read;
      const [marker, first] = slot.markedBy === undefined ? [0, 1] : [offsetOf(slot.markedBy, slot.slots), 0];
      return (cells, at) => ((cells[at + marker] ?? null) === null ? null : read(cells, at + first));
    }
    case "related":
      return () => [];
    case "nested": {
      const map = createMapper(slot.slots);
      return slot.many
        ? cellReader((cell) => (JSON.parse(cell) as Cells[]).map((cells) => map(nestedCells(cells))))
        : cellReader((cell) => map(nestedCells(JSON.parse(cell) as Cells)));
    }
  }
}

function cellReader(decode: (cell: string) => unknown): ReadAt {
  return (cells, at) => {
    const cell = cells[at];
    return cell === null || cell === undefined ? null : decode(cell);
  };
}

/** A nested relation inside a nested row is JSON within JSON: its parsed value goes back to text for its decoder. */
function nestedCells(cells: readonly unknown[]): Cells {
  return cells.map((cell) => (cell === null || typeof cell === "string" ? cell : JSON.stringify(cell)));
}
