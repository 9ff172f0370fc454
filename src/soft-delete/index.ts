// Rows that are stamped instead of removed
export { softDeleteBehaviour } from "./soft-delete.ts";

// Removing for good what has been dead for a time
export {
  PURGE_BATCH_DEFAULT,
  PURGE_BATCH_LIMIT,
  type PurgedTable,
  type PurgeOptions,
  purgeDead,
} from "./purge.ts";
