import type { FuncCall, Node } from "libpg-query";
import type { CatalogView } from "../catalog-view.ts";
import { nameIn } from "../names.ts";

/** Every node of a tree, parents first. Iterative: an expression may be nested as deep as the parser can go. */
export function* nodesIn(tree: unknown): Generator<object> {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value)) yield value;
    // One by one: a list of a hundred thousand values is more than a call takes arguments.
    for (const child of Object.values(value).reverse()) open.push(child);
  }
}

/** Every call of a function in an expression. */
export function callsIn(expression: Node | undefined): readonly FuncCall[] {
  const calls: FuncCall[] = [];
  for (const node of nodesIn(expression)) if (isCall(node)) calls.push(node.FuncCall);
  return calls;
}

function isCall(node: object): node is { readonly FuncCall: FuncCall } {
  return "FuncCall" in node;
}

/**
 * Whether an expression gives another value for each row: it calls a function that is volatile. Undefined when it calls
 * one that is not known.
 */
export async function isVolatile(view: CatalogView, expression: Node): Promise<boolean | undefined> {
  let isKnown = true;
  for (const call of callsIn(expression)) {
    const overloads = await view.functions(nameIn(call.funcname), (call.args ?? []).length);
    if (overloads === undefined || overloads.length === 0) isKnown = view.isComplete && isKnown;
    // Which overload it is depends on types; one that is volatile is reason enough to expect it.
    else if (overloads.some(({ volatility }) => volatility === "volatile")) return true;
  }
  return isKnown ? false : undefined;
}

/** Sequences that `nextval('name')` and its like speak of. */
export function sequencesIn(expression: Node | undefined): readonly string[] {
  return callsIn(expression).flatMap((call) => {
    const { name } = nameIn(call.funcname);
    return /^(?:nextval|setval|currval)$/.test(name) ? literalOf(call.args?.[0]) : [];
  });
}

/** The text of a string constant, below casts. */
export function literalOf(node: Node | undefined): readonly string[] {
  if (node === undefined) return [];
  if ("TypeCast" in node) return literalOf(node.TypeCast.arg);
  const isText = "A_Const" in node && node.A_Const.sval !== undefined;
  return isText ? [node.A_Const.sval?.sval ?? ""] : [];
}
