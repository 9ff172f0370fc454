// From tree to text
export {
  type CompiledTree,
  compile,
  compileCondition,
  compileExpression,
  requireActor,
  valuesIn,
} from "./compile.ts";

// The name a text is prepared under
export { statementName } from "./statement.ts";

// Values, both ways
export { decoderOf, encodeValue, isCalendarDay } from "./codec.ts";
export { decodeArray, encodeArray } from "./array-text.ts";

// From cells to rows
export { createMapper, type Slot } from "./mapper.ts";
export { createRowReader } from "./row-reader.ts";

// Statements that no entity stands behind
export { encodePlainValue } from "./plain-value.ts";
export { rowsByName, templateCall } from "./template.ts";
export { isRowSchema, parseRows, type RowSchema } from "./row-schema.ts";
