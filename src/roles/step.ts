import { quoteIdentifier } from "../sql/index.ts";

/** What may be wrong with roles and rights; each has a line in docs/reference/roles.md. */
export const ROLE_RULES = [
  "role-missing",
  "role-attribute",
  "role-member",
  "role-setting",
  "schema-missing",
  "owner",
  "right-missing",
  "right-excess",
  "default-rights",
  "password",
  "owner-member",
  "unknown-grantee",
  "definer-search-path",
  "view-past-policies",
  "policies-not-forced",
] as const;
export type RoleRule = (typeof ROLE_RULES)[number];

/** One statement that brings roles or rights to what they shall be, and why. */
export interface Step {
  readonly rule: RoleRule;
  readonly level: "error" | "warning";
  /** `role tracker_app`, `table tracker.tasks`. */
  readonly object: string;
  readonly why: string;
  readonly statement: string;
  /** The role it is about, where it is about one. */
  readonly role?: string | undefined;
  /** Whether the one who asks may run it, as far as can be told. */
  readonly isAllowed: boolean;
  /** What stands in for `statement` wherever it is shown. */
  readonly shownAs?: string | undefined;
}

/** A grantee as DDL writes it. */
export function granteeSql(grantee: string): string {
  return grantee === "" ? "public" : quoteIdentifier(grantee);
}

/** A grantee for a reader. */
export function granteeName(grantee: string): string {
  return grantee === "" ? "everybody (PUBLIC)" : grantee;
}
