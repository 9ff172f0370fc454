// Where statements run

// What raw statements may not do
export { refuseTransactionControl } from "./control.ts";
export type { IsolationLevel, TransactionOptions } from "./options.ts";
export type { TransactionScope } from "./scope.ts";
export { createUnitOfWork, type Place, type UnitOfWork } from "./unit-of-work.ts";
