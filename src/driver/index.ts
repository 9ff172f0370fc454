// A session on a server
export { connect } from "./connect.ts";
export type {
  BatchOptions,
  Cell,
  Connection,
  CopyCall,
  Field,
  Notice,
  Outcome,
  Parameter,
  QueryOptions,
  RowReader,
  StatementCall,
  TransactionStatus,
} from "./connection.ts";
export { PIPELINE_LIMIT } from "./connection.ts";
export { busyCopying } from "./copying.ts";
export { batchIndexOf, countedWithout, mayHaveHappened, wasNeverSent } from "./failures.ts";
export { MalformedRow } from "./protocol-error.ts";
// Where to connect
export {
  APPLICATION_NAME_DEFAULT,
  CONNECT_TIMEOUT_MS_DEFAULT,
  describeTarget,
  IDLE_IN_TRANSACTION_TIMEOUT_MS_DEFAULT,
  KEEP_ALIVE_DELAY_MS_DEFAULT,
  LOCK_TIMEOUT_MS_DEFAULT,
  parseTarget,
  retarget,
  STATEMENT_TIMEOUT_MS_DEFAULT,
  WIRE_DEFAULT,
} from "./parse-target.ts";
export type { ConnectionTarget, SessionSettings, WireChoice } from "./target.ts";
