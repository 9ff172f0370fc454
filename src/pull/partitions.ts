import type { TableObject } from "../catalog/index.ts";
import type { PullContext } from "./context.ts";
import { list, object, quoted, template } from "./literal.ts";
import { partlyDeclared } from "./model.ts";
import { inParentheses, literalText, splitTop, takeName } from "./scan.ts";

/** How a table is divided, as its key says: `RANGE (at)`. */
export interface PartitionKey {
  readonly strategy: "range" | "list" | "hash";
  readonly columns: readonly string[];
}

/** Undefined for a key of expressions, collations or operator classes, which have no declaration. */
export function partitionKeyOf(table: TableObject): PartitionKey | undefined {
  const match = /^(RANGE|LIST|HASH) (\(.*\))$/s.exec(table.partitionKey ?? "");
  const group = match?.[2] === undefined ? undefined : inParentheses(match[2], 0);
  const strategy = match?.[1]?.toLowerCase();
  if (group === undefined || (strategy !== "range" && strategy !== "list" && strategy !== "hash"))
    return undefined;
  const names = splitTop(group.inner, ",").map((part) => takeName(part));
  const columns = names.flatMap((name) => (name?.rest === "" ? [name.name] : []));
  return columns.length === names.length ? { strategy, columns } : undefined;
}

/** The option `partitionBy`; undefined for a table that is not divided. */
export function partitionSource(context: PullContext, table: TableObject): string | undefined {
  const key = partitionKeyOf(table);
  if (key === undefined) return undefined;
  const properties = context.propertiesOf(table.id);
  const columns = list(key.columns.map((name) => quoted(properties.get(name) ?? name)));
  const { partitions } = context.lookup.partsOf(table.id);
  const declared = partitions.filter((partition) => !context.omitted.has(partition.id));
  for (const partition of declared) reportParts(context, table, partition);
  if (key.strategy === "hash") {
    return object([
      ["hash", columns],
      ["partitions", String(declared.length)],
    ]);
  }
  const items = declared.map((partition) => rangeOrList(context, partition));
  return object([
    [key.strategy, columns],
    ["partitions", items.length === 0 ? undefined : list(items)],
  ]);
}

/** Hash partitions are counted, so all of them must be there, called as Plinth calls them. */
export function isPlainHash(table: TableObject, partitions: readonly TableObject[]): boolean {
  return partitions.every((partition) => {
    const match = /^FOR VALUES WITH \(modulus (\d+), remainder (\d+)\)$/.exec(
      partition.partitionOf?.bound ?? "",
    );
    return (
      match?.[1] === String(partitions.length) &&
      partition.name === `${table.name}_p${match[2]}` &&
      partition.comment === undefined
    );
  });
}

function rangeOrList({ file }: PullContext, partition: TableObject): string {
  const bound = partition.partitionOf?.bound ?? "";
  const shared = [
    ["name", quoted(partition.name)],
    ["comment", partition.comment === undefined ? undefined : quoted(partition.comment)],
  ] as const;
  if (bound === "DEFAULT") return object([shared[0], ["default", "true"], shared[1]]);
  const value = (literal: string): string => {
    if (/^(?:0|-?[1-9]\d{0,8})$/.test(literal)) return literal;
    const text = literalText(literal);
    return text === undefined || text.includes("\\")
      ? `${file.use("sql")}${template(literal)}`
      : quoted(text);
  };
  const values = inParentheses(bound, "FOR VALUES IN ".length);
  if (bound.startsWith("FOR VALUES IN ") && values !== undefined) {
    return object([shared[0], ["values", list(splitTop(values.inner, ",").map(value))], shared[1]]);
  }
  const from = inParentheses(bound, "FOR VALUES FROM ".length);
  const to = from === undefined ? undefined : inParentheses(bound, from.end + " TO ".length);
  const tuple = (inner: string | undefined): string => {
    const bounds = splitTop(inner ?? "", ",").map(value);
    return bounds.length === 1 ? (bounds[0] ?? "") : list(bounds);
  };
  return object([shared[0], ["from", tuple(from?.inner)], ["to", tuple(to?.inner)], shared[1]]);
}

/** A partition has what its parent has; more of its own has no declaration. */
function reportParts(context: PullContext, table: TableObject, partition: TableObject): void {
  const say = (why: string, covers: readonly string[] = []): void =>
    context.report(partlyDeclared(partition.id, why), covers);
  const { constraints, indexes, triggers, policies, partitions } = context.lookup.partsOf(partition.id);
  const isMade = (name: string): boolean =>
    context.behaviours.get(table.id)?.softDelete === true && name === `${partition.name}_no_truncate`;
  const own = [...constraints, ...indexes, ...triggers.filter(({ name }) => !isMade(name)), ...policies];
  if (own.length > 0) {
    const ids = own.map(({ id }) => id);
    say(`as a partition it is declared with its parent only, without ${ids.join(", ")}`, ids);
  }
  if (partitions.length > 0) say("it is divided itself, which has no declaration");
  if (partition.grants.length > 0) say("rights on a partition have no declaration");
  if (partition.columns.map(({ name }) => name).join() !== table.columns.map(({ name }) => name).join()) {
    say("its columns stand in another order than its parent's, which does not matter");
  }
}
