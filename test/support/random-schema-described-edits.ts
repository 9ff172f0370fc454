import type { SchemaDescription } from "../../src/schema/index.ts";
import type { DescribedEdit } from "./random-schema-described.ts";
import { DESCRIBED_COLUMN_EDITS } from "./random-schema-described-columns.ts";
import { DESCRIBED_CONSTRAINT_EDITS, DESCRIBED_TABLE_EDITS } from "./random-schema-described-constraints.ts";
import type { DescribedDraw } from "./random-schema-described-draw.ts";
import { DESCRIBED_OBJECT_EDITS } from "./random-schema-described-objects.ts";
import { pick } from "./random-schema-draw.ts";

/** One random edit of any described schema, of a kind that fits it. */
export function randomDescribedEdit(
  schema: SchemaDescription,
  random: () => number,
  serial: number,
): DescribedEdit {
  for (;;) {
    const draw = pick(random, EDITS);
    const edit = draw?.(schema, random, serial);
    if (edit !== undefined) return edit;
  }
}

const EDITS: readonly DescribedDraw[] = [
  ...DESCRIBED_COLUMN_EDITS,
  ...DESCRIBED_CONSTRAINT_EDITS,
  ...DESCRIBED_TABLE_EDITS,
  ...DESCRIBED_OBJECT_EDITS,
];
