// Declaring: a schema of its own, tables and how they behave, what they are read with
export { appSchema } from "./app-schema.ts";
// The contract of behaviours
export type { Actor, Behaviour, ReferenceContext, Visibility, WriteContext } from "./behaviour.ts";
// Column sets
export { authorship, identityKey, oneOf, publicId, secret, timestamps, ulidKey, uuidKey } from "./columns.ts";
export type { DatabaseObject } from "./database-object.ts";
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
export type { TraitsOf } from "./entity.ts";
export {
  type AnyEntity,
  type Entity,
  type EntityOptions,
  entity,
  isEntity,
  type ListRules,
} from "./entity.ts";
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
// What a declaration means in types; the marks are named in the types of an application that emits declarations
export type { CreateOnlyMark, ManagedMark, SecretMark } from "./marks.ts";
// Ids, for keys made outside a repository
export { createPublicIdGenerator } from "./public-id.ts";
export type { RelationMap } from "./relations.ts";
export { type Many, type One, type RelationBuilder, type Relations, relations } from "./relations.ts";
export { describeSchema, type RelationDescription, type SchemaDescription } from "./schema-description.ts";
export { createUlidGenerator, ulid } from "./ulid.ts";
export { isSortable } from "./usable.ts";
export { createUuidGenerator, uuidv7 } from "./uuid.ts";
