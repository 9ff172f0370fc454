import type { Cell } from "../../../driver/index.ts";
import { unquoted } from "../../../sql/index.ts";
import type {
  Column,
  Constraint,
  Index,
  IndexKey,
  OwnedSequence,
  PartitionFacts,
  ReferenceAction,
  Relation,
  RelationKind,
  Trigger,
  TypeFacts,
} from "../catalog-view.ts";
import type { RelationRows, Rows } from "./queries.ts";

/** What rows of the catalog are decoded against. */
export interface DecodeGround {
  readonly home: string;
  /** Relations up to this OID were there before the file. */
  readonly newestOld: bigint;
  readonly types: ReadonlyMap<string, TypeFacts>;
  /** Names by OID. */
  readonly methods: ReadonlyMap<string, string>;
  readonly operatorClasses: ReadonlyMap<string, string>;
}

/** A relation as the queries give it. */
export function decodeRelation(rows: RelationRows, ground: DecodeGround): Relation {
  const row = rows.relation;
  const id = text(row[0]);
  const quotedSchema = text(row[1]);
  const schema = unquoted(quotedSchema);
  const columns = rows.columns.map((one) => decodeColumn(one, ground.types));
  const nameOf = new Map(columns.map(({ number, name }) => [String(number), name]));
  const constraints = rows.constraints.map((one) => decodeConstraint(one, id, nameOf));
  return {
    id,
    schema,
    name: text(row[2]),
    label: labelOf(quotedSchema, text(row[3]), ground),
    kind: kindOf(text(row[4])),
    isOld: BigInt(id) <= ground.newestOld,
    persistence: row[5] === "t" ? "temporary" : row[5] === "u" ? "unlogged" : "permanent",
    owner: unquoted(text(row[6])),
    isKnown: true,
    columns,
    indexes: rows.indexes.map((one) => decodeIndex(one, { ...ground, rows, nameOf, constraints })),
    constraints: constraints.filter(({ tableId }) => tableId === id),
    referencedBy: constraints.filter(({ reference }) => reference?.tableId === id),
    triggers: rows.triggers.map(decodeTrigger),
    parents: ids(row[13]),
    children: ids(row[14]),
    partition: decodePartition(row),
    sequences: rows.sequences.map((one) => decodeSequence(one, nameOf)),
    tableId: row[7] ?? undefined,
    tablespace: text(row[8]),
    hasRowSecurity: isTrue(row[9]),
  };
}

function labelOf(quotedSchema: string, quotedName: string, { home }: { readonly home: string }): string {
  return unquoted(quotedSchema) === home ? quotedName : `${quotedSchema}.${quotedName}`;
}

function decodePartition(row: readonly Cell[]): PartitionFacts | undefined {
  const [key, bound, defaultId] = row.slice(10, 13);
  if (key == null && bound == null) return undefined;
  return {
    key: key ?? undefined,
    bound: bound ?? undefined,
    defaultId: defaultId == null || defaultId === "0" ? undefined : defaultId,
  };
}

/** Types by OID, each with what lies below it, which is among them or among those `known` already. */
export function decodeTypes(
  rows: Rows,
  known: ReadonlyMap<string, TypeFacts> = new Map(),
): ReadonlyMap<string, TypeFacts> {
  const raw = new Map(rows.map((row) => [String(row[0]), row]));
  const decoded = new Map(known);
  const decode = (oid: string): TypeFacts | undefined => {
    const done = decoded.get(oid);
    const row = raw.get(oid);
    if (done !== undefined || row === undefined) return done;
    const element = row[6] === "0" ? undefined : decode(text(row[6]));
    const type = element === undefined ? decodeType(row, decode) : { ...element, isArray: true };
    decoded.set(oid, type);
    return type;
  };
  for (const oid of raw.keys()) decode(oid);
  return decoded;
}

