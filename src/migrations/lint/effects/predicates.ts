import type { Node } from "libpg-query";

/** The expression that a `select …` of one column stands for. */
export function selectedExpression(tree: Node): Node | undefined {
  if (!("SelectStmt" in tree)) return undefined;
  const [target] = tree.SelectStmt.targetList ?? [];
  return target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined;
}

/** The parts of an expression that are joined by `and`. */
export function conjuncts(expression: Node | undefined): readonly Node[] {
  if (expression === undefined) return [];
  if (!("BoolExpr" in expression) || expression.BoolExpr.boolop !== "AND_EXPR") return [expression];
  return (expression.BoolExpr.args ?? []).flatMap((part) => conjuncts(part));
}

/** The column a reference names, without its table. */
export function columnReferred(node: Node | undefined): string | undefined {
  if (node === undefined || !("ColumnRef" in node)) return undefined;
  const last = node.ColumnRef.fields?.at(-1);
  return last !== undefined && "String" in last ? last.String.sval : undefined;
}

/** `check (…)` as `select …` says that the column is not null. */
export function impliesNotNull(tree: Node, column: string): boolean {
  return conjuncts(selectedExpression(tree)).some(
    (part) =>
      "NullTest" in part &&
      part.NullTest.nulltesttype === "IS_NOT_NULL" &&
      columnReferred(part.NullTest.arg) === column,
  );
}
