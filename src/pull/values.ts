import type {
  CompositeObject,
  DomainObject,
  EnumObject,
  ExtensionObject,
  SequenceObject,
} from "../catalog/index.ts";
import { snakeCase } from "../sql/index.ts";
import { sequenceEntries } from "./columns.ts";
import type { PullContext } from "./context.ts";
import { defaultSource } from "./defaults.ts";
import { call, list, object, quoted, template } from "./literal.ts";
import { partlyDeclared } from "./model.ts";
import { camelCase, createNamer } from "./names.ts";
import { bare, inParentheses } from "./scan.ts";
import { typeSource } from "./types.ts";

/** Types, sequences and extensions: what stands at the top of the file. */

export function addExtension(context: PullContext, extension: ExtensionObject): void {
  const { home, name, comment } = extension;
  const schema = home === undefined ? context.lookup.catalog.home : home;
  const options = object([
    ["schema", schema === "public" ? undefined : home === undefined ? "app" : quoted(schema)],
    ["comment", comment === undefined ? undefined : quoted(comment)],
  ]);
  add(context, extension.id, call("app.extension", quoted(name), options === "{}" ? undefined : options));
}

export function addEnum(context: PullContext, { id, name, values, comment }: EnumObject): void {
  add(context, id, commented(context, call("app.enum", quoted(name), list(values.map(quoted))), comment));
}

export function addDomain(context: PullContext, domain: DomainObject): void {
  const { id, name, type, collation, notNull, checks, comment, default: expression } = domain;
  const { file } = context;
  const base = typeSource(context, type);
  const byDefault =
    expression === undefined ? "" : defaultSource(context, { expression, type, kind: base.defaults });
  const sources = checks.map((check) => {
    const group = inParentheses(check.definition, "CHECK ".length);
    if (!check.isValid) context.report(partlyDeclared(id, `its check ${check.name} was never validated`));
    const inner = bare(group?.inner ?? check.definition);
    return call(file.use("check"), quoted(check.name), file.use("sql") + template(inner));
  });
  if (collation !== undefined) {
    context.report(partlyDeclared(id, `its collation ${collation} has no declaration`));
  }
  const options = object([
    ["checks", sources.length === 0 ? undefined : list(sources)],
    ["comment", comment === undefined ? undefined : quoted(comment)],
  ]);
  const column = base.source + (notNull ? ".notNull()" : "") + byDefault;
  add(context, id, call("app.domain", quoted(name), column, options === "{}" ? undefined : options));
}

export function addComposite(context: PullContext, { id, name, attributes, comment }: CompositeObject): void {
  const keys = createNamer();
  const entries = attributes.map((attribute) => {
    const key = keys.take(camelCase(attribute.name));
    const given = snakeCase(key) === attribute.name ? undefined : attribute.name;
    if (attribute.collation !== undefined) {
      const why = `the collation ${attribute.collation} of its ${attribute.name} has no declaration`;
      context.report(partlyDeclared(id, why));
    }
    return [key, typeSource(context, attribute.type, given).source] as const;
  });
  const options = comment === undefined ? undefined : object([["comment", quoted(comment)]]);
  add(context, id, call("app.compositeType", quoted(name), object(entries), options));
}

export function addSequence(context: PullContext, sequence: SequenceObject): void {
  const { id, name, options, ownedBy, isUnlogged, comment } = sequence;
  const say = (why: string): void => context.report(partlyDeclared(id, why));
  if (options.type !== "bigint")
    say(`its type ${options.type} has no declaration; declared, it would be bigint`);
  if (ownedBy !== undefined) say(`that it goes with ${ownedBy} has no declaration`);
  if (isUnlogged) say("it is unlogged; declared, it would not be");
  const given = object(sequenceEntries(options));
  const source = call("app.sequence", quoted(name), given === "{}" ? undefined : given);
  add(context, id, commented(context, source, comment));
}

function add({ file, constants }: PullContext, id: string, source: string): void {
  file.declare(constants.get(id) ?? id, source);
}

function commented({ file }: PullContext, source: string, comment: string | undefined): string {
  return comment === undefined ? source : call(file.use("comment"), source, quoted(comment));
}
