import {
  type Assignment,
  type Call,
  type Condition,
  type Delete,
  type Encoded,
  type Expression,
  type Filter,
  type ForEach,
  type Insert,
  type Join,
  type Ordering,
  type ParameterNode,
  type ParameterValue,
  type Projection,
  qualifiedName,
  quoteIdentifier,
  quoteLiteral,
  type RowLock,
  type Select,
  type TableReference,
  type Tree,
  type Update,
  type Walk,
} from "../sql/index.ts";

/** A tree as text and parameters: one for all calls of its shape. */
export interface CompiledTree {
  readonly text: string;
  readonly parameters: readonly ParameterValue[];
  /** Those of them that the actor alone says: of such a statement the database is told whose it is. */
  readonly ofActor: readonly ParameterValue[];
}

/** What travels beside the text in one call. */
export function valuesIn({ parameters }: CompiledTree, call: Call): readonly Encoded[] {
  return parameters.map((value) => valueIn(value, call));
}

function valueIn(value: ParameterValue, call: Call): Encoded {
  return typeof value === "function" ? value(call) : value;
}

/** Fails as the statement would where the call's actor is not one it can run for. */
export function requireActor({ ofActor }: CompiledTree, call: Call): void {
  for (const value of ofActor) valueIn(value, call);
}

/**
 * Writes a statement tree down. Identifiers come from the declared schema and are quoted; values become
 * parameters, each node once, so that a condition used in two places is still one parameter. The text depends on
 * the tree's shape alone: equal shapes share one prepared statement.
 */
export function compile(tree: Tree): CompiledTree {
  const writer = new Writer();
  const text = writer.tree(tree);
  return { text, parameters: writer.parameters, ofActor: writer.ofActor };
}

/** A condition alone, for `toSQL()` to show what a behaviour added. */
export function compileCondition(condition: Condition): string {
  return new Writer().condition(condition);
}

/** An expression alone, likewise. */
export function compileExpression(expression: Expression): string {
  return new Writer().expression(expression);
}

class Writer {
  readonly parameters: ParameterValue[] = [];
  readonly ofActor: ParameterValue[] = [];
  readonly #numbers = new Map<ParameterNode, number>();
  /** Aliases of links that stand inside a page, and how to refer to their rows from outside. */
  readonly #pagedLinks = new Map<string, string>();

  tree(tree: Tree): string {
    switch (tree.kind) {
      case "select":
        return this.select(tree);
      case "insert":
        return this.insert(tree);
      case "update":
        return this.update(tree);
      case "delete":
        return this.delete(tree);
    }
  }

