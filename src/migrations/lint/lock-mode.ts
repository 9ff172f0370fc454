import type { LockMode } from "./model.ts";

/** Table locks, weakest first. */
export const LOCK_MODES: readonly LockMode[] = [
  "AccessShareLock",
  "RowShareLock",
  "RowExclusiveLock",
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
];

/** The stronger one of two modes. */
export function strongerOf(left: LockMode, right: LockMode): LockMode {
  return LOCK_MODES.indexOf(left) < LOCK_MODES.indexOf(right) ? right : left;
}

/** Writers of the relation have to wait (`ShareLock` and stronger). */
export function keepsWritersOut(mode: LockMode): boolean {
  return LOCK_MODES.indexOf(mode) >= LOCK_MODES.indexOf("ShareLock");
}

/** What the lock means to others, as in "tasks: no reads, no writes". */
export function lockInWords(mode: LockMode): string {
  switch (mode) {
    case "AccessExclusiveLock":
      return "no reads, no writes";
    case "ExclusiveLock":
    case "ShareRowExclusiveLock":
    case "ShareLock":
      return "reads only, no writes";
    case "ShareUpdateExclusiveLock":
      return "reads and writes go on, no other DDL";
    case "RowExclusiveLock":
      return "written to";
    case "RowShareLock":
      return "rows locked";
    case "AccessShareLock":
      return "read";
  }
}
