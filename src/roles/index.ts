// Their names
export {
  LOGIN_KINDS,
  type LoginKind,
  possibleRoles,
  ROLE_KINDS,
  type RoleKind,
  type RoleNameOptions,
  type RoleNames,
  roleNames,
} from "./names.ts";

// To make them right, and to see whether they are
export { type CheckRolesOptions, checkRoles, findingOf, type RoleFinding } from "./check.ts";
export { type RolePassword, type SyncRolesOptions, type SyncRolesResult, syncRoles } from "./sync.ts";
export { ROLE_RULES, type RoleRule, type Step } from "./step.ts";

// Whether policies hold for a session
export {
  connectSafely,
  policiesHold,
  refuseUnsafeRole,
  securedTables,
  type TableName,
} from "./boot-check.ts";

// On the embedded server
export { type EmbeddedRolesOptions, embeddedPasswords, syncEmbeddedRoles } from "./embedded-roles.ts";
