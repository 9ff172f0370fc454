import type { PgSchema } from "drizzle-orm/pg-core";
import { declare, refuseUnknownOptions } from "./registry.ts";

/** Where extensions go that name no schema: every database has it, and no copy of an application takes it away. */
export const EXTENSION_SCHEMA_DEFAULT = "public";

export interface ExtensionOptions {
  /**
   * The schema its functions, types and operators live in. A database has an extension once, however many copies of
   * the application (`DATABASE_SCHEMA`) it holds: in the schema of one copy it would be out of reach for the others,
   * and gone with it. Give the `appSchema` itself only where there will never be a second copy.
   * @default "public"
   */
  readonly schema?: string | PgSchema;
  /** @default the newest the server has */
  readonly version?: string;
  readonly comment?: string;
}

declare const EXTENSION: unique symbol;

/** A declared extension. */
export interface Extension {
  readonly [EXTENSION]: true;
}

export interface ExtensionDeclaration {
  readonly target: string;
  readonly version: string | undefined;
  readonly comment: string | undefined;
}

export function declareExtension(
  app: { readonly schemaName: string },
  name: string,
  options: ExtensionOptions = {},
): Extension {
  refuseUnknownOptions(`extension "${name}"`, options, ["schema", "version", "comment"]);
  const { schema = EXTENSION_SCHEMA_DEFAULT, version, comment } = options;
  const target = typeof schema === "string" ? schema : schema.schemaName;
  return declare(
    app,
    {},
    {
      kind: "extension",
      name,
      options: { target, version, comment } satisfies ExtensionDeclaration,
    },
  ) as Extension;
}
