import type { CheckBuilder, PgColumnBuilderBase } from "drizzle-orm/pg-core";
import { configOf } from "../column-name.ts";
import { declare, refuseUnknownOptions } from "./registry.ts";
import { buildAs } from "./type-of-column.ts";
import { refuseNonType } from "./value-type.ts";

/** What a domain says beside its base type. */
export interface DomainOptions {
  /** Drizzle's `check(name, sql)`, about `value`: `` check("email_has_at", sql`value like '%_@_%'`) ``. */
  readonly checks?: readonly CheckBuilder[];
  readonly comment?: string;
}

/** A type with rules of its own: call it where a column type stands. */
export type Domain<B extends PgColumnBuilderBase> = (name?: string) => B;

export interface DomainDeclaration extends DomainOptions {
  readonly base: PgColumnBuilderBase;
}

export function declareDomain<B extends PgColumnBuilderBase>(
  app: { readonly schemaName: string },
  name: string,
  base: B,
  options: DomainOptions = {},
): Domain<B> {
  const what = `domain "${name}"`;
  refuseUnknownOptions(what, options, ["checks", "comment"]);
  refuseNonType(what, base, { notNull: true, default: true });
  const domain: Domain<B> = (columnName = "") => columnOf(base, columnName, domain);
  return declare(app, domain, { kind: "domain", name, options: { ...options, base } });
}

/** A column is built of its own builder, as Drizzle's change when they are called. */
function columnOf<B extends PgColumnBuilderBase>(base: B, name: string, domain: object): B {
  const copy: B = Object.assign(Object.create(Object.getPrototypeOf(base) as object) as B, base);
  const building = copy as unknown as { config: object; foreignKeyConfigs: object[] };
  // The domain has the default; the column only knows that there is one.
  building.config = { ...configOf(base), name, keyAsName: name === "", default: undefined };
  building.foreignKeyConfigs = [];
  return buildAs(copy, domain);
}
