import { BEHAVIOURS } from "../behaviours.ts";
import { renderSchema } from "../catalog/index.ts";
import { type ConnectionTarget, connect } from "../driver/index.ts";
import { SchemaError } from "../errors/index.ts";
import { createMigrator, readMigrations } from "../migrations/index.ts";
import { describeSchema } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

/** How a template's content is made. */
export interface Recipe {
  /** Everything the content follows from; read anew each time, as files may have changed. */
  ingredients(): Promise<readonly string[]>;
  /** Fills an empty database. */
  apply(target: ConnectionTarget): Promise<void>;
}

/** The schema's own DDL, in its own PostgreSQL schema. */
export function declaredRecipe(schema: Readonly<Record<string, unknown>>): Recipe {
  const schemaName = schemaNameOf(schema);
  const { up, roles } = renderSchema(describeSchema(schema), BEHAVIOURS);
  const own = quoteIdentifier(schemaName);
  const made = roles.map(makeRole);
  const text = [...made, `create schema ${own}`, `set search_path to ${own}`, ...up].join(";\n");
  return {
    ingredients: async () => ["declared", text],
    apply: async (target) => {
      const connection = await connect(target);
      try {
        await connection.script(text);
      } finally {
        await connection.close();
      }
    },
  };
}

/** Roles belong to the server; a test server need not have those of production. Two templates may be made at once. */
function makeRole(role: string): string {
  return `do $make_role$ begin create role ${quoteIdentifier(role)} nologin;
exception when duplicate_object or unique_violation then null; end $make_role$`;
}

/** A folder of migrations, run by the migrator that production runs. */
export function migratedRecipe(schema: Readonly<Record<string, unknown>>, folder: string): Recipe {
  const schemaName = schemaNameOf(schema);
  return {
    ingredients: async () => {
      const files = await readMigrations(folder);
      return ["migrated", schemaName, ...files.flatMap(({ fileName, checksum }) => [fileName, checksum])];
    },
    apply: async (target) => {
      await createMigrator({ target, schemaName, folder }).up();
    },
  };
}

/** @throws {SCHEMA_INVALID} unless everything lives in one PostgreSQL schema. */
export function schemaNameOf(schema: Readonly<Record<string, unknown>>): string {
  const names = describeSchema(schema).schemas;
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  throw new SchemaError(
    name === undefined
      ? "the schema module exports no entity"
      : `the declared objects live in several PostgreSQL schemas: ${names.join(", ")}`,
    { hint: 'Give the module: import * as schema from "./schema.ts"; testDatabase({ schema }).' },
  );
}
