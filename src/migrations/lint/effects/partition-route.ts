import type { Node, PartitionBoundSpec } from "libpg-query";
import { parseSql } from "../../parse-sql.ts";
import type { CatalogView, Relation } from "../catalog-view.ts";
import { type Constant, constantOf, fitsBound, keyColumn } from "./bounds.ts";

/**
 * The parts that new rows go to, where the statement says their values: `insert … values` with constants, and one key
 * column by list or range. Undefined: any of them.
 */
export async function partsForRows(
  view: CatalogView,
  parent: Relation,
  tree: Node,
): Promise<readonly Relation[] | undefined> {
  const values = keyValues(parent, tree);
  if (values === undefined) return undefined;
  const parts = new Map<string, Relation>();
  for (const value of values) {
    const part = await partOf(view, parent, value);
    if (part === undefined || part.kind === "partitioned") return undefined;
    parts.set(part.id, part);
  }
  return [...parts.values()];
}

function keyValues(parent: Relation, tree: Node): readonly Constant[] | undefined {
  const column = keyColumn(parent);
  if (column === undefined || !("InsertStmt" in tree)) return undefined;
  const { cols, selectStmt } = tree.InsertStmt;
  if (selectStmt === undefined || !("SelectStmt" in selectStmt)) return undefined;
  const names = cols?.map((node) => ("ResTarget" in node ? node.ResTarget.name : undefined));
  const at = (names ?? parent.columns.map(({ name }) => name)).indexOf(column);
  const values = (selectStmt.SelectStmt.valuesLists ?? []).map((list) =>
    "List" in list ? constantOf(list.List.items?.[at]) : undefined,
  );
  const isKnown = at >= 0 && values.length > 0 && values.every((value) => value !== undefined);
  return isKnown ? values.filter((value) => value !== undefined) : undefined;
}

async function partOf(view: CatalogView, parent: Relation, value: Constant): Promise<Relation | undefined> {
  for (const id of parent.children) {
    const part = id === parent.partition?.defaultId ? undefined : await view.get(id);
    const bound = await boundOf(part);
    if (part !== undefined && bound !== undefined && fitsBound(bound, value)) return part;
  }
  return view.get(parent.partition?.defaultId ?? "");
}

async function boundOf(part: Relation | undefined): Promise<PartitionBoundSpec | undefined> {
  if (part?.partition?.bound === undefined) return undefined;
  const { statements } = await parseSql(`alter table a attach partition b ${part.partition.bound}`);
  const tree = statements[0]?.tree;
  if (tree === undefined || !("AlterTableStmt" in tree)) return undefined;
  const [command] = tree.AlterTableStmt.cmds ?? [];
  if (command === undefined || !("AlterTableCmd" in command)) return undefined;
  const { def } = command.AlterTableCmd;
  return def !== undefined && "PartitionCmd" in def ? def.PartitionCmd.bound : undefined;
}
