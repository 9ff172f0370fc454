import type { ConstraintObject, TableObject } from "../catalog/index.ts";
import { type ColumnKeys, onlyColumn } from "./columns.ts";
import type { PullContext } from "./context.ts";
import { call, list, member, object, quoted, template } from "./literal.ts";
import { notDeclared, partlyDeclared } from "./model.ts";
import { bare, inParentheses, namesIn } from "./scan.ts";

/** The keys, foreign keys and checks of a table: on its columns where they fit, else in its constraints. */
export interface KeySources {
  readonly byColumn: ReadonlyMap<string, ColumnKeys>;
  /** Items of `constraints: (t) => […]`. */
  readonly constraints: readonly string[];
}

export function keySources(
  context: PullContext,
  table: TableObject,
  handled: ReadonlySet<string>,
): KeySources {
  const byColumn = new Map<string, { source: string; isPrimary: boolean }>();
  const constraints: string[] = [];
  const onColumn = (column: string, source: string, isPrimary = false): void => {
    const known = byColumn.get(column) ?? { source: "", isPrimary: false };
    byColumn.set(column, { source: known.source + source, isPrimary: known.isPrimary || isPrimary });
  };
  for (const found of inOrder(context.lookup.partsOf(table.id).constraints)) {
    if (context.omitted.has(found.id) || handled.has(found.id)) continue;
    const odd = oddities(found);
    for (const why of odd) context.report(partlyDeclared(found.id, why));
    // Under its own name the one that is declared can be compared with the one that is there.
    const constraint = odd.length === 0 ? found : { ...found, isNameGenerated: false };
    const inline = inlineSource(context, constraint);
    const column = onlyColumn(constraint);
    if (inline !== undefined && column !== undefined) {
      onColumn(column, inline, constraint.type === "primary key");
      continue;
    }
    if (constraint.type === "primary key") for (const name of constraint.columns) onColumn(name, "", true);
    const source = itemSource(context, constraint);
    if (source !== undefined) constraints.push(withComment(context, constraint, source));
  }
  return { byColumn, constraints };
}

const ORDER: Readonly<Record<string, number>> = { "primary key": 0, unique: 1, "foreign key": 2, check: 3 };

function inOrder(constraints: readonly ConstraintObject[]): readonly ConstraintObject[] {
  const rank = ({ type }: ConstraintObject): number => ORDER[type] ?? 4;
  return [...constraints].sort((a, b) => rank(a) - rank(b));
}

/** What fits on the column: a key of one column whose name follows from it, and without a comment. */
function inlineSource(context: PullContext, constraint: ConstraintObject): string | undefined {
  const { type, isNameGenerated, comment } = constraint;
  if (onlyColumn(constraint) === undefined || comment !== undefined) return undefined;
  if (type === "unique") return uniqueOnColumn(constraint);
  if (!isNameGenerated) return undefined;
  if (type === "primary key") return ".primaryKey()";
  return type === "foreign key" ? referenceOnColumn(context, constraint) : undefined;
}

function uniqueOnColumn({ definition, isNameGenerated, name }: ConstraintObject): string {
  const given = isNameGenerated ? [] : [quoted(name)];
  if (!definition.startsWith("UNIQUE NULLS NOT DISTINCT")) return `.unique(${given.join("")})`;
  return `.unique(${given[0] ?? "undefined"}, { nulls: "not distinct" })`;
}

/** A foreign key's definition taken apart. */
interface Reference {
  readonly table: string;
  readonly columns: readonly string[];
  readonly onDelete: string | undefined;
  readonly onUpdate: string | undefined;
  /** What else it says, which has no declaration. */
  readonly rest: string;
}

function referenceOf({ definition, references }: ConstraintObject): Reference | undefined {
  const at = definition.indexOf(" REFERENCES ");
  if (at < 0 || references === undefined) return undefined;
  const target = references.slice("table ".length);
  const columns = inParentheses(definition, at + " REFERENCES ".length + target.length);
  if (columns === undefined) return undefined;
  let rest = definition.slice(columns.end);
  const take = (pattern: RegExp): string | undefined => {
    const found = pattern.exec(rest)?.[1];
    if (found !== undefined) rest = rest.replace(pattern, "");
    return found?.toLowerCase();
  };
  const actions = "(CASCADE|RESTRICT|SET NULL|SET DEFAULT)(?! \\()";
  const onUpdate = take(new RegExp(` ON UPDATE ${actions}`));
  const onDelete = take(new RegExp(` ON DELETE ${actions}`));
  return { table: references, columns: namesIn(columns.inner), onDelete, onUpdate, rest: rest.trim() };
}

