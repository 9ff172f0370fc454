import { authorshipBehaviour } from "./authorship/index.ts";
import type { Behaviour } from "./schema/index.ts";
import { searchBehaviour } from "./search/index.ts";
import { softDeleteBehaviour } from "./soft-delete/index.ts";
import { timestampsBehaviour } from "./timestamps/index.ts";
import { versioningBehaviour } from "./versioning/index.ts";

/**
 * Every behaviour, in the one order they apply: soft delete first, as it turns a delete into an update that
 */
export const BEHAVIOURS: readonly Behaviour[] = [
  softDeleteBehaviour,
  timestampsBehaviour,
  versioningBehaviour,
  authorshipBehaviour,
  searchBehaviour,
];
