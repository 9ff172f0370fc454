import { authorshipBehaviour } from "./authorship/index.ts";
import { historyBehaviour } from "./history/index.ts";
import type { Behaviour } from "./schema/index.ts";
import { searchBehaviour } from "./search/index.ts";
import { softDeleteBehaviour } from "./soft-delete/index.ts";
import { timestampsBehaviour } from "./timestamps/index.ts";
import { versioningBehaviour } from "./versioning/index.ts";

/**
 * Every behaviour, in the one order they apply: soft delete first, as it turns a delete into an update that
 * authorship then signs. Tenant and as-of will stand before it, encryption, history and cache after.
 */
export const BEHAVIOURS: readonly Behaviour[] = [
  softDeleteBehaviour,
  timestampsBehaviour,
  versioningBehaviour,
  authorshipBehaviour,
  searchBehaviour,
  historyBehaviour,
];
