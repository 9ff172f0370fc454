/** A schema as plain data, so that random edits of it can be drawn: `random-schema-module.ts` declares it. */

export interface ColumnPlan {
  readonly name: string;
  readonly type: ColumnTypePlan;
  readonly notNull: boolean;
  readonly default: "none" | "constant" | "volatile";
  readonly comment?: string | undefined;
  /** Computed from another column of the table, stored. */
  readonly generatedFrom?: string | undefined;
}

export type ColumnTypePlan =
  | "text"
  | "varchar(20)"
  | "varchar(40)"
  | "integer"
  | "bigint"
  | "numeric(10,2)"
  | "numeric(12,2)"
  | "boolean"
  | "date"
  | "timestamptz"
  | "uuid"
  | "jsonb"
  | "text[]"
  | "double precision"
  | { readonly enum: string }
  | { readonly domain: string }
  | { readonly composite: string };

export interface IndexPlan {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isUnique: boolean;
  readonly form: "plain" | "partial" | "expression" | "desc" | "gin";
}

export interface ForeignKeyPlan {
  readonly column: string;
  readonly target: string;
  readonly onDelete: "cascade" | "restrict" | "set null" | "no action";
}

export interface TablePlan {
  readonly name: string;
  readonly columns: readonly ColumnPlan[];
  readonly indexes: readonly IndexPlan[];
  readonly checks: readonly { readonly name: string; readonly column: string; readonly minimum: number }[];
  readonly uniques: readonly { readonly name: string; readonly column: string }[];
  readonly foreignKeys: readonly ForeignKeyPlan[];
  readonly softDelete: boolean;
  readonly timestamps: boolean;
  readonly comment?: string | undefined;
  readonly policies: readonly PolicyPlan[];
  /** By range of `happened_at`, which is part of the key; how many partitions there are, besides the default one. */
  readonly partitions?: number | undefined;
}

export interface PolicyPlan {
  readonly name: string;
  readonly command: "all" | "select" | "update" | "delete";
  /** Of the ids of the rows that it lets through. */
  readonly minimum: number;
}

export interface ViewPlan {
  readonly name: string;
  readonly kind: "view" | "materialized view";
  readonly table: string;
  readonly columns: readonly string[];
  readonly indexed: boolean;
}

export interface RoutinePlan {
  readonly name: string;
  readonly kind: "function" | "procedure";
  /** A different number is a different body. */
  readonly body: number;
  readonly arguments: readonly ("integer" | "text")[];
  readonly returns: "integer" | "text";
}

export interface TriggerPlan {
  readonly name: string;
  readonly table: string;
  readonly event: "insert" | "update" | "delete";
}

export interface GrantPlan {
  readonly table: string;
  readonly to: string;
  readonly privilege: "select" | "insert" | "update" | "delete";
}

export interface SchemaPlan {
  readonly enums: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** Texts of a length. */
  readonly domains: readonly { readonly name: string; readonly minimum: number }[];
  readonly composites: readonly { readonly name: string; readonly fields: readonly string[] }[];
  readonly sequences: readonly { readonly name: string; readonly increment: number }[];
  readonly tables: readonly TablePlan[];
  readonly views: readonly ViewPlan[];
  readonly routines: readonly RoutinePlan[];
  readonly triggers: readonly TriggerPlan[];
  readonly grants: readonly GrantPlan[];
  readonly extensions: readonly string[];
}

/** A rename that an edit made, as a flag of `generate` says it. */
export interface PlannedRename {
  readonly kind: "table" | "column" | "enum value";
  readonly of?: string;
  readonly from: string;
  readonly to: string;
}

