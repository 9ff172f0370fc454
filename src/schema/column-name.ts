import type { ColumnBuilderBase } from "drizzle-orm/column-builder";
import { snakeCase } from "../sql/index.ts";

/** What Drizzle keeps about a column that is not built yet, as far as Plinth reads it. */
export interface BuilderConfig {
  name: string;
  keyAsName: boolean;
  readonly notNull: boolean;
  readonly default: unknown;
  readonly hasDefault: boolean;
  readonly defaultFn: unknown;
  readonly primaryKey: boolean;
  readonly isUnique: boolean;
  readonly generated: unknown;
  readonly generatedIdentity: unknown;
  readonly columnType: string;
  readonly baseBuilder?: ColumnBuilderBase;
}

export function configOf(builder: ColumnBuilderBase): BuilderConfig {
  return (builder as unknown as { readonly config: BuilderConfig }).config;
}

/** Drizzle names an unnamed column by its property when it builds; naming it here first makes it snake case. */
export function nameColumn(builder: ColumnBuilderBase, key: string): void {
  const config = configOf(builder);
  if (config.name === "") config.name = snakeCase(key);
  config.keyAsName = false;
}
