import { getTableColumns, is, Table, type View } from "drizzle-orm";
import type { PgEnum, PgSequence, PgView } from "drizzle-orm/pg-core";
import { SchemaError, unknownName } from "../../errors/index.ts";
import type { EnumDescription } from "../description.ts";
import { describeColumn, describeEnum } from "../drizzle-columns.ts";
import { nameOfRelation, referencesOf, renderBody, renderClause } from "../drizzle-sql.ts";
import { type AnyEntity, isEntity } from "../entity.ts";
import type {
  CompositeTypeDescription,
  DomainDescription,
  ExtensionDescription,
  GrantDescription,
  GrantTarget,
  ObjectDescription,
  SequenceDescription,
  TriggerDescription,
} from "../object-description.ts";
import type { CompositeTypeDeclaration } from "./composite-type.ts";
import { describeRoutine } from "./describe-routine.ts";
import { describeView } from "./describe-view.ts";
import type { DomainDeclaration } from "./domain.ts";
import type { ExtensionDeclaration } from "./extension.ts";
import { type GrantOptions, rolesOf } from "./grant.ts";
import { commentOf } from "./notes.ts";
import { dependencyIds, objectId, objectIds, typeIds } from "./object-id.ts";
import { roleSql } from "./policy.ts";
import { type Declared, declaredAs, wordOf } from "./registry.ts";
import { sequenceOptions } from "./sequence-options.ts";
import { recordColumns, type TriggerOptions } from "./trigger.ts";
import { buildTypes } from "./value-type.ts";

/**
 * Reads something that was declared on an `appSchema`, but for enums.
 *
 * @throws {SCHEMA_INVALID}
 */
export function describeObject(object: object): ObjectDescription {
  const declared = declaredAs(object);
  const described = declared === undefined ? undefined : describeDeclared(object, declared);
  if (described === undefined) throw new TypeError("not a declared object");
  // comment(app.…, "…") says it for everything; the option of the same name is for the declaration itself.
  return described.kind === "grant"
    ? described
    : { ...described, comment: commentOf(object) ?? described.comment };
}

function describeDeclared(
  object: object,
  declared: Declared<string, unknown>,
): ObjectDescription | undefined {
  switch (declared.kind) {
    case "function":
    case "procedure":
      return describeRoutine(object);
    case "view":
    case "materialized view":
      return describeView(object as View, declared as Declared<string, object>);
    case "trigger":
      return describeTrigger(declared as Declared<"trigger", TriggerOptions<AnyEntity | PgView>>);
    case "extension":
      return describeExtension(declared as Declared<"extension", ExtensionDeclaration>);
    case "grant":
      return describeGrant(declared as Declared<"grant", GrantOptions>);
    case "domain":
      return describeDomain(declared as Declared<"domain", DomainDeclaration>);
    case "composite type":
      return describeComposite(declared as Declared<"composite type", CompositeTypeDeclaration>);
    case "sequence":
      return describeSequence(object as PgSequence, declared.order);
    default:
      return undefined;
  }
}

/** An enum of Drizzle's. */
export function describeDeclaredEnum(declared: object): EnumDescription {
  return describeEnum(declared as PgEnum<[string, ...string[]]>);
}

function describeExtension(declared: Declared<"extension", ExtensionDeclaration>): ExtensionDescription {
  const { schema, name, order, options } = declared;
  const { target, version, comment } = options;
  return {
    kind: "extension",
    schema,
    name,
    order,
    comment,
    needs: [],
    target: target === schema ? undefined : target,
    version,
  };
}

function describeDomain(declared: Declared<"domain", DomainDeclaration>): DomainDescription {
  const { schema, name, order, options } = declared;
  const { base, checks = [], comment } = options;
  const [column] = buildTypes(schema, name, { value: base }).values();
  if (column === undefined) throw new TypeError(`domain "${name}" has no base type`);
  const described = describeColumn("value", column, schema);
  return {
    kind: "domain",
    schema,
    name,
    order,
    comment,
    needs: [
      ...objectIds(
        checks.flatMap((check) => [...referencesOf(check.value)]),
        schema,
      ),
      ...typeIds([described], schema),
    ],
    base: described,
    checks: checks.map((check) => ({ name: check.name, expression: renderClause(check.value, schema) })),
  };
}

