import type { Constraint } from "libpg-query";
import type { CatalogView, Index, Relation } from "../catalog-view.ts";
import type { LockMode } from "../model.ts";
import type { EffectSet } from "./effect-set.ts";
import { familyOf, rewriteTable } from "./family.ts";

/** A constraint on its way in, not looked through yet. */
export type AddedConstraint = Constraint;

/** One `alter table` on its way: what its commands have asked for, table by table. */
export class TableChange {
  readonly view: CatalogView;
  readonly effects: EffectSet;
  readonly relation: Relation;
  /** The one lock all commands share: the strongest any of them needs. */
  readonly mode: LockMode;
  /** `alter table only` leaves children alone. */
  readonly isOnly: boolean;
  /** Names of constraints that go away in the same statement. */
  readonly dropped: ReadonlySet<string>;
  /** Constraints that the same statement adds, by name. */
  readonly added = new Map<string, AddedConstraint>();
  /** Columns that the same statement adds and that are null in every row. */
  readonly empty = new Set<string>();
  readonly #rewritten = new Map<string, Relation>();
  readonly #scanned = new Map<string, Relation>();
  readonly #gone = new Set<string>();
  #family: readonly Relation[] | undefined;

  constructor(given: {
    readonly view: CatalogView;
    readonly effects: EffectSet;
    readonly relation: Relation;
    readonly mode: LockMode;
    readonly isOnly: boolean;
    readonly dropped: ReadonlySet<string>;
  }) {
    this.view = given.view;
    this.effects = given.effects;
    this.relation = given.relation;
    this.mode = given.mode;
    this.isOnly = given.isOnly;
    this.dropped = given.dropped;
  }

  /** The table and everything below it, locked as one; the table alone with `only`. */
  async lockFamily(): Promise<readonly Relation[]> {
    const family = this.isOnly ? [this.relation] : await this.family();
    for (const relation of family) this.effects.lock(relation, this.mode);
    return family;
  }

  async family(): Promise<readonly Relation[]> {
    this.#family ??= await familyOf(this.view, this.relation);
    return this.#family;
  }

  /** Every row is written anew. */
  rewrite(relation: Relation): void {
    this.#rewritten.set(relation.id, relation);
  }

  /** Every row is checked, once for all commands. */
  scan(relation: Relation): void {
    this.#scanned.set(relation.id, relation);
  }

  /** Indexes that go away are not built again when the table is rewritten. */
  dropIndex(index: Index): void {
    this.#gone.add(index.id);
    this.effects.lock(index, "AccessExclusiveLock");
  }

  isRewritten(relation: Relation): boolean {
    return this.#rewritten.has(relation.id);
  }

  /** All commands are seen: what the last phase of `alter table` does. */
  finish(): void {
    for (const relation of this.#rewritten.values()) {
      if (relation.kind === "partitioned") continue;
      rewriteTable(this.effects, relation, (index) => this.#gone.has(index.id));
    }
    for (const relation of this.#scanned.values()) this.effects.scan(relation);
  }
}
