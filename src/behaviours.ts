import { authorshipBehaviour } from "./authorship/index.ts";
import { historyBehaviour } from "./history/index.ts";
import { rowSecurityBehaviour } from "./row-security/index.ts";
import type { Behaviour } from "./schema/index.ts";
import { searchBehaviour } from "./search/index.ts";
import { softDeleteBehaviour } from "./soft-delete/index.ts";
import { timestampsBehaviour } from "./timestamps/index.ts";
import { versioningBehaviour } from "./versioning/index.ts";

/**
 * Every behaviour, in the one order they apply: the tenant first, as every key leads with it; soft delete then turns a delete
 * into an update that authorship signs. As-of stands between those two; encryption and a cache will come last.
 */
export const BEHAVIOURS: readonly Behaviour[] = [
  rowSecurityBehaviour,
  softDeleteBehaviour,
  timestampsBehaviour,
  versioningBehaviour,
  authorshipBehaviour,
  searchBehaviour,
  historyBehaviour,
];
