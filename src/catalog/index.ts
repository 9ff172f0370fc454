// The model
export type {
  Catalog,
  CatalogColumn,
  CatalogObject,
  CompositeObject,
  ConstraintObject,
  DomainCheck,
  DomainObject,
  EnumObject,
  ExtensionObject,
  Grant,
  IndexObject,
  ObjectKind,
  OtherObject,
  PolicyObject,
  RangeObject,
  RoutineObject,
  RuleObject,
  SchemaObject,
  SequenceObject,
  SequenceOptions,
  StatisticsObject,
  TableObject,
  TriggerObject,
  ViewObject,
} from "./model.ts";
// A live database: read and compared
export { type ReadCatalogOptions, readCatalog } from "./read/read.ts";
export { type CatalogDifference, compareCatalogs } from "./compare/compare.ts";
export { alignNames } from "./compare/align-names.ts";
export { describeColumn, describeObject } from "./compare/describe.ts";
// A declared schema as SQL
export { renderSchema, type SchemaSql } from "./render.ts";
// Tables that are known by what they are
export { historyTables } from "./history-table.ts";
// The difference of two databases as SQL
export { type DifferenceOptions, planDifference, renderCatalog } from "./difference.ts";
export { renameInKept } from "./difference/rename-kept.ts";
export type { DifferencePlan, Loss } from "./difference/plan.ts";
