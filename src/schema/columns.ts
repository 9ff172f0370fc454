import { sql } from "drizzle-orm";
import { bigint, integer, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { type CreateOnlyMark, type ManagedMark, mark, type SecretMark } from "./marks.ts";
import { createPublicIdGenerator, PUBLIC_ID_LENGTH_DEFAULT } from "./public-id.ts";
import { ulid } from "./ulid.ts";
import { uuidv7 } from "./uuid.ts";

/**
 * A primary key of ULIDs: 26 characters of text, made by the application, ascending by time within a process
 * also when the clock steps back.
 *
 * @example
 * ```ts
 * export const tasks = entity(app, "tasks", { id: ulidKey(), title: text().notNull() });
 * // "id" text primary key
 * ```
 */
export function ulidKey() {
  return text().primaryKey().$defaultFn(ulid);
}

/**
 * A primary key of UUIDs: version 7 (ascending) when a repository makes it, `gen_random_uuid()` (version 4) when
 * another client inserts without one. 16 bytes, against 27 for a ULID.
 *
 * @example
 * ```ts
 * id: uuidKey()   // "id" uuid primary key default gen_random_uuid()
 * ```
 */
export function uuidKey() {
  return uuid().primaryKey().default(sql`gen_random_uuid()`).$defaultFn(uuidv7);
}

/**
 * A primary key counted by the database: compact, fast to join, and never to be shown: put a `publicId()`
 * beside it for URLs. Its values are `bigint`.
 *
 * @example
 * ```ts
 * id: identityKey()   // "id" bigint primary key generated always as identity
 * ```
 */
export function identityKey() {
  return bigint({ mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity();
}

/**
 * A short random id for URLs, unique, that tells nothing about how many rows there are. A repository that draws
 * one already taken draws again (five times, with `on conflict do nothing`, so that no transaction fails of it).
 *
 * @param options.length characters, 62 to choose from for each. @default 10
 * @throws {SCHEMA_INVALID} for a length below 1, or an alphabet of fewer than two different characters.
 */
export function publicId(options: { readonly length?: number; readonly alphabet?: string } = {}) {
  const draw = createPublicIdGenerator(options.length ?? PUBLIC_ID_LENGTH_DEFAULT, options.alphabet);
  const column = mark(text().notNull().unique().$defaultFn(draw), { role: "publicId", writable: "create" });
  return column as typeof column & CreateOnlyMark;
}

/**
 * `createdAt` and `updatedAt`, both `timestamptz not null default now()`. `updatedAt` is kept by a trigger, so
 * that every client meets it; a repository takes no value for it.
 */
export function timestamps() {
  const instant = () => timestamp({ withTimezone: true }).notNull().defaultNow();
  const created = mark(instant(), { role: "createdAt", writable: "create" });
  const updated = mark(instant(), { role: "updatedAt", writable: "never" });
  return {
    createdAt: created as typeof created & CreateOnlyMark,
    updatedAt: updated as typeof updated & ManagedMark,
  };
}

/** `createdBy` and `updatedBy`: the `userId` of `db.as({ userId }, …)`, null when nobody was named. */
export function authorship() {
  const created = mark(text(), { role: "createdBy", writable: "never" });
  const updated = mark(text(), { role: "updatedBy", writable: "never" });
  return {
    createdBy: created as typeof created & ManagedMark,
    updatedBy: updated as typeof updated & ManagedMark,
  };
}

/**
 * `version`, `integer not null default 1`, which a trigger counts up at every update of any client: what
 * `update(id, patch, { ifVersion })` compares, so that nobody overwrites what they have not seen. After 2,147,483,647 changes
 * of one row an update fails with `INVALID_DATA`.
 *
 * @example
 * ```ts
 * export const tasks = entity(app, "tasks", { id: ulidKey(), title: text().notNull(), ...versioned() });
 * await repo.tasks.update(id, { title }, { ifVersion: seen.version });
 * // update … where "id" = $2 and "version" = $3
 * ```
 */
export function versioned() {
  const version = mark(integer().notNull().default(1), { role: "version", writable: "never" });
  return { version: version as typeof version & ManagedMark };
}

/** `deletedAt` and `deletedBy`; `entity()` adds them where `softDelete: true` is declared. */
export function softDeleteColumns() {
  const at = mark(timestamp({ withTimezone: true }), { role: "deletedAt", writable: "never" });
  const by = mark(text(), { role: "deletedBy", writable: "never" });
  return { deletedAt: at as typeof at & ManagedMark, deletedBy: by as typeof by & ManagedMark };
}

/**
 * A column that leaves a repository only when asked for by name (`reveal: ["passwordHash"]`): it is in no row,
 * no `returning`, no nested read, and cannot be sorted or filtered by.
 *
 * @example
 * ```ts
 * passwordHash: secret(text().notNull())
 * await repo.users.findBy({ email }, { reveal: ["passwordHash"] });
 * ```
 */
export function secret<T extends object>(column: T): T & SecretMark {
  return mark(column, { secret: true }) as T & SecretMark;
}

/**
 * Text limited to a few values by a check constraint. Against an enum type: a value can be taken away again, and
 * a change is a constraint swap instead of `alter type`.
 *
 * @example
 * ```ts
 * language: oneOf(["text", "typescript", "sql"]).notNull().default("text")
 * // "language" text not null default 'text' check ("language" in ('text', 'typescript', 'sql'))
 * ```
 */
export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return mark(text({ enum: values as T & [string, ...string[]] }), { oneOf: values });
}
