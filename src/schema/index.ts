// Declaring: a schema of its own, tables and how they behave, what they are read with
export { appSchema } from "./app-schema.ts";
export type { TraitsOf } from "./entity.ts";
export {
  type AnyEntity,
  type Entity,
  type EntityOptions,
  entity,
  isEntity,
  type ListRules,
} from "./entity.ts";
export type { RelationMap } from "./relations.ts";
export { type Many, type One, type RelationBuilder, type Relations, relations } from "./relations.ts";

// Column sets
export { authorship, identityKey, oneOf, publicId, secret, timestamps, ulidKey, uuidKey } from "./columns.ts";

// What a declaration means in types; the marks are named in the types of an application that emits declarations
export type {
  CreateInput,
  Flat,
  FullRow,
  Key,
  PrimaryKeys,
  Row,
  RowKeys,
  SecretKeys,
  UpdateInput,
} from "./inference.ts";
export type { CreateOnlyMark, ManagedMark, SecretMark } from "./marks.ts";

// What a declaration means at run time
export type {
  CheckDescription,
  ColumnDescription,
  EntityDescription,
  EnumDescription,
  ForeignKeyDescription,
  IndexDescription,
  KeyDescription,
  ReferentialAction,
  UniqueDescription,
  ValueKind,
} from "./description.ts";
export { describeTable } from "./drizzle-adapter.ts";
export { describeSchema, type RelationDescription, type SchemaDescription } from "./schema-description.ts";
export { isSortable } from "./usable.ts";

// The contract of behaviours
export type { Actor, Behaviour, ReferenceContext, Visibility, WriteContext } from "./behaviour.ts";
export type { DatabaseObject } from "./database-object.ts";

// Ids, for keys made outside a repository
export { createPublicIdGenerator } from "./public-id.ts";
export { createUlidGenerator, ulid } from "./ulid.ts";
export { createUuidGenerator, uuidv7 } from "./uuid.ts";
