/** What every kind of edit of a described schema works with. */
import type { ColumnDescription, SchemaDescription } from "../../src/schema/index.ts";
import type { PlannedRename } from "./random-schema.ts";
import type { DescribedEdit, Entity } from "./random-schema-described.ts";
import { pick } from "./random-schema-draw.ts";

/** An edit that fits the schema, if there is one of this kind. The serial keeps new names new. */
export type DescribedDraw = (
  schema: SchemaDescription,
  random: () => number,
  serial: number,
) => DescribedEdit | undefined;

export function edited(
  what: string,
  schema: SchemaDescription,
  renames: readonly PlannedRename[] = [],
): DescribedEdit {
  return { what, schema, renames };
}

export interface Place {
  readonly entity: Entity;
  readonly column: ColumnDescription;
}

/** A column that no behaviour keeps. */
export function draw(
  schema: SchemaDescription,
  random: () => number,
  fits: (place: Place) => boolean,
): Place | undefined {
  const all = schema.entities.flatMap((entity) =>
    entity.columns
      .map((column) => ({ entity, column }))
      .filter(({ column }) => column.marks.role === undefined && column.identity === undefined),
  );
  return pick(random, all.filter(fits));
}

export const pathOf = ({ entity, column }: Place): string => `${entity.name}.${column.name}`;
