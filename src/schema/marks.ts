/** What a column is for, beyond its type. Behaviours find their columns by role, never by name. */
export type ColumnRole =
  | "createdAt"
  | "updatedAt"
  | "createdBy"
  | "updatedBy"
  | "deletedAt"
  | "deletedBy"
  | "publicId";

/** What Plinth's column functions note about a column; Drizzle has no place for it. */
export interface ColumnMarks {
  readonly role?: ColumnRole;
  /** Leaves a repository only when asked for by name. */
  readonly secret?: boolean;
  /** `never`: kept by Plinth or the database. `create`: may be given when the row is made, never changed. */
  readonly writable?: "never" | "create";
  /** The only values allowed; becomes a check constraint. */
  readonly oneOf?: readonly string[];
}

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
