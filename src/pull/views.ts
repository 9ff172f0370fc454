import type { IndexObject, ViewObject } from "../catalog/index.ts";
import { snakeCase } from "../sql/index.ts";
import type { PullContext } from "./context.ts";
import { type IndexedColumn, indexSource } from "./indexes.ts";
import { call, indent, list, object, property, quoted, template } from "./literal.ts";
import { partlyDeclared } from "./model.ts";
import { camelCase } from "./names.ts";
import { typeSource } from "./types.ts";

/** Adds a view or materialized view with its columns written down and its query as SQL. */
export function addView(context: PullContext, view: ViewObject): void {
  const { id, kind, name, query, comment } = view;
  const { file, constants } = context;
  const properties = context.propertiesOf(id);
  const columns = view.columns.map((column) => {
    const key = properties.get(column.name) ?? column.name;
    const given = snakeCase(key) === column.name ? undefined : column.name;
    if (column.comment !== undefined) {
      const why = `the comment of its column ${column.name} has no declaration`;
      context.report(partlyDeclared(id, why), [`comment column ${nameIn(id)}.${column.name}`]);
    }
    return `${property(key)}: ${typeSource(context, column.type, given).source},`;
  });
  const indexes = indexSources(context, view);
  const options = object([
    ["comment", comment === undefined ? undefined : quoted(comment)],
    ["indexes", indexes.length === 0 ? undefined : `(t) => ${list(indexes)}`],
  ]);
  const maker = kind === "view" ? "app.view" : "app.materializedView";
  const make = `${maker}(${quoted(name)}, {\n${indent(columns.join("\n"))}\n})`;
  const as = call("as", file.use("sql") + template(query), options === "{}" ? undefined : options);
  file.declare(constants.get(id) ?? name, `${make}${optionsSource(context, view)}.${as}`);
}

/** `names` of `view names`. */
function nameIn(id: string): string {
  return id.slice(id.startsWith("view ") ? "view ".length : "materialized view ".length);
}

function indexSources(context: PullContext, view: ViewObject): readonly string[] {
  const properties = context.propertiesOf(view.id);
  const columns = new Map<string, IndexedColumn>(
    view.columns.map(({ name }) => [name, { key: properties.get(name) ?? name, notNull: false }]),
  );
  const indexes = context.lookup.catalog.objects.filter(
    (object): object is IndexObject => object.kind === "index" && object.table === view.id,
  );
  const own = indexes.filter(({ id }) => !context.omitted.has(id));
  return own.flatMap((index) => indexSource(context, index, columns, indexes) ?? []);
}

/** `security_barrier=true` is `.with({ securityBarrier: true })`. */
function optionsSource(context: PullContext, { id, options }: ViewObject): string {
  const entries = options.flatMap((option) => {
    const at = option.indexOf("=");
    const [name, value] = [option.slice(0, at), option.slice(at + 1)];
    if (!/^[a-z_]+$/.test(name)) {
      context.report(partlyDeclared(id, `there is no declaration for its option ${option}`));
      return [];
    }
    const isBare = /^(?:true|false|\d+(?:\.\d+)?)$/.test(value);
    return [[camelCase(name), isBare ? value : quoted(value)] as const];
  });
  return entries.length === 0 ? "" : `.with(${object(entries)})`;
}
