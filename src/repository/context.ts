import type {
  Behaviour,
  ColumnDescription,
  EntityDescription,
  SchemaDescription,
  Visibility,
} from "../schema/index.ts";
import type {
  Actor,
  Call,
  Expression,
  Filter,
  ParameterNode,
  PastTable,
  TableReference,
  Write,
} from "../sql/index.ts";
import { refuse } from "./options.ts";

/** What statements are planned from: the same for every repository of a database. */
export interface PlanningContext {
  readonly schema: SchemaDescription;
  readonly behaviours: readonly Behaviour[];
  readonly actor: () => Actor | undefined;
  /** Everything is read as of this moment. */
  readonly asOf?: ParameterNode | undefined;
}

/** Gives each table reference of one statement an alias of its own. */
function createReferences(context: PlanningContext): (entity: EntityDescription) => TableReference {
  let count = 0;
  return (entity) => {
    const reference = { schema: entity.schema, name: entity.name, alias: `t${count++}` };
    return context.asOf === undefined
      ? reference
      : { ...reference, past: { moment: context.asOf, source: pastOf(context, entity) } };
  };
}

/** What of a past cannot be told must not be taken from the present: the answer would be of two times. */
function pastOf({ behaviours }: PlanningContext, entity: EntityDescription): PastTable["source"] {
  for (const behaviour of behaviours) {
    const source = behaviour.appliesTo(entity) ? behaviour.past?.(entity) : undefined;
    if (source !== undefined) return source;
  }
  return refuse("asOf", `"${entity.name}" keeps no history; declare history: true`);
}

/** The conditions that behaviours put on a reference to an entity's table. */
export function behaviourFilters({ context, entity, table, visibility }: TableScope): readonly Filter[] {
  const filters: Filter[] = [];
  for (const behaviour of context.behaviours) {
    if (behaviour.filter === undefined || !behaviour.appliesTo(entity)) continue;
    const condition = behaviour.filter(entity, table, { visibility });
    if (condition !== undefined) filters.push({ condition, addedBy: behaviour.name });
  }
  return filters;
}

/** A write as the behaviours make it. */
export function rewritten(context: PlanningContext, entity: EntityDescription, write: Write): Write {
  let result = write;
  for (const behaviour of context.behaviours) {
    if (behaviour.rewrite !== undefined && behaviour.appliesTo(entity)) {
      result = behaviour.rewrite(result, entity, context.schema.entities);
    }
  }
  return result;
}

/** One entity as one caller sees it: what every part of a statement about it needs to know. */
export interface Scope {
  readonly context: PlanningContext;
  readonly entity: EntityDescription;
  readonly visibility: Visibility;
}

/** A reference to the scope's table within one statement, with where further references come from. */
export interface TableScope extends Scope {
  readonly table: TableReference;
  readonly reference: (entity: EntityDescription) => TableReference;
  /** What a read computes of each row, by name. */
  readonly computed?: ComputedColumns | undefined;
  /** The row between, where a relation leads to these rows through one. */
  readonly link?: LinkScope | undefined;
}

export type ComputedColumns = ReadonlyMap<string, ComputedValue>;

/** A computed column, as it stands in one statement. */
export interface ComputedValue {
  /** Its type, as a column would have it. */
  readonly column: ColumnDescription;
  readonly of: Expression;
  /** What tells it from another one of its name. */
  readonly identityIn: (call: Call) => readonly unknown[];
}

export interface LinkScope {
  readonly entity: EntityDescription;
  readonly table: TableReference;
}

/** The first reference of a new statement. */
export function openStatement(scope: Scope): TableScope {
  const reference = createReferences(scope.context);
  return { ...scope, table: reference(scope.entity), reference };
}
