import type { AlterTableCmd, ColumnDef, Constraint, Node } from "libpg-query";
import { parseSql } from "../../parse-sql.ts";
import type { TypeFacts } from "../catalog-view.ts";
import { qualified, stringsIn, typeNameOf } from "../names.ts";
import { isVolatile, sequencesIn } from "./expressions.ts";
import { columnOf } from "./family.ts";
import { addForeignKey } from "./foreign-key.ts";
import { selectedExpression } from "./predicates.ts";
import type { TableChange } from "./table-change.ts";
import { resolveType } from "./type-change.ts";

const SERIAL = /^(?:big|small)?serial[248]?$/;

/** `serial` and its like: no types, but a sequence and a default that calls it. */
export function isSerial(column: ColumnDef): boolean {
  const names = stringsIn(column.typeName?.names);
  return names.length === 1 && SERIAL.test(names[0] ?? "");
}

/** Constraints written behind a column. */
export function columnConstraints(column: ColumnDef): readonly Constraint[] {
  return (column.constraints ?? []).flatMap((node) => ("Constraint" in node ? [node.Constraint] : []));
}

/** `add column`: writes every row anew when the new value is not one and the same for all of them. */
export async function addColumn({ def }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation } = change;
  if (def === undefined || !("ColumnDef" in def)) return;
  const column = def.ColumnDef;
  if (columnOf(relation, column.colname) !== undefined) return;
  const family = await change.lockFamily();
  const constraints = columnConstraints(column);
  const value = await newValue(column, constraints, change);
  if (!value.isFilled && column.colname !== undefined) change.empty.add(column.colname);
  if (value.isComputed) for (const member of family) change.rewrite(member);
  if (value.isComputed) await lockSequences(value.expression, change);
  for (const constraint of constraints) await addColumnConstraint(constraint, column, change);
  const isNotNull = constraints.some(
    ({ contype }) => contype === "CONSTR_NOTNULL" || contype === "CONSTR_PRIMARY",
  );
  if (isNotNull && !value.isFilled) for (const member of family) change.scan(member);
}

interface NewValue {
  /** For each row on its own. */
  readonly isComputed: boolean;
  /** There is one, the same or not. */
  readonly isFilled: boolean;
  readonly expression: Node | undefined;
}

async function newValue(
  column: ColumnDef,
  constraints: readonly Constraint[],
  change: TableChange,
): Promise<NewValue> {
  const generated = constraints.find(({ contype }) => contype === "CONSTR_GENERATED");
  if (generated !== undefined) {
    // A virtual column has no values to fill in, so nothing shows that they are not null either.
    const isStored = generated.generated_kind !== "v";
    return { isComputed: isStored, isFilled: isStored, expression: undefined };
  }
  const isCounted = isSerial(column) || constraints.some(({ contype }) => contype === "CONSTR_IDENTITY");
  if (isCounted) return { isComputed: true, isFilled: true, expression: undefined };
  const type = await typeOf(column, change);
  const expression = await defaultOf(constraints, type);
  const isVariable = expression === undefined ? false : await isVolatile(change.view, expression);
  if (isVariable === undefined) {
    change.effects.unknown(`whether the default of ${column.colname} differs from row to row is not known`);
  }
  const isComputed = isVariable === true || (type?.isConstrained === true && !type.isArray);
  return { isComputed, isFilled: expression !== undefined || isComputed, expression };
}

async function typeOf(column: ColumnDef, { view, effects }: TableChange): Promise<TypeFacts | undefined> {
  const resolved = await resolveType(view, column.typeName);
  const { isArray, ...path } = typeNameOf(column.typeName);
  // An array of a domain with a constraint is no such domain.
  if (resolved === undefined && !view.isComplete && !isArray) {
    const name = qualified(path);
    effects.unknown(`whether ${name} is a domain with a constraint is not known`);
  }
  return resolved?.type;
}

/** The column's default, else that of its domain, or of the one below. */
async function defaultOf(
  constraints: readonly Constraint[],
  type: TypeFacts | undefined,
): Promise<Node | undefined> {
  const own = constraints.find(({ contype }) => contype === "CONSTR_DEFAULT")?.raw_expr;
  if (own !== undefined) return isNull(own) ? undefined : own;
  for (let at = type?.isArray === true ? undefined : type; at !== undefined; at = at.base) {
    if (at.expression === undefined) continue;
    const { statements } = await parseSql(`select ${at.expression}`);
    const tree = statements[0]?.tree;
    // A default is stored as a bare word where it is a constant.
    return tree === undefined ? { A_Const: { sval: { sval: at.expression } } } : selectedExpression(tree);
  }
  return undefined;
}

function isNull(node: Node): boolean {
  if ("TypeCast" in node && node.TypeCast.arg !== undefined) return isNull(node.TypeCast.arg);
  return "A_Const" in node && node.A_Const.isnull === true;
}

async function lockSequences(expression: Node | undefined, { view, effects }: TableChange): Promise<void> {
  for (const name of sequencesIn(expression)) {
    const parts = name.split(".");
    const sequence = await view.find({ schema: parts.at(-2), name: parts.at(-1) ?? "" });
    if (sequence !== undefined) effects.lock(sequence, "RowExclusiveLock");
  }
}

async function addColumnConstraint(
  constraint: Constraint,
  column: ColumnDef,
  change: TableChange,
): Promise<void> {
  switch (constraint.contype) {
    case "CONSTR_CHECK":
      if (!isEnforced(constraint, columnConstraints(column))) return;
      for (const member of await change.lockFamily()) change.scan(member);
      return;
    case "CONSTR_PRIMARY":
    case "CONSTR_UNIQUE":
      return change.scan(change.relation);
    case "CONSTR_FOREIGN": {
      // Without a default every value is null, and there is nothing to look up.
      const all = columnConstraints(column);
      const hasDefault =
        isSerial(column) ||
        all.some(({ contype }) => contype === "CONSTR_DEFAULT" || contype === "CONSTR_GENERATED");
      return addForeignKey(constraint, change, { isValidated: hasDefault && isEnforced(constraint, all) });
    }
    default:
      return;
  }
}

/** `not enforced` stands behind the constraint it belongs to, as one of its own. */
function isEnforced(constraint: Constraint, all: readonly Constraint[]): boolean {
  for (const { contype } of all.slice(all.indexOf(constraint) + 1)) {
    if (contype === "CONSTR_ATTR_NOT_ENFORCED") return false;
    if (contype?.startsWith("CONSTR_ATTR_") !== true) return true;
  }
  return true;
}
