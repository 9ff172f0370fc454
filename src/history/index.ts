// What every row was, who changed it and why
export { historyBehaviour } from "./history.ts";

// A table as it was at a moment
export { pastOf } from "./past.ts";

// Partitions by month, and what is too old
export {
  type HistoryPreparation,
  type HistoryPruning,
  type HistoryUpkeep,
  MONTHS_AHEAD_DEFAULT,
  MONTHS_AHEAD_LIMIT,
  type PrepareHistoryOptions,
  type PruneHistoryOptions,
  prepareHistory,
  pruneHistory,
} from "./upkeep.ts";
