// Names and literals
export {
  IDENTIFIER_BYTES_LIMIT,
  qualifiedName,
  quoteIdentifier,
  quoteLiteral,
  snakeCase,
} from "./identifier.ts";

// Texts and the DDL around them
export { dollarQuote } from "./dollar-quote.ts";
export { type MadeByText, type TriggerParts, triggerFunctionText, triggerText } from "./trigger-text.ts";

// Where a history begins
export { historyBeginText, isHistoryBegin } from "./history-begin.ts";

// Names as a person writes them
export { isReservedWord, sqlName, unquoted } from "./keywords.ts";

// Composite values as text
export { decodeRecord, encodeRecord } from "./record-text.ts";

// The identity of a SQL text
export { fingerprint } from "./fingerprint.ts";

// What a call brings to a statement
export type { Actor, Call, Encoded } from "./call.ts";

// The statement tree
export type {
  AggregateNode,
  Assignment,
  ColumnNode,
  ComparisonOperator,
  Condition,
  Conflict,
  Delete,
  Expression,
  Filter,
  ForEach,
  Insert,
  InsertColumn,
  Join,
  JsonPathNode,
  Ordering,
  ParameterNode,
  ParameterValue,
  PastTable,
  Projection,
  RowLock,
  Select,
  TableReference,
  Tree,
  Update,
  Walk,
  Write,
} from "./tree.ts";