function decodeType(row: readonly Cell[], decode: (oid: string) => TypeFacts | undefined): TypeFacts {
  const base = row[4] === "0" ? undefined : decode(text(row[4]));
  return {
    schema: unquoted(text(row[1])),
    name: text(row[2]),
    isArray: false,
    kind: typeKindOf(row[3]),
    base,
    baseModifier: Number(row[5]),
    isConstrained: row[3] === "d" && (isTrue(row[7]) || base?.isConstrained === true),
    expression: row[8] ?? undefined,
  };
}

const UNKNOWN_TYPE: TypeFacts = {
  schema: "pg_catalog",
  name: "unknown",
  isArray: false,
  kind: "other",
  base: undefined,
  baseModifier: -1,
  isConstrained: false,
  expression: undefined,
};

function decodeColumn(row: readonly Cell[], types: ReadonlyMap<string, TypeFacts>): Column {
  return {
    name: text(row[1]),
    number: Number(row[0]),
    type: types.get(text(row[3])) ?? UNKNOWN_TYPE,
    modifier: Number(row[4]),
    isNotNull: isTrue(row[5]),
    expression: row[6] ?? undefined,
    generated: row[7] === "s" ? "stored" : row[7] === "v" ? "virtual" : undefined,
    isIdentity: row[8] === "a" || row[8] === "d",
    collation: row[9] ?? undefined,
  };
}

/** What an index row alone does not say. */
interface IndexGround extends DecodeGround {
  readonly rows: RelationRows;
  readonly nameOf: ReadonlyMap<string, string>;
  readonly constraints: readonly Constraint[];
}

function decodeIndex(row: readonly Cell[], ground: IndexGround): Index {
  const id = text(row[0]);
  const keys = decodeKeys(row, ground);
  const numbers = words(row[16]);
  const plain = numbers.flatMap((number) => ground.nameOf.get(number) ?? []);
  const hidden = names(row[21]).flatMap((number) => ground.nameOf.get(number) ?? []);
  return {
    id,
    name: text(row[1]),
    label: labelOf(text(row[2]), text(row[3]), ground),
    isOld: BigInt(id) <= ground.newestOld,
    method: ground.methods.get(text(row[4])) ?? "",
    isUnique: isTrue(row[5]),
    isPrimary: isTrue(row[6]),
    isValid: isTrue(row[7]),
    nullsNotDistinct: isTrue(row[8]),
    isExclusion: isTrue(row[9]),
    isClustered: isTrue(row[10]),
    isReplicaIdentity: isTrue(row[11]),
    keys,
    included: numbers.slice(keys.length).flatMap((number) => ground.nameOf.get(number) ?? []),
    uses: [...new Set([...plain, ...hidden])],
    predicate: row[12] ?? undefined,
    hasExpressions: row[20] != null,
    constraint: ground.constraints.find(({ indexId, kind }) => indexId === id && kind !== "foreign-key")
      ?.name,
    parentId: row[14] ?? undefined,
    tablespace: text(row[13]),
  };
}

function decodeKeys(
  row: readonly Cell[],
  { rows, nameOf, operatorClasses }: IndexGround,
): readonly IndexKey[] {
  const [numbers, classes, options] = [words(row[16]), words(row[17]), words(row[18])];
  const collations = words(row[19]);
  const texts = row[20] == null ? [] : names(row[20]);
  return numbers.slice(0, Number(row[15])).map((number, at) => {
    const quotedName = rows.columns.find((column) => column[0] === number)?.[2];
    return {
      column: nameOf.get(number),
      text: texts[at] ?? quotedName ?? "",
      operatorClass: operatorClasses.get(classes[at] ?? "") ?? classes[at] ?? "",
      // The OID 0 is written as a dash.
      collation: collations[at] === "-" ? undefined : collations[at],
      options: Number(options[at] ?? 0),
    };
  });
}

const CONSTRAINT_KINDS: Readonly<Record<string, Constraint["kind"]>> = {
  c: "check",
  f: "foreign-key",
  p: "primary-key",
  u: "unique",
  x: "exclusion",
  n: "not-null",
  t: "trigger",
};

