import type { ColumnDef, Node } from "libpg-query";
import { isSerial } from "../effects/add-column.ts";
import { qualified, relationName, sqlName, stringsIn } from "../names.ts";
import type { Draft, Subject } from "./subject.ts";

/** Rules about the types of new columns. */
export function designedColumns({ tree, direction }: Subject): readonly Draft[] {
  if (direction === "down") return [];
  const table = tableOf(tree);
  const columns = columnsOf(tree);
  return [...columns.flatMap((column) => typeRule(table, column)), ...numbered(table, columns)];
}

function tableOf(tree: Node): string {
  if ("CreateStmt" in tree) return qualified(relationName(tree.CreateStmt.relation));
  return "AlterTableStmt" in tree ? qualified(relationName(tree.AlterTableStmt.relation)) : "";
}

function columnsOf(tree: Node): readonly ColumnDef[] {
  if ("CreateStmt" in tree) {
    return (tree.CreateStmt.tableElts ?? []).flatMap((element) =>
      "ColumnDef" in element ? [element.ColumnDef] : [],
    );
  }
  if (!("AlterTableStmt" in tree)) return [];
  return (tree.AlterTableStmt.cmds ?? []).flatMap((node) => {
    if (!("AlterTableCmd" in node)) return [];
    const { def, subtype, name } = node.AlterTableCmd;
    if (def === undefined || !("ColumnDef" in def)) return [];
    if (subtype === "AT_AddColumn") return [def.ColumnDef];
    return subtype === "AT_AlterColumnType" && name !== undefined
      ? [{ ...def.ColumnDef, colname: name }]
      : [];
  });
}

const AMOUNT = /(?:^|_)(?:price|amount|total|cost|balance|fee|salary|budget|revenue|tax)(?:$|_)/;

function typeRule(table: string, column: ColumnDef): readonly Draft[] {
  const name = `${table}.${sqlName(column.colname ?? "")}`;
  const own = sqlName(column.colname ?? "");
  const words = stringsIn(column.typeName?.names);
  const type = words.at(-1) ?? "";
  const isBuiltIn = words.length === 1 || words.at(-2) === "pg_catalog";
  const hasLength = (column.typeName?.typmods ?? []).length > 0;
  if (isSerial(column)) {
    return [
      {
        rule: "design/serial",
        why: `${name}: anybody may write any number into a serial column, and its sequence has rights and an owner of its own`,
        fix: `${own} bigint generated always as identity`,
      },
    ];
  }
  if (!isBuiltIn) return [];
  switch (type) {
    case "bpchar":
      return hasLength
        ? [
            {
              rule: "design/char",
              why: `${name}: char(n) fills up with blanks, which comparisons then ignore`,
              fix: `${own} text check (length(${own}) <= …)`,
            },
          ]
        : [];
    case "varchar":
      return hasLength
        ? [
            {
              rule: "design/varchar",
              why: `${name}: making the length smaller later writes every row anew, and text costs the same`,
              fix: `${own} text check (length(${own}) <= ${lengthOf(column)})`,
            },
          ]
        : [];
    case "money":
      return [
        {
          rule: "design/money",
          why: `${name}: money knows no currency, and its decimals come from the server's lc_monetary`,
          fix: `${own} numeric(12, 2)`,
        },
      ];
    case "timetz":
      return [
        {
          rule: "design/timetz",
          why: `${name}: without a day nobody knows what the zone's offset is`,
          fix: `${own} timestamptz -- or time, with the zone's name beside it`,
        },
      ];
    case "timestamp":
      return [
        {
          rule: "design/timestamp",
          why: `${name}: a time without its zone is another moment for every reader in another zone`,
          fix: `${own} timestamptz`,
        },
      ];
    case "json":
      return [
        {
          rule: "design/json",
          why: `${name}: json has no equality, so distinct, group by and union fail on it, and it cannot be indexed`,
          fix: `${own} jsonb`,
        },
      ];
    case "float4":
    case "float8":
      return AMOUNT.test(column.colname ?? "")
        ? [
            {
              rule: "design/float-amount",
              why: `${name}: 0.1 + 0.2 is not 0.3 in binary, so sums of money drift`,
              fix: `${own} numeric(12, 2)`,
            },
          ]
        : [];
    default:
      return [];
  }
}

function lengthOf({ typeName }: ColumnDef): string {
  const [first] = typeName?.typmods ?? [];
  return first !== undefined && "A_Const" in first && first.A_Const.ival !== undefined
    ? String(first.A_Const.ival.ival ?? 0)
    : "…";
}

const ENOUGH = 3;

/** `phone1, phone2, phone3`. */
function numbered(table: string, columns: readonly ColumnDef[]): readonly Draft[] {
  const groups = new Map<string, string[]>();
  for (const { colname = "" } of columns) {
    const prefix = /^(.*?[a-z])_?\d+$/i.exec(colname)?.[1];
    if (prefix !== undefined) groups.set(prefix, [...(groups.get(prefix) ?? []), colname]);
  }
  return [...groups].flatMap(([prefix, names]) =>
    names.length < ENOUGH
      ? []
      : [
          {
            rule: "design/numbered-columns" as const,
            why: `${table}: ${names.join(", ")} are one list in several columns: looking for a value means looking in each, and one more means a migration`,
            fix: `create table ${sqlName(`${prefix}s`)} (… bigint references ${table}, position integer, ${sqlName(prefix)} text not null, primary key (…, position));`,
          },
        ],
  );
}
