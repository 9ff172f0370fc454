import { is } from "drizzle-orm";
import {
  CheckBuilder,
  ForeignKeyBuilder,
  IndexBuilder,
  isPgEnum,
  isPgSequence,
  PgColumnBuilder,
  PgPolicy,
  PrimaryKeyBuilder,
  UniqueConstraintBuilder,
} from "drizzle-orm/pg-core";
import { SchemaError } from "../../errors/index.ts";
import { snakeCase } from "../../sql/index.ts";
import { isEntity } from "../entity.ts";
import { mark } from "../marks.ts";
import { declaredAs } from "./registry.ts";

const COMMENTS = new WeakMap<object, string>();
const OLD_VALUES = new WeakMap<object, Readonly<Record<string, string>>>();

/**
 * Says what something is for, in the database itself, where `psql` and every other tool shows it. Takes a column, an
 * index or a constraint while it is declared, an entity, an enum, a sequence, and everything declared on an
 * `appSchema`. Most have an option `comment` as well.
 *
 * @throws {SCHEMA_INVALID} for an empty text, which PostgreSQL takes for no comment, and for what has none (a grant).
 *
 * @example
 * ```ts
 * export const stage = comment(app.enum("stage", ["open", "done"]), "Where a task stands.");
 * dueDate: comment(date(), "A day in the owner's time zone.")
 * // comment on column "tasks"."due_date" is 'A day in the owner''s time zone.'
 * ```
 */
export function comment<T extends object>(target: T, text: string): T {
  if (typeof text !== "string" || text.trim() === "") {
    throw new SchemaError("a comment says something; an empty one is none in PostgreSQL", {
      hint: 'Write comment(text(), "…"), or leave it out.',
    });
  }
  if (is(target, PgColumnBuilder)) return mark(target, { comment: text });
  if (!canBeCommented(target)) {
    throw new SchemaError(
      "comment(…) is around something that PostgreSQL keeps no comment of, or Plinth does not create",
      {
        hint: "It takes a column, a constraint, an index, a policy, an enum, and what appSchema and entity() gave.",
      },
    );
  }
  COMMENTS.set(identityOf(target), text);
  return target;
}

const CONSTRAINTS = [
  CheckBuilder,
  ForeignKeyBuilder,
  IndexBuilder,
  PgPolicy,
  PrimaryKeyBuilder,
  UniqueConstraintBuilder,
] as const;

function canBeCommented(target: object): boolean {
  const { kind } = declaredAs(target) ?? {};
  if (kind !== undefined) return kind !== "grant";
  return (
    isEntity(target) ||
    isPgEnum(target) ||
    isPgSequence(target) ||
    CONSTRAINTS.some((constraint) => is(target, constraint))
  );
}

/** The comment of anything but a column, or `undefined`. */
export function commentOf(target: object): string | undefined {
  return COMMENTS.get(identityOf(target));
}

/**
 * What a builder and the thing Drizzle builds of it have in common: the list of its columns, the SQL of a check, the
 * function that finds a foreign key's target. All else is a copy.
 */
function identityOf(target: object): object {
  const parts = target as unknown as {
    readonly config?: { readonly columns?: object };
    readonly columns?: object;
    readonly value?: object;
    readonly reference?: object;
  };
  if (is(target, IndexBuilder) || isBuilt(target, "PgIndex")) return parts.config?.columns ?? target;
  if (is(target, CheckBuilder) || isBuilt(target, "PgCheck")) return parts.value ?? target;
  if (is(target, ForeignKeyBuilder) || isBuilt(target, "PgForeignKey")) return parts.reference ?? target;
  const isKey = is(target, UniqueConstraintBuilder) || is(target, PrimaryKeyBuilder);
  return isKey || isBuilt(target, "PgUniqueConstraint") || isBuilt(target, "PgPrimaryKey")
    ? (parts.columns ?? target)
    : target;
}

/** Drizzle exports the builders but not all of the classes they build; each says its kind. */
function isBuilt(target: object, kind: string): boolean {
  return Reflect.get(target.constructor ?? {}, Symbol.for("drizzle:entityKind")) === kind;
}

/**
 * Says what a column was called, so that `plinth migrate generate` renames it and keeps its data. Of an enum it takes
 * the new values with their old names. A table has the option `renamedFrom`. It may stay there after the migration
 * was written, and means nothing else.
 *
 * @param from the old property (`dueDate`), or new values of an enum with their old names.
 *
 * @example
 * ```ts
 * deadline: renamedFrom("dueDate", date())
 * // alter table "tasks" rename column "due_date" to "deadline"
 * export const stage = renamedFrom({ done: "closed" }, app.enum("stage", ["open", "done"]));
 * // alter type "stage" rename value 'closed' to 'done'
 * ```
 */
export function renamedFrom<T extends object>(from: string | Readonly<Record<string, string>>, target: T): T {
  if (typeof from === "string") {
    if (is(target, PgColumnBuilder)) return mark(target, { renamedFrom: snakeCase(from) });
    throw new SchemaError(`renamedFrom(${JSON.stringify(from)}, …) takes a column`, {
      hint: 'A table says it as an option: entity(app, "todos", columns, { renamedFrom: "tasks" }).',
    });
  }
  if (typeof target !== "function" || !("enumValues" in target)) {
    throw new SchemaError('renamedFrom({ new: "old" }, …) takes an enum', {
      hint: 'Of a column it takes one name: renamedFrom("dueDate", date()).',
    });
  }
  OLD_VALUES.set(target, from);
  return target;
}

/** New values of an enum with their old names. */
export function oldValuesOf(target: object): Readonly<Record<string, string>> {
  return OLD_VALUES.get(target) ?? {};
}
