import type { Relation } from "../catalog-view.ts";
import { strongerOf } from "../lock-mode.ts";
import type { LockMode, StatementEffects } from "../model.ts";

/** What effects can be about: relations and indexes. */
export type Lockable = Pick<Relation, "label" | "isOld"> & Partial<Pick<Relation, "kind" | "persistence">>;

/** The effects of a statement as they are found. Only what was there before the file counts. */
export class EffectSet {
  readonly #locks = new Map<string, LockMode>();
  readonly #tables = new Set<string>();
  readonly #rewrites = new Set<string>();
  readonly #scans = new Set<string>();
  readonly #unknowns: string[] = [];

  lock(relation: Lockable, mode: LockMode): void {
    if (!counts(relation)) return;
    const held = this.#locks.get(relation.label);
    this.#locks.set(relation.label, held === undefined ? mode : strongerOf(held, mode));
    if (relation.kind === "table" || relation.kind === "partitioned") this.#tables.add(relation.label);
  }

  /** Its storage is written anew. A sequence is one row, which is no work. */
  rewrite(relation: Lockable): void {
    if (counts(relation) && relation.kind !== "sequence") this.#rewrites.add(relation.label);
  }

  /** It is read from end to end. */
  scan(relation: Relation): void {
    const isStored = relation.kind === "table" || relation.kind === "materialized";
    if (counts(relation) && isStored) this.#scans.add(relation.label);
  }

  /** Something about the statement cannot be known, so it counts as blocking. The reason is shown. */
  unknown(reason: string): void {
    if (!this.#unknowns.includes(reason)) this.#unknowns.push(reason);
  }

  /** The relations among the locked ones that are tables: not indexes, views or sequences. */
  get tables(): ReadonlySet<string> {
    return this.#tables;
  }

  get unknowns(): readonly string[] {
    return this.#unknowns;
  }

  /** Sorted, as reports show them. */
  effects(): StatementEffects {
    return {
      locks: [...this.#locks]
        .map(([relation, mode]) => ({ relation, mode }))
        .sort((left, right) => (left.relation < right.relation ? -1 : 1)),
      rewrites: [...this.#rewrites].sort(),
      scans: [...this.#scans].sort(),
    };
  }
}

/** A look into the server's catalogs, as a trigger takes one, is over at once and in nobody's way. */
function counts({ label, isOld, kind, persistence }: Lockable): boolean {
  if (/^(?:pg_catalog|information_schema)\./.test(label)) return false;
  return isOld && kind !== "foreign" && kind !== "composite" && persistence !== "temporary";
}