/** Numbers from a seed, the same in every run: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const TYPES: readonly ColumnTypePlan[] = [
  "text",
  "varchar(20)",
  "varchar(40)",
  "integer",
  "bigint",
  "numeric(10,2)",
  "boolean",
  "date",
  "timestamptz",
  "uuid",
  "jsonb",
  "text[]",
  "double precision",
];

const STEMS = [
  "account",
  "order",
  "invoice",
  "ticket",
  "article",
  "device",
  "route",
  "lesson",
  "recipe",
  "ledger",
];
const KINDS = ["header", "line", "event", "note", "tag", "log"];

/** At least 60 tables which together use every kind of object that can be declared. */
export function largeSchema(): SchemaPlan {
  const random = randomFrom(7);
  const enums = STEMS.slice(0, 4).map((stem) => ({
    name: `${stem}_state`,
    values: ["open", "held", "closed"],
  }));
  const tables = STEMS.flatMap((stem, s) =>
    KINDS.map((kind, k) => tableOf(random, `${stem}_${kind}s`, s, k)),
  );
  const grants: readonly GrantPlan[] = STEMS.map((stem) => ({
    table: `${stem}_headers`,
    to: "plinth_reporter",
    privilege: "select",
  }));
  return {
    enums,
    domains: [
      { name: "label", minimum: 1 },
      { name: "code", minimum: 2 },
    ],
    composites: [{ name: "place", fields: ["street", "town"] }],
    sequences: [{ name: "document_number", increment: 10 }],
    tables,
    views: STEMS.slice(0, 5).map((stem, s) => ({
      name: `${stem}_overview`,
      kind: s % 2 === 0 ? "view" : "materialized view",
      table: `${stem}_headers`,
      columns: ["id", "title"],
      indexed: s % 2 === 1,
    })),
    routines: [
      { name: "add_one", kind: "function", body: 1, arguments: ["integer"], returns: "integer" },
      { name: "describe_it", kind: "function", body: 2, arguments: ["text", "integer"], returns: "text" },
      { name: "tidy_up", kind: "procedure", body: 3, arguments: ["integer"], returns: "integer" },
    ],
    triggers: STEMS.slice(0, 3).map((stem) => ({
      name: `${stem}_watch`,
      table: `${stem}_notes`,
      event: "update",
    })),
    grants,
    extensions: ["pg_trgm"],
  };
}

/** A random table. The kind says which objects are on it. */
export function tableOf(random: () => number, name: string, stem: number, kind: number): TablePlan {
  const count = 2 + Math.floor(random() * 5);
  const columns: ColumnPlan[] = [{ name: "title", type: "text", notNull: true, default: "none" }];
  for (let i = 0; i < count; i++) columns.push(columnOf(random, `field_${i + 1}`));
  if (stem < 4 && kind === 0) {
    columns.push({
      name: "state",
      type: { enum: `${STEMS[stem]}_state` },
      notNull: true,
      default: "constant",
    });
  }
  if (kind === 3) {
    const type = stem % 2 === 0 ? { domain: "label" } : { composite: "place" };
    columns.push({ name: "mark", type, notNull: false, default: "none" });
  }
  if (kind === 1)
    columns.push({
      name: "title_length",
      type: "integer",
      notNull: false,
      default: "none",
      generatedFrom: "title",
    });
  const isPartitioned = kind === 5 && stem < 3;
  const parent = kind === 0 || isPartitioned ? undefined : `${STEMS[stem]}_headers`;
  if (parent !== undefined)
    columns.push({ name: "header_id", type: "bigint", notNull: kind % 2 === 1, default: "none" });
  const onDelete = kind % 2 === 1 ? "cascade" : "set null";
  return {
    name,
    columns,
    indexes: [
      ...(parent === undefined
        ? []
        : [{ name: `${name}_header_idx`, columns: ["header_id"], isUnique: false, form: "plain" } as const]),
      ...(kind === 3
        ? [{ name: `${name}_title_idx`, columns: ["title"], isUnique: false, form: "partial" } as const]
        : []),
      ...(kind === 4
        ? [{ name: `${name}_lower_idx`, columns: ["title"], isUnique: false, form: "expression" } as const]
        : []),
    ],
    checks: kind === 2 ? [{ name: `${name}_title_long`, column: "title", minimum: 1 }] : [],
    uniques: [],
    foreignKeys: parent === undefined ? [] : [{ column: "header_id", target: parent, onDelete }],
    policies: kind === 3 && stem < 4 ? [{ name: `${name}_seen`, command: "select", minimum: 0 }] : [],
    softDelete: kind === 0 && stem % 3 === 0,
    timestamps: stem % 2 === 0,
    ...(stem === 0 ? { comment: `All the ${name.replaceAll("_", " ")}` } : {}),
    ...(isPartitioned ? { partitions: 2 } : {}),
  };
}

export function columnOf(random: () => number, name: string): ColumnPlan {
  const type = TYPES[Math.floor(random() * TYPES.length)] ?? "text";
  const hasDefault = random() < 0.5;
  const isVolatile = type === "uuid" || (type === "timestamptz" && random() < 0.5);
  return {
    name,
    type,
    notNull: hasDefault && random() < 0.7,
    default: hasDefault ? (isVolatile ? "volatile" : "constant") : "none",
    ...(random() < 0.1 ? { comment: `The ${name.replaceAll("_", " ")}` } : {}),
  };
}
