import {
  type PgColumnBuilderBase,
  PgSchema,
  type PgSequence,
  type PgSequenceOptions,
  type PgView,
} from "drizzle-orm/pg-core";
import { loadEnvironment } from "../config/index.ts";
import { SchemaError } from "../errors/index.ts";
import { IDENTIFIER_BYTES_LIMIT } from "../sql/index.ts";
import {
  type CompositeType,
  type CompositeTypeOptions,
  declareCompositeType,
} from "./declared/composite-type.ts";
import { type Domain, type DomainOptions, declareDomain } from "./declared/domain.ts";
import { declareExtension, type Extension, type ExtensionOptions } from "./declared/extension.ts";
import { declareGrant, type Grant, type GrantOptions } from "./declared/grant.ts";
import { declare } from "./declared/registry.ts";
import {
  type DeclaredFunction,
  declareFunction,
  declareProcedure,
  type FunctionOptions,
  type InputOf,
  type OutputOf,
  type Returns,
  type Routine,
  type RoutineOptions,
} from "./declared/routine.ts";
import { declareTrigger, type Trigger, type TriggerOptions } from "./declared/trigger.ts";
import type { TypeMap } from "./declared/value-type.ts";
import {
  AppManualMaterializedViewBuilder,
  AppManualViewBuilder,
  AppMaterializedViewBuilder,
  AppViewBuilder,
} from "./declared/view.ts";
import type { AnyEntity } from "./entity.ts";

/**
 * A schema of Drizzle's (`app.enum`, `app.table`, `app.sequence`) that also declares what Drizzle has no word for.
 * What is declared on it counts when the schema module exports it, exports something that needs it, or exports the
 * `AppSchema` itself.
 */
export interface AppSchema extends PgSchema<string> {
  /**
   * A function. What it takes and gives is typed with Drizzle's columns, and `db.call` follows those types.
   *
   * @throws {SCHEMA_INVALID} for an unknown option, and for what a type cannot say (`.primaryKey()`, say).
   *
   * @example
   * ```ts
   * export const touch = app.function("touch", {
   *   arguments: { taskId: text().notNull() },
   *   returns: timestamp({ withTimezone: true }),
   *   body: sql`begin
   *     update ${tasks} set updated_at = now() where id = task_id returning updated_at into strict …;
   *   end`,
   * });
   * const at = await db.call(touch, { taskId });   // Date | null
   * // select "tracker"."touch"("task_id" => $1::text)
   * ```
   */
  function<const A extends TypeMap = Record<never, never>, const R extends Returns = Returns>(
    name: string,
    options: FunctionOptions<A, R>,
  ): DeclaredFunction<A, R>;

  /**
   * A procedure: called on its own, not within a query, and able to commit (with `searchPath: "caller"`).
   *
   * @example
   * ```ts
   * export const archive = app.procedure("archive", {
   *   arguments: { before: date().notNull(), moved: inOut(integer().default(0)) },
   *   body: sql`begin … end`,
   * });
   * const { moved } = await db.call(archive, { before: "2026-01-01" });
   * // call "tracker"."archive"("before" => $1::date, "moved" => $2::integer)
   * ```
   */
  procedure<const A extends TypeMap = Record<never, never>>(
    name: string,
    options: RoutineOptions<A>,
  ): Routine<InputOf<A>, OutputOf<A>>;

  /**
   * A trigger on an entity or a view.
   *
   * @example
   * ```ts
   * export const tasksAudit = app.trigger("tasks_audit", {
   *   on: tasks, timing: "after", events: ["insert", "update", "delete"], execute: audit,
   *   condition: (row) => sql`${row.old.title} is distinct from ${row.new.title}`,
   * });
   * ```
   */
  trigger<T extends AnyEntity | PgView>(name: string, options: TriggerOptions<T>): Trigger;

  /**
   * Drizzle's view. `as` takes a comment and `dependsOn` as its second argument; columns become snake case.
   *
   * @example
   * ```ts
   * export const openTasks = app.view("open_tasks").with({ securityInvoker: true })
   *   .as((qb) => qb.select({ id: tasks.id }).from(tasks), { comment: "What is left to do." });
   * ```
   */
  view: {
    <TName extends string>(name: TName): AppViewBuilder<TName>;
    <TName extends string, TColumns extends TypeMap>(
      name: TName,
      columns: TColumns,
    ): AppManualViewBuilder<TName, TColumns>;
  };

  /**
   * Drizzle's materialized view. `as` takes indexes as well.
   *
   * @example
   * ```ts
   * export const userStats = app
   *   .materializedView("user_stats", { userId: text().notNull(), posts: bigint({ mode: "bigint" }).notNull() })
   *   .as(sql`select user_id, count(*) as posts from ${posts} group by user_id`, {
   *     indexes: (t) => [uniqueIndex().on(t.userId)],
   *   });
   * await db.drizzle.refreshMaterializedView(userStats).concurrently();
   * ```
   */
  materializedView: {
    <TName extends string>(name: TName): AppMaterializedViewBuilder<TName>;
    <TName extends string, TColumns extends TypeMap>(
      name: TName,
      columns: TColumns,
    ): AppManualMaterializedViewBuilder<TName, TColumns>;
  };