  select(select: Select): string {
    const projections = this.#outside(select, () =>
      select.projections.map((projection) => this.projection(projection)).join(", "),
    );
    return `select ${projections || "1"} from ${this.rows(select)}`;
  }

  /**
   * Everything of a select from its table on. With joins and a limit, the limit comes first: the rows of a page are found
   * before anything is joined to them, so that the planner never joins rows which no page shows. What the order needs is
   * joined on both sides: inside to find the page, outside, to its few rows, to keep them in order and show them.
   */
  rows(select: Select): string {
    const { from, joins = [], orderJoins = [], distinctOn, forEach } = select;
    const order = this.order(select.orderBy);
    if (isFlat(select)) return `${this.source(select)}${this.groups(select)}${order}${this.page(select)}`;
    const keys = forEach === undefined ? "" : `${this.forEach(forEach)} cross join lateral `;
    const distinct = distinctOn === undefined ? "" : `distinct on (${this.list(distinctOn)}) `;
    const link = linkOutside(select);
    const row = link === undefined ? `${from.alias}.*` : `${from.alias}.*, ${link.alias} as ${LINK_ROW}`;
    const page = `select ${distinct}${row} from ${this.source({ ...select, joins: [] })}${order}${this.page(select)}`;
    const again = this.#outside(select, () => this.order(select.orderBy));
    return `${keys}(${page}) ${from.alias}${this.joins(joined(orderJoins, joins))}${again}`;
  }

  /** Writes what stands outside of the page: there the row of the link is a value of the page's rows. */
  #outside(select: Select, write: () => string): string {
    const link = isFlat(select) ? undefined : linkOutside(select);
    if (link === undefined) return write();
    this.#pagedLinks.set(link.alias, `(${select.from.alias}.${LINK_ROW})`);
    const text = write();
    this.#pagedLinks.delete(link.alias);
    return text;
  }

  groups({ groupBy = [], having }: Select): string {
    const groups = groupBy.length === 0 ? "" : ` group by ${this.list(groupBy)}`;
    return having === undefined ? groups : `${groups} having ${this.condition(having)}`;
  }

  list(expressions: readonly Expression[]): string {
    return expressions.map((expression) => this.expression(expression)).join(", ");
  }

  /** The table, what is joined to it, and the conditions. */
  source({ from, walk, link, joins = [], orderJoins = [], filters }: Select): string {
    const walked = walk === undefined ? "" : `${this.walk(walk)} join `;
    const met = walk === undefined ? "" : ` on ${walkKeys(walk, from.alias)}`;
    const linked = link === undefined ? "" : ` join ${this.#from(link.table)} on ${this.all(link.on)}`;
    return `${walked}${this.#from(from)}${met}${linked}${this.joins(joined(orderJoins, joins))}${this.where(filters)}`;
  }

  /** A table to read: as it is, or as it was. */
  #from(table: TableReference): string {
    const { past, alias } = table;
    return past === undefined ? aliased(table) : `${past.source(this.parameter(past.moment))} ${alias}`;
  }

  joins(joins: readonly Join[]): string {
    return joins.map(({ table, on }) => ` left join ${this.#from(table)} on ${this.all(on)}`).join("");
  }

  forEach({ keys, alias }: ForEach): string {
    const parts = keys.map((_, i) => `c${i + 1}`).join(", ");
    return `unnest(${keys.map((array) => this.parameter(array)).join(", ")}) as ${alias}(${parts})`;
  }

  /**
   * PostgreSQL's own guard against circles, https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-CYCLE,
   * lets the row that closes one through once more, marked.
   */
  walk({ alias, direction, step, filters, outer, key, parent, maxDepth }: Walk): string {
    const [near, far] = direction === "down" ? [parent, key] : [key, parent];
    const names = key.map((_, i) => `k${i + 1}`);
    const parents = parent.map((_, i) => `p${i + 1}`);
    const given = direction === "down" ? names : parents;
    const columns = [...key, ...parent].map((name) => `${step.alias}.${quoteIdentifier(name)}`).join(", ");
    const begins = near.map(
      (name, i) =>
        `${step.alias}.${quoteIdentifier(name)} = ${outer.alias}.${quoteIdentifier(far[i] ?? name)}`,
    );
    const goesOn = near.map((name, i) => `${step.alias}.${quoteIdentifier(name)} = w.${given[i]}`);
    const seen = filters.length === 0 ? "" : ` and ${this.all(filters)}`;
    const deep = maxDepth === undefined ? "" : ` and w.depth < ${this.parameter(maxDepth)}`;
    const first = `select ${columns}, 1 from ${this.#from(step)} where ${begins.join(" and ")}${seen}`;
    const next = `select ${columns}, w.depth + 1 from w join ${this.#from(step)} on ${goesOn.join(" and ")} where not w.is_cycle${deep}${seen}`;
    const isOther = key
      .map((name, i) => `w.k${i + 1} <> ${outer.alias}.${quoteIdentifier(name)}`)
      .join(" or ");
    const found = `select ${names.join(", ")}, min(w.depth) as depth from w where ${isOther} group by ${names.join(", ")}`;
    const all = [...names, ...parents].join(", ");
    return `(with recursive w(${all}, depth) as (${first} union all ${next}) cycle ${names.join(", ")} set is_cycle using path ${found}) ${alias}`;
  }

  page({ from, limit, offset, lock }: Select): string {
    const rows =
      limit === undefined ? "" : ` limit ${typeof limit === "number" ? limit : this.parameter(limit)}`;
    return `${rows}${offset === undefined ? "" : ` offset ${this.parameter(offset)}`}${lockOf(from, lock)}`;
  }

  order(orderBy: readonly Ordering[]): string {
    if (orderBy.length === 0) return "";
    const parts = orderBy.map(
      ({ of, descending, nulls }) =>
        `${this.expression(of)}${descending ? " desc" : ""}${nulls === undefined ? "" : ` nulls ${nulls}`}`,
    );
    return ` order by ${parts.join(", ")}`;
  }

  /**
   * Related rows arrive as one JSON value of arrays of text cells: PostgreSQL's own text of every value, so that
   * int8, numeric, timestamps and bytes lose nothing on the way through JSON, and one decoder serves both.
   */
  projection(projection: Projection): string {
    if (projection.kind === "value") return this.expression(projection.of);
    const { of: select, many } = projection;
    const isPaged = many && select.limit !== undefined;
    const row = isPaged ? this.#outside(select, () => this.row(select)) : this.row(select);
    if (!many) return `(select ${row} from ${this.source(select)} limit 1)`;
    if (isPaged)
      return `(select coalesce(json_agg(page.r), '[]') from (select ${row} as r from ${this.rows(select)}) page)`;
    const sorted = `${row}${this.order(select.orderBy)}`;
    return `(select coalesce(json_agg(${sorted}), '[]') from ${this.source(select)})`;
  }

  row({ projections }: Select): string {
    const cells = projections.map((inner) =>
      inner.kind === "value" ? `${this.expression(inner.of)}::text` : this.projection(inner),
    );
    // A call takes 100 arguments at most (FUNC_MAX_ARGS); an array literal takes as many as a table has columns.
    return projections.length <= 100
      ? `json_build_array(${cells.join(", ")})`
      : `to_json(array[${cells.map((cell) => `${cell}::text`).join(", ")}])`;
  }

  insert(insert: Insert): string {
    const names = insert.columns.map((column) => quoteIdentifier(column.name)).join(", ");
    const into = `insert into ${aliased(insert.into, " as ")}`;
    const source =
      insert.columns.length === 0 ? " default values" : ` (${names}) ${this.insertSource(insert)}`;
    return into + source + this.conflict(insert) + this.returning(insert.returning);
  }

  /** One row is plain values; several are unnested from one array each, so the text has one shape for any number. */
  insertSource(insert: Insert): string {
    if (insert.rows === "one") {
      const cells = insert.columns.map((column) =>
        column.kind === "constant"
          ? this.expression(column.value)
          : this.parameter({ kind: "parameter", value: column.values }),
      );
      return `values (${cells.join(", ")})`;
    }
    const arrays: string[] = [];
    const cells = insert.columns.map((column) => {
      if (column.kind === "constant") return this.expression(column.value);
      arrays.push(this.parameter({ kind: "parameter", value: column.values, type: "text[]" }));
      return `r.c${arrays.length}::${column.type}`;
    });
    const aliases = arrays.map((_, i) => `c${i + 1}`).join(", ");
    return `select ${cells.join(", ")} from unnest(${arrays.join(", ")}) with ordinality as r(${aliases}, n) order by r.n`;
  }

  conflict(insert: Insert): string {
    const { conflict } = insert;
    if (conflict === undefined) return "";
    const target = conflict.columns.map(quoteIdentifier).join(", ");
    const filter = conflict.indexFilter === undefined ? "" : ` where ${bare(this, conflict.indexFilter)}`;
    const on = ` on conflict${target === "" ? "" : ` (${target})${filter}`}`;
    if (conflict.set === undefined) return `${on} do nothing`;
    return `${on} do update set ${this.assignments(conflict.set)}`;
  }

  update(update: Update): string {
    const set = this.assignments(update.set);
    const from = update.forEach === undefined ? "" : ` from ${this.forEach(update.forEach)}`;
    return `update ${aliased(update.table, " as ")} set ${set}${from}${this.where(update.filters)}${this.returning(update.returning)}`;
  }

  delete(node: Delete): string {
    return `delete from ${aliased(node.from, " as ")}${this.where(node.filters)}${this.returning(node.returning)}`;
  }

  assignments(set: readonly Assignment[]): string {
    return set.map(({ name, value }) => `${quoteIdentifier(name)} = ${this.expression(value)}`).join(", ");
  }

  returning(projections: readonly Projection[]): string {
    if (projections.length === 0) return "";
    return ` returning ${projections.map((projection) => this.projection(projection)).join(", ")}`;
  }

  where(filters: readonly Filter[]): string {
    return filters.length === 0 ? "" : ` where ${this.all(filters)}`;
  }

  all(filters: readonly Filter[]): string {
    return filters.map(({ condition }) => this.condition(condition)).join(" and ");
  }

  condition(condition: Condition): string {
    switch (condition.kind) {
      case "comparison":
        return `${this.expression(condition.left)} ${condition.operator} ${this.expression(condition.right)}`;
      case "null":
        return `${this.expression(condition.of)} is ${condition.negated ? "not " : ""}null`;
      case "any-of": {
        const [operator, quantifier] = condition.negated ? ["<>", "all"] : ["=", "any"];
        return `${this.expression(condition.of)} ${operator} ${quantifier}(${this.expression(condition.values)})`;
      }
      case "any-row-of": {
        const parts = condition.of.map((part) => this.expression(part)).join(", ");
        const arrays = condition.values.map((array) => this.expression(array)).join(", ");
        return `(${parts}) in (select * from unnest(${arrays}))`;
      }
      case "row-comparison":
        return `(${this.list(condition.left)}) ${condition.operator} (${this.list(condition.right)})`;
      case "and":
      case "or": {
        if (condition.of.length === 0) return condition.kind === "and" ? "true" : "false";
        return `(${condition.of.map((part) => this.condition(part)).join(` ${condition.kind} `)})`;
      }
      case "not":
        return `not (${this.condition(condition.of)})`;
      case "untrue":
        return `(${this.condition(condition.of)}) is not true`;
      case "truth":
        return `(${this.condition(condition.of)}) = ${this.expression(condition.is)}`;
      case "exists":
        return `${condition.negated ? "not " : ""}exists (select 1 from ${this.source(condition.of)})`;
      case "sql":
        return `(${this.parts(condition.parts)})`;
    }
  }

  /** An application's own SQL. */
  parts(parts: readonly (string | Expression)[]): string {
    return parts.map((part) => (typeof part === "string" ? part : this.expression(part))).join("");
  }

  expression(expression: Expression): string {
    switch (expression.kind) {
      case "sql":
        return `(${this.parts(expression.parts)})::${expression.type}`;
      case "column": {
        const { alias } = expression.table;
        return `${this.#pagedLinks.get(alias) ?? alias}.${quoteIdentifier(expression.name)}`;
      }
      case "parameter":
        return this.parameter(expression);
      case "now":
        return "clock_timestamp()";
      case "excluded":
        return `excluded.${quoteIdentifier(expression.name)}`;
      case "arithmetic":
        return `${this.expression(expression.left)} ${expression.operator} ${this.expression(expression.right)}`;
      case "negation":
        return `not ${this.expression(expression.of)}`;
      case "coalesce":
        return `coalesce(${expression.of.map((part) => this.expression(part)).join(", ")})`;
      case "count":
        return "count(*)";
      case "aggregate":
        return `${expression.name}(${expression.isDistinct ? "distinct " : ""}${this.expression(expression.of)})`;
      case "count-of":
        return this.countOf(expression.of);
      case "walk-depth":
        return `${expression.alias}.depth`;
      case "for-each-key": {
        const part = `${expression.alias}.c${expression.part}`;
        return expression.type === undefined ? part : `${part}::${expression.type}`;
      }
      case "function": {
        const { schema, name } = expression;
        const called = schema === undefined ? name : qualifiedName(schema, name);
        return `${called}(${this.list(expression.of)})`;
      }
      case "once":
        return `(select ${this.expression(expression.of)})`;
      case "literal":
        return quoteLiteral(expression.text);
      case "json-path": {
        const found = `(${this.expression(expression.of)} #> ${this.expression(expression.path)})`;
        return expression.isCast ? `${found}::jsonb` : found;
      }
    }
  }

  /** Joins give a row at most one more, so they do not count. */
  countOf(select: Select): string {
    const source = this.source({ ...select, joins: [], orderJoins: [] });
    if (select.distinctOn === undefined) return `(select count(*) from ${source})`;
    return `(select count(*) from (select distinct on (${this.list(select.distinctOn)}) 1 from ${source}) d)`;
  }

  parameter(node: ParameterNode): string {
    let number = this.#numbers.get(node);
    if (number === undefined) {
      number = this.parameters.push(node.value);
      this.#numbers.set(node, number);
      if (node.isOfActor === true) this.ofActor.push(node.value);
    }
    return node.type === undefined ? `$${number}` : `$${number}::${node.type}`;
  }
}

