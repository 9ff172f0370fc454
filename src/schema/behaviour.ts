import type { Condition, TableReference, Write } from "../sql/index.ts";
import type { DatabaseObject } from "./database-object.ts";
import type { EntityDescription } from "./description.ts";

/** On whose behalf a unit of work runs: what `db.as(actor, …)` binds. */
export interface Actor {
  readonly userId?: string;
  readonly tenantId?: string;
  /** Why, for whoever reads the history. */
  readonly reason?: string;
  readonly requestId?: string;
}

/** Which rows of a soft-deleted entity a call sees. */
export type Visibility = "living" | "all" | "dead";

/** What a read's table reference is asked for. */
export interface ReferenceContext {
  readonly visibility: Visibility;
}

/** What a write knows besides its tree. */
export interface WriteContext {
  readonly actor: Actor | undefined;
}

/**
 * One behaviour of entities: soft delete, authorship, … Behaviours never call each other; they all work on the
 * same statement tree, in the order `src/behaviours.ts` lists them, and that is why they compose.
 */
export interface Behaviour {
  /** As `toSQL()` names it when it says who added what. */
  readonly name: string;
  appliesTo(entity: EntityDescription): boolean;
  /** The functions and triggers it needs in the database. */
  objects?(entity: EntityDescription, schema: readonly EntityDescription[]): readonly DatabaseObject[];
  /** A condition for every reference to the entity's table, nested ones too. */
  filter?(entity: EntityDescription, table: TableReference, context: ReferenceContext): Condition | undefined;
  /** A write as it should really happen: a delete becomes an update, an insert gains an author. */
  rewrite?(write: Write, entity: EntityDescription, context: WriteContext): Write;
}
