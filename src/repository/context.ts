import type { StatementCall } from "../driver/index.ts";
import type { Actor, Behaviour, EntityDescription, SchemaDescription, Visibility } from "../schema/index.ts";
import type { Filter, TableReference, Tree, Write } from "../sql/index.ts";
import { compile, compileCondition, compileExpression, statementName } from "../statement/index.ts";
import type { Addition, Intent, QueryRunner } from "./query.ts";

/** What a repository needs of the database it belongs to. */
export interface RepositoryContext {
  readonly schema: SchemaDescription;
  readonly behaviours: readonly Behaviour[];
  readonly runner: QueryRunner;
  readonly actor: () => Actor | undefined;
}

/** Gives each table reference of one statement an alias of its own. */
export function createReferences(): (entity: EntityDescription) => TableReference {
  let count = 0;
  return (entity) => ({ schema: entity.schema, name: entity.name, alias: `t${count++}` });
}

/** The conditions that behaviours put on a reference to an entity's table. */
export function behaviourFilters(
  context: RepositoryContext,
  entity: EntityDescription,
  table: TableReference,
  visibility: Visibility,
): readonly Filter[] {
  const filters: Filter[] = [];
  for (const behaviour of context.behaviours) {
    if (behaviour.filter === undefined || !behaviour.appliesTo(entity)) continue;
    const condition = behaviour.filter(entity, table, { visibility });
    if (condition !== undefined) filters.push({ condition, addedBy: behaviour.name });
  }
  return filters;
}

/** A write as the behaviours make it. */
export function rewritten(context: RepositoryContext, entity: EntityDescription, write: Write): Write {
  let result = write;
  for (const behaviour of context.behaviours) {
    if (behaviour.rewrite !== undefined && behaviour.appliesTo(entity)) {
      result = behaviour.rewrite(result, entity, { actor: context.actor() });
    }
  }
  return result;
}

/** A compiled, named call of a tree, with what behaviours added to it. */
export function intentFor<T>(tree: Tree, read: Intent<T>["read"], mayRefuse = false): Intent<T> {
  return {
    calls: [callOf(tree)],
    mayRefuse,
    isRead: tree.kind === "select",
    // Shown by toSQL() only, so it is worked out when it is asked for.
    get additions() {
      return additionsOf(tree);
    },
    read,
  };
}

export function callOf(tree: Tree): StatementCall {
  const { text, values } = compile(tree);
  // Without the promise the pool would reset the session after every call.
  return { text, values, name: statementName(text), leavesNoTrace: true };
}

export function additionsOf(tree: Tree): readonly Addition[] {
  const additions: Addition[] = [];
  const filters = tree.kind === "insert" ? [] : tree.filters;
  for (const { condition, addedBy } of filters) {
    if (addedBy !== undefined) additions.push({ behaviour: addedBy, sql: compileCondition(condition) });
  }
  if (tree.kind === "update") {
    for (const { name, value, addedBy } of tree.set) {
      if (addedBy !== undefined)
        additions.push({ behaviour: addedBy, sql: `${name} = ${compileExpression(value)}` });
    }
  }
  if (tree.kind === "insert") {
    for (const { name, addedBy } of tree.columns) {
      if (addedBy !== undefined) additions.push({ behaviour: addedBy, sql: name });
    }
  }
  const projections = tree.kind === "select" ? tree.projections : tree.returning;
  for (const projection of projections)
    if (projection.kind === "nested") additions.push(...additionsOf(projection.of));
  return additions;
}
