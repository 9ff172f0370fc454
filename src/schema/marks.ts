/** What a column is for, beyond its type. Behaviours find their columns by role, never by name. */
export type ColumnRole =
  | "createdAt"
  | "updatedAt"
  | "createdBy"
  | "updatedBy"
  | "deletedAt"
  | "deletedBy"
  | "publicId"
  | "version"
  | "tenant";

/** What Plinth's column functions note about a column; Drizzle has no place for it. */
export interface ColumnMarks {
  readonly role?: ColumnRole;
  /** Leaves a repository only when asked for by name. */
  readonly secret?: boolean;
  /** `never`: kept by Plinth or the database. `create`: may be given when the row is made, never changed. */
  readonly writable?: "never" | "create";
  /** The only values allowed; becomes a check constraint. */
  readonly oneOf?: readonly string[];
  /** What `comment on column` says. */
  readonly comment?: string;
  /** The name the column had before, in the database: a migration renames it and keeps the data. */
  readonly renamedFrom?: string;
  /** The way an argument of a procedure travels, unless it only goes in. */
  readonly mode?: ArgumentMode;
}

export type ArgumentMode = "out" | "inout";

/** Drizzle's builders are mutable and return themselves, so notes keyed by the builder survive `.notNull()`. */
const MARKS = new WeakMap<object, ColumnMarks>();

export function mark<T extends object>(builder: T, marks: ColumnMarks): T {
  MARKS.set(builder, { ...MARKS.get(builder), ...marks });
  return builder;
}

export function marksOf(builder: object): ColumnMarks {
  return MARKS.get(builder) ?? {};
}

declare const SECRET: unique symbol;
declare const MANAGED: unique symbol;
declare const CREATE_ONLY: unique symbol;
declare const OUT: unique symbol;
declare const IN_OUT: unique symbol;

/** Type-level twins of the marks, so that rows and inputs leave the column out. */
export interface SecretMark {
  readonly [SECRET]: true;
}
export interface ManagedMark {
  readonly [MANAGED]: true;
}
export interface CreateOnlyMark {
  readonly [CREATE_ONLY]: true;
}
export interface OutMark {
  readonly [OUT]: true;
}
export interface InOutMark {
  readonly [IN_OUT]: true;
}
