import type { ColumnDescription } from "../schema/index.ts";
import { decoderOf } from "./codec.ts";

/** What one position of an answer becomes in a row. */
export type Slot =
  | { readonly kind: "column"; readonly key: string; readonly column: ColumnDescription }
  | {
      readonly kind: "nested";
      readonly key: string;
      readonly many: boolean;
      readonly slots: readonly Slot[];
    };

type Cells = readonly (string | null)[];

/** Makes the function that turns an answer's cells into a row. Built once per shape, called per row. */
export function createMapper(slots: readonly Slot[]): (cells: Cells) => Record<string, unknown> {
  const keys = slots.map((slot) => slot.key);
  const decoders = slots.map(decoderOfSlot);
  return (cells) => {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < decoders.length; i++) {
      const cell = cells[i];
      const key = keys[i];
      const decode = decoders[i];
      if (key === undefined || decode === undefined) continue;
      row[key] = cell === null || cell === undefined ? null : decode(cell);
    }
    return row;
  };
}

function decoderOfSlot(slot: Slot): (cell: string) => unknown {
  if (slot.kind === "column") return decoderOf(slot.column);
  const map = createMapper(slot.slots);
  return slot.many
    ? (cell) => (JSON.parse(cell) as Cells[]).map((cells) => map(nestedCells(cells)))
    : (cell) => map(nestedCells(JSON.parse(cell) as Cells));
}

/** A nested relation inside a nested row is JSON within JSON: its parsed value goes back to text for its decoder. */
function nestedCells(cells: readonly unknown[]): Cells {
  return cells.map((cell) => (cell === null || typeof cell === "string" ? cell : JSON.stringify(cell)));
}
