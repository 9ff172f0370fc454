import type {
  CatalogColumn,
  CompositeObject,
  SequenceObject,
  SequenceOptions,
  TableObject,
  ViewObject,
} from "../model.ts";
import { type Base, type Ground, usualGrant } from "./ground.ts";
import type { Row } from "./row.ts";

type RelationObject = TableObject | ViewObject | SequenceObject | CompositeObject;

/** Tables, views, sequences and composite types. */
export function relationObjects(ground: Ground): readonly RelationObject[] {
  const attributes = groupBy(ground.answers.rows("attributes"), "relation");
  const parents = groupBy(ground.answers.rows("parents"), "child");
  const sequences = new Map(ground.answers.rows("sequences").map((row) => [row.text("oid"), row]));
  const notNulls = readNotNulls(ground);
  const identityOptions = readIdentityOptions(sequences);
  return ground.answers.rows("relations").flatMap((row): readonly RelationObject[] => {
    const space = ground.identities.spaces.get(row.text("space"));
    const base = ground.base("pg_class", row, space);
    if (base === undefined) return [];
    const own = attributes.get(row.text("oid")) ?? [];
    switch (row.text("kind")) {
      case "r":
      case "p": {
        const columns = own.map((attribute) => columnOf(ground, attribute, notNulls, identityOptions));
        return [tableOf(ground, base, row, columns, parents.get(row.text("oid")) ?? [])];
      }
      case "v":
      case "m":
        return [viewOf(ground, base, row, own)];
      case "S":
        return sequenceOf(ground, base, row, sequences.get(row.text("oid")));
      case "c":
        return [compositeOf(ground, base, row, own)];
      default:
        return [];
    }
  });
}

function groupBy(rows: readonly Row[], column: string): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.text(column));
    if (group === undefined) groups.set(row.text(column), [row]);
    else group.push(row);
  }
  return groups;
}

function tableOf(
  ground: Ground,
  base: Base,
  row: Row,
  columns: readonly CatalogColumn[],
  parents: readonly Row[],
): TableObject {
  const bound = row.optional("bound");
  const ids = parents.map(
    (parent) =>
      ground.identities.find("pg_class", parent.text("parent")) ?? `table ${parent.text("parent_name")}`,
  );
  return {
    kind: "table",
    ...base,
    isUnlogged: row.text("persistence") === "u",
    partitionKey: row.optional("partition_key"),
    partitionOf: bound === undefined ? undefined : { parent: ids[0] ?? "", bound },
    inherits: bound === undefined ? ids : [],
    options: [...row.list("options"), ...row.list("toast_options").map((option) => `toast.${option}`)].sort(),
    rowSecurity: row.flag("row_security"),
    forceRowSecurity: row.flag("forced"),
    replicaIdentity: replicaIdentityOf(row),
    columns,
  };
}

function replicaIdentityOf(row: Row): string {
  switch (row.text("replica_identity")) {
    case "f":
      return "full";
    case "n":
      return "nothing";
    case "i":
      // The index was dropped: the server then behaves as with none.
      return row.optional("identity_index") === undefined ? "nothing" : `index ${row.text("identity_index")}`;
    default:
      return "default";
  }
}

const STORAGES: Readonly<Record<string, string>> = { p: "plain", e: "external", x: "extended", m: "main" };
const COMPRESSIONS: Readonly<Record<string, string>> = { p: "pglz", l: "lz4" };

function columnOf(
  ground: Ground,
  row: Row,
  notNulls: ReadonlyMap<string, boolean>,
  identities: ReadonlyMap<string, SequenceOptions>,
): CatalogColumn {
  const [relation, number] = [row.text("relation"), row.text("number")];
  const id = ground.identities.findColumn(relation, number) ?? "";
  const expression = row.optional("expression");
  const generated = row.text("generated");
  const options = identities.get(`${relation} ${number}`);
  const statistics = row.optional("statistics");
  return {
    id,
    name: row.text("name"),
    type: row.text("type"),
    collation: row.optional("collation"),
    notNull: row.flag("not_null"),
    isNotNullValid: notNulls.get(`${relation} ${number}`) ?? true,
    default: generated === "" ? expression : undefined,
    identity:
      options === undefined
        ? undefined
        : { mode: row.text("identity") === "a" ? "always" : "by default", options },
    generated:
      generated === ""
        ? undefined
        : { expression: expression ?? "", mode: generated === "s" ? "stored" : "virtual" },
    storage: STORAGES[row.text("storage")],
    compression: COMPRESSIONS[row.text("compression")],
    statistics: statistics === undefined ? undefined : Number(statistics),
    isInherited: row.flag("is_inherited"),
    comment: ground.commentOn("pg_class", relation, number),
    grants: ground.grantsOn("pg_class", relation, number),
    dependsOn: ground.needsOf(id),
  };
}

/** PostgreSQL 18 knows columns whose NOT NULL holds for new rows only. */
function readNotNulls({ answers }: Ground): ReadonlyMap<string, boolean> {
  return new Map(
    answers
      .rows("constraints")
      .filter((row) => row.text("type") === "n")
      .map((row) => [`${row.text("relation")} ${row.list("columns")[0]}`, row.flag("is_valid")]),
  );
}

function readIdentityOptions(sequences: ReadonlyMap<string, Row>): ReadonlyMap<string, SequenceOptions> {
  return new Map(
    [...sequences.values()]
      .filter((row) => row.text("tie") === "i")
      .map((row) => [`${row.text("owner")} ${row.text("owner_column")}`, optionsOf(row)]),
  );
}

function optionsOf(row: Row): SequenceOptions {
  return {
    type: row.text("type"),
    start: row.text("start"),
    increment: row.text("increment"),
    minimum: row.text("minimum"),
    maximum: row.text("maximum"),
    cache: row.text("cache"),
    cycles: row.flag("cycles"),
  };
}

function viewOf({ commentOn }: Ground, base: Base, row: Row, attributes: readonly Row[]): ViewObject {
  return {
    kind: row.text("kind") === "m" ? "materialized view" : "view",
    ...base,
    options: [...row.list("options")].sort(),
    query: row.text("query").trim().replace(/;$/, ""),
    columns: attributes.map((attribute) => ({
      name: attribute.text("name"),
      type: attribute.text("type"),
      comment: commentOn("pg_class", row.text("oid"), attribute.text("number")),
    })),
  };
}

/** Those of identity columns are part of the column. */
function sequenceOf(
  ground: Ground,
  base: Base,
  row: Row,
  sequence: Row | undefined,
): readonly SequenceObject[] {
  if (sequence === undefined || sequence.text("tie") === "i") return [];
  return [
    {
      kind: "sequence",
      ...base,
      options: optionsOf(sequence),
      ownedBy: ground.identities.findColumn(sequence.text("owner"), sequence.text("owner_column")),
      isUnlogged: row.text("persistence") === "u",
    },
  ];
}

/** Comment and rights are recorded with its type, not with its relation. */
function compositeOf(ground: Ground, base: Base, row: Row, attributes: readonly Row[]): CompositeObject {
  const grants = row.flag("has_usual_rights")
    ? [usualGrant("usage")]
    : ground.grantsOn("pg_type", row.text("type"));
  return {
    kind: "composite type",
    ...base,
    comment: ground.commentOn("pg_type", row.text("type")),
    grants,
    attributes: attributes.map((attribute) => ({
      name: attribute.text("name"),
      type: attribute.text("type"),
      collation: attribute.optional("collation"),
    })),
  };
}