function referenceOnColumn(context: PullContext, constraint: ConstraintObject): string | undefined {
  const reference = referenceOf(constraint);
  const [column] = reference?.columns ?? [];
  const target = context.constants.get(reference?.table ?? "");
  if (reference === undefined || column === undefined || target === undefined) return undefined;
  const key = context.propertiesOf(reference.table).get(column) ?? column;
  const options = object([
    ["onDelete", reference.onDelete && quoted(reference.onDelete)],
    ["onUpdate", reference.onUpdate && quoted(reference.onUpdate)],
  ]);
  return `.references(${typedArrow(context, member(target, key))}${options === "{}" ? "" : `, ${options}`})`;
}

/** Tables may refer to each other in a circle, which TypeScript follows only with the annotation. */
function typedArrow({ file }: PullContext, column: string): string {
  if (file.dialect === "javascript") return `() => ${column}`;
  file.use("type AnyPgColumn");
  return `(): AnyPgColumn => ${column}`;
}

function itemSource(context: PullContext, constraint: ConstraintObject): string | undefined {
  const { file } = context;
  switch (constraint.type) {
    case "primary key":
      return `${file.use("primaryKey")}(${object([
        ["name", constraint.isNameGenerated ? undefined : quoted(constraint.name)],
        ["columns", columnList(context, constraint.table, constraint.columns)],
      ])})`;
    case "unique": {
      const name = constraint.isNameGenerated ? "" : quoted(constraint.name);
      const nulls = constraint.definition.startsWith("UNIQUE NULLS NOT DISTINCT")
        ? ".nullsNotDistinct()"
        : "";
      const columns = columnList(context, constraint.table, constraint.columns).slice(1, -1);
      return `${file.use("unique")}(${name}).on(${columns})${nulls}`;
    }
    case "foreign key":
      return foreignKeySource(context, constraint);
    case "check":
      return checkSource(context, constraint);
    default:
      context.report(
        notDeclared(constraint.id, `a constraint of the kind ${constraint.type} has no declaration`),
      );
      return undefined;
  }
}

function foreignKeySource(context: PullContext, constraint: ConstraintObject): string | undefined {
  const reference = referenceOf(constraint);
  const target = context.constants.get(reference?.table ?? "");
  if (reference === undefined || target === undefined) {
    context.report(notDeclared(constraint.id, "the table it refers to is not in the file"));
    return undefined;
  }
  // Through `t`, as the constant has no type yet inside its own declaration.
  const other = reference.table === constraint.table ? "t" : target;
  const columns = reference.columns.map((name) =>
    member(other, context.propertiesOf(reference.table).get(name) ?? name),
  );
  const parts = object([
    ["name", constraint.isNameGenerated ? undefined : quoted(constraint.name)],
    ["columns", columnList(context, constraint.table, constraint.columns)],
    ["foreignColumns", list(columns)],
  ]);
  const onDelete = reference.onDelete === undefined ? "" : `.onDelete(${quoted(reference.onDelete)})`;
  const onUpdate = reference.onUpdate === undefined ? "" : `.onUpdate(${quoted(reference.onUpdate)})`;
  return `${context.file.use("foreignKey")}(${parts})${onDelete}${onUpdate}`;
}

function checkSource(context: PullContext, constraint: ConstraintObject): string | undefined {
  const group = inParentheses(constraint.definition, "CHECK ".length);
  if (group === undefined) {
    context.report(notDeclared(constraint.id, "its expression could not be read"));
    return undefined;
  }
  const { file } = context;
  return call(file.use("check"), quoted(constraint.name), file.use("sql") + template(bare(group.inner)));
}

function withComment({ file }: PullContext, { comment }: ConstraintObject, source: string): string {
  return comment === undefined ? source : call(file.use("comment"), source, quoted(comment));
}

/** What of a constraint has no declaration, in words. */
function oddities(constraint: ConstraintObject): readonly string[] {
  const { isValid, isEnforced, isSuspended } = constraint;
  const rest = restOf(constraint);
  return [
    ...(isEnforced ? [] : ["it is not enforced; declared, it would be"]),
    ...(isEnforced && !isValid ? ["it was never validated; declared, it would be"] : []),
    ...(isSuspended ? ["its triggers are disabled; declared, they would not be"] : []),
    ...(rest === "" ? [] : [`there is no declaration for ${rest}`]),
  ];
}

/** What a definition says beside what Drizzle has words for: DEFERRABLE, INCLUDE, NO INHERIT. */
function restOf(constraint: ConstraintObject): string {
  const { type, definition } = constraint;
  switch (type) {
    case "primary key":
    case "unique":
      return definition.replace(/^.*?\((?:[^()"]|"(?:[^"]|"")*")*\)/, "").trim();
    case "foreign key":
      return referenceOf(constraint)?.rest ?? "";
    case "check":
      return definition.slice(inParentheses(definition, "CHECK ".length)?.end ?? definition.length).trim();
    default:
      return "";
  }
}

function columnList(context: PullContext, table: string, columns: readonly string[]): string {
  const properties = context.propertiesOf(table);
  return list(columns.map((name) => member("t", properties.get(name) ?? name)));
}