  /**
   * An extension the schema needs. Names of its functions, types and operators are written with its schema
   * (`public.gin_trgm_ops`), because migrations see nothing but the application's own.
   *
   * @example
   * ```ts
   * export const trigrams = app.extension("pg_trgm");
   * // create extension if not exists "pg_trgm" schema "public"
   * ```
   */
  extension(name: string, options?: ExtensionOptions): Extension;

  /**
   * Rights of a role that exists already.
   *
   * @example
   * ```ts
   * export const readers = app.grant({ on: tasks, to: "tracker_ro", privileges: ["select"] });
   * // grant select on table "tasks" to "tracker_ro"
   * ```
   */
  grant(options: GrantOptions): Grant;

  /**
   * A type with rules of its own, to be called where a column type stands. Its values are those of its base.
   *
   * @example
   * ```ts
   * export const email = app.domain("email", text(), { checks: [check("email_has_at", sql`value like '%_@_%'`)] });
   * email: email().notNull().unique(),
   * ```
   */
  domain<B extends PgColumnBuilderBase>(name: string, base: B, options?: DomainOptions): Domain<B>;

  /**
   * A type of several parts, to be called where a column type stands. Its values are objects.
   *
   * @example
   * ```ts
   * export const address = app.compositeType("address", { street: text(), zip: varchar({ length: 10 }) });
   * billing: address().notNull(),   // { street: string | null; zip: string | null }
   * ```
   */
  compositeType<const A extends TypeMap>(
    name: string,
    attributes: A,
    options?: CompositeTypeOptions,
  ): CompositeType<A>;
}

/**
 * The PostgreSQL schema an application's tables live in; not `public`, whose tables every other application
 * in the database would share, unless the application was there before Plinth (`adopted`). The environment variable `DATABASE_SCHEMA` (or `.env` in the working directory)
 * overrides the name, so that one database can hold several copies (a preview per branch, say). It is read when the
 * schema file is imported.
 *
 * @param options.adopted allows `public`: `plinth schema pull` writes it for the tables it finds there.
 * @throws {SCHEMA_INVALID} for `public` without `adopted`, `information_schema` and names that start with `pg_`.
 *
 * @example
 * ```ts
 * export const app = appSchema("tracker");
 * export const taskStatus = app.enum("task_status", ["pending", "done"]);
 * ```
 */
export function appSchema(name: string, options: { readonly adopted?: boolean } = {}): AppSchema {
  // Not `pgSchema()`, which refuses `public` whoever asks.
  const app = new PgSchema(chosenName(name, options.adopted === true));
  const drizzle = new PgSchema(app.schemaName);
  const additions = {
    // Two forms of Drizzle's in one: a list of values, or an object of them.
    enum: (type: string, values: never) =>
      declare(app, drizzle.enum(type, values), { kind: "enum", name: type, options: {} }),
    sequence: (sequence: string, options?: PgSequenceOptions): PgSequence =>
      declare(app, drizzle.sequence(sequence, options), { kind: "sequence", name: sequence, options: {} }),
    view: (view: string, columns?: TypeMap) =>
      columns === undefined ? new AppViewBuilder(app, view) : new AppManualViewBuilder(app, view, columns),
    materializedView: (view: string, columns?: TypeMap) =>
      columns === undefined
        ? new AppMaterializedViewBuilder(app, view)
        : new AppManualMaterializedViewBuilder(app, view, columns),
    function: (routine: string, options: FunctionOptions<TypeMap, Returns>) =>
      declareFunction(app, routine, options),
    procedure: (routine: string, options: RoutineOptions<TypeMap>) => declareProcedure(app, routine, options),
    trigger: (trigger: string, options: TriggerOptions<AnyEntity | PgView>) =>
      declareTrigger(app, trigger, options),
    extension: (extension: string, options?: ExtensionOptions) => declareExtension(app, extension, options),
    grant: (options: GrantOptions) => declareGrant(app, options),
    domain: (type: string, base: PgColumnBuilderBase, options?: DomainOptions) =>
      declareDomain(app, type, base, options),
    compositeType: (type: string, attributes: TypeMap, options?: CompositeTypeOptions) =>
      declareCompositeType(app, type, attributes, options),
  };
  // The interface says more than a compiler can follow through one function for each kind.
  return Object.assign(app, additions) as unknown as AppSchema;
}

function chosenName(name: string, isAdopted: boolean): string {
  const { environment } = loadEnvironment({ directories: [process.cwd()], environment: process.env });
  const chosen = environment.DATABASE_SCHEMA || name;
  if (
    (chosen === "public" && !isAdopted) ||
    chosen === "information_schema" ||
    chosen === "plinth" ||
    chosen.startsWith("pg_")
  ) {
    throw new SchemaError(`${JSON.stringify(chosen)} cannot be an application's schema`, {
      hint:
        chosen === "public"
          ? 'Give the application a schema of its own: appSchema("tracker"). If its tables are in public already: appSchema("public", { adopted: true }).'
          : 'Give the application a schema of its own: appSchema("tracker").',
    });
  }
  if (!/^[a-z_][a-z0-9_$]*$/.test(chosen) || chosen.length > IDENTIFIER_BYTES_LIMIT) {
    throw new SchemaError(
      `the schema name ${JSON.stringify(chosen)} is not lower-case letters, digits and _ (63 at most)`,
      {
        hint: "Other names must be quoted in every tool; choose one that need not.",
      },
    );
  }
  return chosen;
}
