import type { SQL } from "drizzle-orm";

/** A value where partitions meet; `` sql`minvalue` `` and `` sql`maxvalue` `` are the ends. */
export type Bound = string | number | bigint | boolean | Date | null | SQL;

/** The partition of every row that no other takes. */
export interface DefaultPartition {
  readonly name: string;
  readonly default: true;
  readonly comment?: string;
}

/** Rows from the first bound to before the second; lists of bounds for a key of several columns. */
export interface RangePartition {
  readonly name: string;
  readonly from: Bound | readonly Bound[];
  readonly to: Bound | readonly Bound[];
  readonly comment?: string;
}

export interface ListPartition {
  readonly name: string;
  readonly values: readonly Bound[];
  readonly comment?: string;
}

/**
 * How a table is divided, by properties. Partitions that come and go (one a month, say) are made by whoever keeps them;
 * here stand those that are always there.
 */
export type PartitionBy<Key extends string> =
  | { readonly range: readonly Key[]; readonly partitions?: readonly (RangePartition | DefaultPartition)[] }
  | { readonly list: readonly [Key]; readonly partitions?: readonly (ListPartition | DefaultPartition)[] }
  /** `partitions` says how many; they are called `<table>_p0`, `<table>_p1`, … */
  | { readonly hash: readonly Key[]; readonly partitions: number };
