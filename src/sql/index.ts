// Names and literals
export {
  IDENTIFIER_BYTES_LIMIT,
  qualifiedName,
  quoteIdentifier,
  quoteLiteral,
  snakeCase,
} from "./identifier.ts";

// Names as a person writes them
export { isReservedWord, sqlName, unquoted } from "./keywords.ts";

// Composite values as text
export { decodeRecord, encodeRecord } from "./record-text.ts";

// The identity of a SQL text
export { fingerprint } from "./fingerprint.ts";

// The statement tree
export type {
  Assignment,
  ColumnNode,
  ComparisonOperator,
  Condition,
  Conflict,
  Delete,
  Expression,
  Filter,
  Insert,
  InsertColumn,
  Ordering,
  ParameterNode,
  Projection,
  Select,
  TableReference,
  Tree,
  Update,
  Write,
} from "./tree.ts";
