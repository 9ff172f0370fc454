import type { Condition, TableReference, Write } from "../sql/index.ts";
import type { DatabaseObject } from "./database-object.ts";
import type { EntityDescription, IndexDescription } from "./description.ts";

/** Which rows of a soft-deleted entity a call sees. */
export type Visibility = "living" | "all" | "dead";

/** What a read's table reference is asked for. */
export interface ReferenceContext {
  readonly visibility: Visibility;
}

/**
 * A column that a trigger computes from its row, whoever writes it. It is in the table and in no row of a repository.
 * A table in use can be given one: a stored generated column would rewrite it under a lock.
 */
export interface ComputedColumn {
  readonly name: string;
  /** As DDL writes it. */
  readonly sqlType: string;
  /** Over the row that is written, its columns quoted: `to_tsvector('english', coalesce(new."title", ''))`. Never null. */
  readonly valueSql: string;
}

/** What a table has besides what its declaration lists. */
export interface TableAdditions {
  readonly columns: readonly ComputedColumn[];
  readonly indexes: readonly IndexDescription[];
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
  /** Columns and indexes it needs in the entity's own table. */
  additions?(entity: EntityDescription): TableAdditions;
  /** The entity's table as of a moment: a subselect with its columns, for SQL of the moment. Where it can tell. */
  past?(entity: EntityDescription): ((moment: string) => string) | undefined;
  /** A condition for every reference to the entity's table, nested ones too. */
  filter?(entity: EntityDescription, table: TableReference, context: ReferenceContext): Condition | undefined;
  /**
   * A write as it should really happen: a delete becomes an update, an insert gains an author. Runs once per shape: what
   * differs from call to call (the actor) is a parameter that reads it from the call. `schema` is all entities.
   */
  rewrite?(write: Write, entity: EntityDescription, schema: readonly EntityDescription[]): Write;
}