function decodeConstraint(
  row: readonly Cell[],
  relationId: string,
  nameOf: ReadonlyMap<string, string>,
): Constraint {
  const kind = CONSTRAINT_KINDS[text(row[2])] ?? "check";
  return {
    id: String(row[0]),
    name: text(row[1]),
    kind,
    tableId: text(row[3]),
    // Columns of the relation itself come as numbers.
    columns:
      row[3] === relationId
        ? numbersIn(row[15]).flatMap((number) => nameOf.get(number) ?? [])
        : names(row[15]),
    isValid: isTrue(row[5]),
    isEnforced: isTrue(row[6]),
    isNoInherit: isTrue(row[7]),
    isInherited: isTrue(row[8]),
    expression: row[9] ?? undefined,
    indexId: row[10] === "0" ? undefined : text(row[10]),
    reference:
      kind === "foreign-key"
        ? {
            tableId: text(row[4]),
            columns: names(row[16]),
            onDelete: actionOf(row[13]),
            onUpdate: actionOf(row[14]),
          }
        : undefined,
    parentId: row[11] === "0" ? undefined : text(row[11]),
    isDeferrable: isTrue(row[12]),
  };
}

const ACTIONS: Readonly<Record<string, ReferenceAction>> = {
  r: "restrict",
  c: "cascade",
  n: "set null",
  d: "set default",
};

function actionOf(cell: Cell | undefined): ReferenceAction {
  return ACTIONS[text(cell)] ?? "no action";
}

/** Bits of `pg_trigger.tgtype`. */
const TRIGGER_EVENTS = [
  [4, "insert"],
  [8, "delete"],
  [16, "update"],
  [32, "truncate"],
] as const;

function decodeTrigger(row: readonly Cell[]): Trigger {
  const type = Number(row[3]);
  return {
    name: text(row[0]),
    functionName: { schema: unquoted(text(row[1])), name: text(row[2]) },
    events: TRIGGER_EVENTS.filter(([bit]) => (type & bit) !== 0).map(([, event]) => event),
    isEnabled: isTrue(row[4]),
    isRow: (type & 1) !== 0,
  };
}

function decodeSequence(row: readonly Cell[], nameOf: ReadonlyMap<string, string>): OwnedSequence {
  return { id: text(row[0]), column: nameOf.get(text(row[1])) ?? "", isIdentity: isTrue(row[2]) };
}

const RELATION_KINDS: Readonly<Record<string, RelationKind>> = {
  r: "table",
  p: "partitioned",
  v: "view",
  m: "materialized",
  i: "index",
  I: "partitioned-index",
  S: "sequence",
  f: "foreign",
  c: "composite",
};

function kindOf(relkind: string): RelationKind {
  return RELATION_KINDS[relkind] ?? "composite";
}

function typeKindOf(typtype: Cell | undefined): TypeFacts["kind"] {
  switch (typtype) {
    case "b":
      return "base";
    case "d":
      return "domain";
    case "e":
      return "enum";
    case "c":
      return "composite";
    case "r":
    case "m":
      return "range";
    default:
      return "other";
  }
}

/** Booleans come as columns write them, or as casts do. */
function isTrue(cell: Cell | undefined): boolean {
  return cell === "t" || cell === "true";
}

function text(cell: Cell | undefined): string {
  return cell ?? "";
}

function ids(cell: Cell | undefined): readonly string[] {
  return cell == null || cell === "" ? [] : cell.split(",");
}

/** A JSON array of names. */
function names(cell: Cell | undefined): readonly string[] {
  if (cell == null) return [];
  const parsed: unknown = JSON.parse(cell);
  return Array.isArray(parsed) ? parsed.filter((name) => typeof name === "string") : [];
}

/** A JSON array of numbers, as text. */
function numbersIn(cell: Cell | undefined): readonly string[] {
  if (cell == null) return [];
  const parsed: unknown = JSON.parse(cell);
  return Array.isArray(parsed) ? parsed.map((item: unknown) => String(item)) : [];
}

/** A vector: values with blanks between them. */
function words(cell: Cell | undefined): readonly string[] {
  return cell == null || cell === "" ? [] : cell.split(" ");
}
