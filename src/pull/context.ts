import type { OpenFile } from "./file.ts";
import type { Lookup } from "./lookup.ts";
import type { PullFinding } from "./model.ts";

/** What every part of the file is written with. */
export interface PullContext {
  readonly lookup: Lookup;
  readonly file: OpenFile;
  /** The exported constant of each object that has one, by id. */
  readonly constants: ReadonlyMap<string, string>;
  /** The properties of each table's or view's columns, by the column's name. */
  propertiesOf(tableId: string): ReadonlyMap<string, string>;
  /** Ids of what is not in the file, with what needs it. */
  readonly omitted: ReadonlySet<string>;
  /** Whether a table is declared with a behaviour. */
  readonly behaviours: ReadonlyMap<string, TableBehaviours>;
  /** Notes a finding; `covers` are further objects that differ because of it, as a comparison calls them. */
  report(finding: PullFinding, covers?: readonly string[]): void;
}

/** Behaviours whose columns and objects are all there. */
export interface TableBehaviours {
  readonly timestamps: boolean;
  readonly softDelete: boolean;
}
