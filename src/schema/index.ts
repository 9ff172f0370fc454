// Declaring: a schema of its own, tables and how they behave, what they are read with
export { type AppSchema, appSchema } from "./app-schema.ts";
export type { TraitsOf } from "./entity.ts";
export {
  type AnyEntity,
  type Entity,
  type EntityOptions,
  entity,
  isEntity,
  type ListRules,
} from "./entity.ts";
export type { HistoryRules } from "./history-rules.ts";
export type { SearchConfig, SearchRules, SearchWeight } from "./search-rules.ts";
export type { RelationMap } from "./relations.ts";
export { type Many, type One, type RelationBuilder, type Relations, relations } from "./relations.ts";

// Column sets
export {
  authorship,
  identityKey,
  oneOf,
  publicId,
  secret,
  timestamps,
  ulidKey,
  uuidKey,
  versioned,
} from "./columns.ts";

// What Drizzle cannot declare: on an `appSchema`, and as notes around what it can
export type { PartitionBy } from "./declared/partition-by.ts";
export { comment, renamedFrom } from "./declared/notes.ts";
export { inOut, out, setOf } from "./declared/routine.ts";
export type { CompositeType, CompositeTypeOptions, CompositeValue } from "./declared/composite-type.ts";
export type { Domain, DomainOptions } from "./declared/domain.ts";
export type { Extension, ExtensionOptions } from "./declared/extension.ts";
export type { Grant, GrantOptions, Privilege } from "./declared/grant.ts";
export type {
  AnyRoutine,
  CallInput,
  DeclaredFunction,
  FunctionOptions,
  InputOf,
  OutputOf,
  ResultOf,
  Returns,
  Routine,
  RoutineInput,
  RoutineOptions,
  RoutineResult,
  SetOf,
  TriggerFunction,
} from "./declared/routine.ts";
export type { Trigger, TriggerEvent, TriggerOptions } from "./declared/trigger.ts";
export type { TypeMap, ValueOf } from "./declared/value-type.ts";
export type { MaterializedViewOptions, ViewOptions } from "./declared/view.ts";

// What a declaration means in types; the marks are named in the types of an application that emits declarations
export type {
  CreateInput,
  Flat,
  FullRow,
  Key,
  PrimaryKeys,
  Row,
  RowColumns,
  RowKeys,
  SecretKeys,
  UpdateInput,
} from "./inference.ts";
export type { CreateOnlyMark, InOutMark, ManagedMark, OutMark, SecretMark } from "./marks.ts";

// What a declaration means at run time
export type {
  CheckDescription,
  ColumnDescription,
  EntityDescription,
  EnumDescription,
  ForeignKeyDescription,
  HistoryDescription,
  IndexDescription,
  KeyDescription,
  ObjectId,
  PartitionDescription,
  PartitioningDescription,
  PolicyDescription,
  ReferentialAction,
  SearchDescription,
  SearchedColumn,
  SequenceOptions,
  UniqueDescription,
  ValueKind,
} from "./description.ts";
export type {
  ArgumentDescription,
  CompositeTypeDescription,
  DomainDescription,
  ExtensionDescription,
  GrantDescription,
  ObjectDescription,
  RenameDescription,
  ResultDescription,
  RoutineDescription,
  SequenceDescription,
  TriggerDescription,
  ViewDescription,
} from "./object-description.ts";
export { SEARCH_CONFIG_NAME } from "./search-rules.ts";
export { trigramSchema } from "./search-description.ts";
export { describeTable } from "./drizzle-adapter.ts";
export { findColumn } from "./find-column.ts";
export { describeRoutine } from "./declared/describe-routine.ts";
export { describeType } from "./declared/describe-type.ts";
export type { LinkDescription, RelationDescription } from "./relation-description.ts";
export { describeSchema, type SchemaDescription } from "./schema-description.ts";
export { isSortable } from "./usable.ts";

// Whose rows they are
export { ownPairs } from "./tenant.ts";
export { tenantOf, tenantParameter } from "./tenant-value.ts";

// The contract of behaviours
export type {
  Behaviour,
  ComputedColumn,
  ReferenceContext,
  TableAdditions,
  Visibility,
} from "./behaviour.ts";
export type { DatabaseObject } from "./database-object.ts";

// Ids, for keys made outside a repository
export { createPublicIdGenerator } from "./public-id.ts";
export { createUlidGenerator, ulid } from "./ulid.ts";
export { createUuidGenerator, uuidv7 } from "./uuid.ts";
