// The schema file of an existing database
export { listPullableSchemas } from "./schemas.ts";
export type { PullFinding } from "./model.ts";
export { type PulledSchema, type PullOptions, pullSchema } from "./pull-schema.ts";