function describeComposite(
  declared: Declared<"composite type", CompositeTypeDeclaration>,
): CompositeTypeDescription {
  const { schema, name, order, options } = declared;
  const attributes = [...options.attributes].map(([key, column]) => describeColumn(key, column, schema));
  if (attributes.length === 0) throw new SchemaError(`composite type "${name}" has no attributes`);
  return {
    kind: "composite type",
    schema,
    name,
    order,
    comment: options.comment,
    needs: typeIds(attributes, schema),
    attributes,
  };
}

/** A sequence of Drizzle's, whoever declared it. */
export function describeSequence(sequence: PgSequence, order: number): SequenceDescription {
  const { seqName = "", schema = "", seqOptions = {} } = sequence;
  return {
    kind: "sequence",
    schema,
    name: seqName,
    order,
    comment: commentOf(sequence),
    needs: [],
    options: sequenceOptions(`sequence "${seqName}"`, seqOptions),
  };
}

function describeTrigger(
  declared: Declared<"trigger", TriggerOptions<AnyEntity | PgView>>,
): TriggerDescription {
  const { schema, name, order, options } = declared;
  const { on, execute, condition, referencing, dependsOn = [] } = options;
  const what = `trigger "${name}"`;
  const target = nameOfRelation(on);
  if (target === undefined || target.schema !== schema) {
    throw new SchemaError(`${what} is on something outside its schema "${schema}"`);
  }
  const names = columnNames(on);
  const when = condition?.({
    old: recordColumns("old", names, what),
    new: recordColumns("new", names, what),
  });
  return {
    kind: "trigger",
    schema,
    name,
    order,
    comment: options.comment,
    needs: [
      ...objectIds([on, execute, ...(when === undefined ? [] : referencesOf(when))], schema),
      ...dependencyIds(what, dependsOn, schema),
    ],
    table: target.name,
    timing: wordOf(what, "timing", options.timing, ["before", "after", "instead of"]),
    events: options.events,
    columns: (options.columns ?? []).map((key) => names.get(key) ?? key),
    isForEachRow: wordOf(what, "forEach", options.forEach ?? "row", ["row", "statement"]) === "row",
    condition: when === undefined ? undefined : renderBody(when, schema),
    execute: declaredAs(execute)?.name ?? "",
    arguments: options.arguments ?? [],
    oldRows: referencing?.old,
    newRows: referencing?.new,
    deferrable:
      options.deferrable === undefined
        ? undefined
        : wordOf(what, "deferrable", options.deferrable, ["immediate", "deferred"]),
  };
}

/** Property and name of the columns of a table; of a view's, those it was declared with. */
function columnNames(on: AnyEntity | PgView): ReadonlyMap<string, string> {
  const columns: unknown = is(on, Table) ? getTableColumns(on) : {};
  return new Map(
    Object.entries(columns as Readonly<Record<string, { readonly name: string }>>).map(([key, column]) => [
      key,
      column.name,
    ]),
  );
}

function describeGrant(declared: Declared<"grant", GrantOptions>): GrantDescription {
  const { schema, order, options } = declared;
  const { on, to, privileges, columns = [], history = false, withGrantOption = false } = options;
  const id = objectId(on, schema);
  if (id === undefined) throw new SchemaError(`a grant of schema "${schema}" is on something outside of it`);
  return {
    kind: "grant",
    schema,
    order,
    needs: [id],
    on: targetOf(on, id.slice(id.indexOf(" ") + 1) + (history ? "_history" : "")),
    columns: isEntity(on) ? columns.map((key) => columnName(on, key)) : [],
    privileges,
    roles: rolesOf(to).map(roleSql),
    withGrantOption,
  };
}

function targetOf(on: object, name: string): GrantTarget {
  switch (declaredAs(on)?.kind) {
    case "function":
      return { kind: "function", name };
    case "procedure":
      return { kind: "procedure", name };
    case "domain":
      return { kind: "domain", name };
    case "enum":
    case "composite type":
      return { kind: "type", name };
    case "sequence":
      return { kind: "sequence", name };
    default:
      return { kind: "table", name };
  }
}

function columnName(on: AnyEntity, key: string): string {
  const names = columnNames(on);
  const name = names.get(key);
  if (name === undefined) throw new SchemaError(`grant: ${unknownName("column", key, [...names.keys()])}`);
  return name;
}
