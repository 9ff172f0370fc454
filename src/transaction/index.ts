// Where statements run
export {
  type BatchOptions,
  createUnitOfWork,
  type Place,
  type RunOptions,
  type UnitOfWork,
} from "./unit-of-work.ts";
export type { CopyOptions } from "./copying.ts";
export type { TransactionScope } from "./scope.ts";
export type { IsolationLevel, TransactionOptions } from "./options.ts";

// What raw statements may not do
export { refuseTransactionControl } from "./control.ts";