/** The row of a link, as a page's rows carry it. */
const LINK_ROW = "plinth_link";

/** Of the table alone: what is joined from outside may be missing, and PostgreSQL locks no missing rows. */
function lockOf(from: TableReference, lock: RowLock | undefined): string {
  if (lock === undefined) return "";
  const wait = lock.wait === undefined ? "" : { nowait: " nowait", skip: " skip locked" }[lock.wait];
  return ` for ${lock.strength} of ${from.alias}${wait}`;
}

/** Whether everything stands on one level; otherwise the page is found first, and joined to. */
function isFlat({ distinctOn, forEach, joins = [], groupBy, limit, walk }: Select): boolean {
  if (forEach !== undefined) return false;
  if (walk !== undefined || groupBy !== undefined) return true;
  return distinctOn === undefined && (joins.length === 0 || limit === undefined);
}

/** The link, where what is shown or the order refers to it: then it has to be seen from outside of the page. */
function linkOutside({ link, projections, orderBy }: Select): TableReference | undefined {
  const shown = projections.map((projection) => (projection.kind === "value" ? projection.of : undefined));
  const isOfLink = (of: Expression | undefined) => of?.kind === "column" && of.table === link?.table;
  return [...shown, ...orderBy.map(({ of }) => of)].some(isOfLink) ? link?.table : undefined;
}

function walkKeys({ alias, key }: Walk, row: string): string {
  return key.map((name, i) => `${row}.${quoteIdentifier(name)} = ${alias}.k${i + 1}`).join(" and ");
}

/** Each once, those that the order needs first. */
function joined(orderJoins: readonly Join[], joins: readonly Join[]): readonly Join[] {
  return orderJoins.length === 0 ? joins : [...new Set([...orderJoins, ...joins])];
}

function aliased(table: TableReference, as = " "): string {
  return `${qualifiedName(table.schema, table.name)}${as}${table.alias}`;
}

/** A partial index's predicate is inferred from column names without the table's alias. */
function bare(writer: Writer, condition: Condition): string {
  return writer.condition(condition).replaceAll(/\bt\d+\."/g, '"');
}
