// Where statements run
export {
  type BatchOptions,
  createUnitOfWork,
  type Place,
  type RunOptions,
  type UnitOfWork,
  type UnitOfWorkOptions,
} from "./unit-of-work.ts";
export type { CopyOptions } from "./copying.ts";
export type { TransactionScope } from "./scope.ts";
export type { IsolationLevel, TransactionOptions } from "./options.ts";
export { RETRY_DEFAULT, type RetryOptions } from "./retry.ts";

// Locks by name
export type { LockedWork, LockOptions } from "./advisory-lock.ts";

// How they end
export type { Hook, HookMoment } from "./hooks.ts";
export { outcomeOf, type TransactionOutcome } from "./outcome.ts";

// What raw statements may not do
export { refuseTransactionControl } from "./control.ts";
