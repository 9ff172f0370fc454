/** One thing to create, and what has to be there before it. */
export interface Part {
  /** What it is known by: `relation tasks`. A table is a relation and a type. */
  readonly ids: readonly string[];
  /** Where it stands among things that do not need each other. */
  readonly rank: Rank;
  readonly up: readonly string[];
  /** Takes it away again, where nothing takes it along. */
  readonly down: readonly string[];
  /** Must be there before it. Ids that nothing has are passed over: they are the server's, or another schema's. */
  readonly needs: readonly string[];
  /** SQL that may name what has to be there; see `order.ts`. */
  readonly text?: string;
  /** What takes it along when it is dropped: a trigger goes with its table. */
  readonly owner?: string;
}

/** The order of kinds. Later ones commonly use earlier ones. */
export const RANKS = [
  "extension",
  "enum",
  "domain",
  "composite type",
  "sequence",
  "table",
  "partition",
  "foreign key",
  "index",
  "routine",
  "view",
  "view index",
  "policy",
  "trigger",
  "row",
] as const;

export type Rank = (typeof RANKS)[number];
