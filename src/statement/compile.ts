import {
  type Assignment,
  type Condition,
  type Delete,
  type Expression,
  type Filter,
  type Insert,
  type ParameterNode,
  type Projection,
  qualifiedName,
  quoteIdentifier,
  type Select,
  type TableReference,
  type Tree,
  type Update,
} from "../sql/index.ts";
import { encodeArray } from "./array-text.ts";

/** A tree as text and parameters. */
export interface CompiledTree {
  readonly text: string;
  readonly values: readonly (string | Buffer | null)[];
}

/**
 * Writes a statement tree down. Identifiers come from the declared schema and are quoted; values become
 * parameters, each node once, so that a condition used in two places is still one parameter. The text depends on
 * the tree's shape alone: equal shapes share one prepared statement.
 */
export function compile(tree: Tree): CompiledTree {
  const writer = new Writer();
  const text = writer.tree(tree);
  return { text, values: writer.values };
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
  readonly values: (string | Buffer | null)[] = [];
  readonly #numbers = new Map<ParameterNode, number>();

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
    const projections = select.projections.map((projection) => this.projection(projection)).join(", ");
    let text = `select ${projections || "1"} from ${aliased(select.from)}${this.where(select.filters)}`;
    if (select.orderBy.length > 0) {
      const parts = select.orderBy.map(
        ({ of, descending }) => this.expression(of) + (descending ? " desc" : ""),
      );
      text += ` order by ${parts.join(", ")}`;
    }
    if (select.limit !== undefined) text += ` limit ${this.parameter(select.limit)}`;
    if (select.offset !== undefined) text += ` offset ${this.parameter(select.offset)}`;
    return text;
  }

  /**
   * Related rows arrive as one JSON value of arrays of text cells: PostgreSQL's own text of every value, so that
   * int8, numeric, timestamps and bytes lose nothing on the way through JSON, and one decoder serves both.
   */
  projection(projection: Projection): string {
    if (projection.kind === "value") return this.expression(projection.of);
    const { of: select, many } = projection;
    const cells = select.projections.map((inner) =>
      inner.kind === "value" ? `${this.expression(inner.of)}::text` : this.projection(inner),
    );
    // A call takes 100 arguments at most (FUNC_MAX_ARGS); an array literal takes as many as a table has columns.
    const row =
      select.projections.length <= 100
        ? `json_build_array(${cells.join(", ")})`
        : `to_json(array[${cells.map((cell) => `${cell}::text`).join(", ")}])`;
    if (!many) return `(select ${row} from ${aliased(select.from)}${this.where(select.filters)} limit 1)`;
    const order = select.orderBy
      .map(({ of, descending }) => this.expression(of) + (descending ? " desc" : ""))
      .join(", ");
    if (select.limit === undefined) {
      const sorted = order === "" ? row : `${row} order by ${order}`;
      return `(select coalesce(json_agg(${sorted}), '[]') from ${aliased(select.from)}${this.where(select.filters)})`;
    }
    const inner = `select ${row} as r from ${aliased(select.from)}${this.where(select.filters)} order by ${order} limit ${this.parameter(select.limit)}`;
    return `(select coalesce(json_agg(page.r), '[]') from (${inner}) page)`;
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
    if (insert.rowCount === 1) {
      const cells = insert.columns.map((column) =>
        column.kind === "constant"
          ? this.expression(column.value)
          : this.parameter({ kind: "parameter", value: column.values[0] ?? null }),
      );
      return `values (${cells.join(", ")})`;
    }
    const arrays: string[] = [];
    const cells = insert.columns.map((column) => {
      if (column.kind === "constant") return this.expression(column.value);
      arrays.push(this.parameter({ kind: "parameter", value: encodeArray(column.values), type: "text[]" }));
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
    return `update ${aliased(update.table, " as ")} set ${set}${this.where(update.filters)}${this.returning(update.returning)}`;
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
    if (filters.length === 0) return "";
    return ` where ${filters.map(({ condition }) => this.condition(condition)).join(" and ")}`;
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
      case "and":
      case "or": {
        if (condition.of.length === 0) return condition.kind === "and" ? "true" : "false";
        return `(${condition.of.map((part) => this.condition(part)).join(` ${condition.kind} `)})`;
      }
      case "not":
        return `not (${this.condition(condition.of)})`;
    }
  }

  expression(expression: Expression): string {
    switch (expression.kind) {
      case "column":
        return `${expression.table.alias}.${quoteIdentifier(expression.name)}`;
      case "parameter":
        return this.parameter(expression);
      case "now":
        return "clock_timestamp()";
      case "excluded":
        return `excluded.${quoteIdentifier(expression.name)}`;
      case "sum":
        return `${this.expression(expression.left)} + ${this.expression(expression.right)}`;
      case "coalesce":
        return `coalesce(${expression.of.map((part) => this.expression(part)).join(", ")})`;
      case "count":
        return "count(*)";
      case "count-of":
        return `(select count(*) from ${aliased(expression.of.from)}${this.where(expression.of.filters)})`;
    }
  }

  parameter(node: ParameterNode): string {
    let number = this.#numbers.get(node);
    if (number === undefined) {
      number = this.values.push(node.value);
      this.#numbers.set(node, number);
    }
    return node.type === undefined ? `$${number}` : `$${number}::${node.type}`;
  }
}

function aliased(table: TableReference, as = " "): string {
  return `${qualifiedName(table.schema, table.name)}${as}${table.alias}`;
}

/** A partial index's predicate is inferred from column names without the table's alias. */
function bare(writer: Writer, condition: Condition): string {
  return writer.condition(condition).replaceAll(/\bt\d+\."/g, '"');
}
