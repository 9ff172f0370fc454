import type { Cell, Connection } from "../../driver/index.ts";
import { LOCK_MODES, strongerOf } from "./lock-mode.ts";
import type { LockMode, StatementEffects, StatementLock } from "./model.ts";
import { selectLocks, selectRelations } from "./trace-queries.ts";

/** One relation at one moment. */
export interface ObservedRelation {
  readonly oid: string;
  /** `pg_class.relkind`. */
  readonly kind: string;
  /** As effects name it. */
  readonly name: string;
  /** Changes when the storage is written anew; `0` for what has none. */
  readonly filenode: string;
  /** Sequential scans so far. */
  readonly scans: number;
  /** Rows they returned so far. */
  readonly rows: number;
  /** It has no storage: a scan of it returns nothing. */
  readonly isEmpty: boolean;
}

/** The relations of a database at one moment, by OID. */
export type Observation = ReadonlyMap<string, ObservedRelation>;

/** A lock as it was seen. */
export interface SeenLock {
  readonly oid: string;
  readonly mode: LockMode;
  /** What the relation was called by then; undefined where no catalog had it any more. */
  readonly name: string | undefined;
}

/** Reads the relations, with the counters of scans of this transaction or, outside one, of all that were handed in. */
export async function observe(
  connection: Connection,
  home: string,
  counters: "transaction" | "database",
): Promise<Observation> {
  const rows = await selectRelations(connection, home);
  return new Map(rows.map((row) => [String(row[0]), relationOf(row, counters)]));
}

function relationOf(row: readonly Cell[], counters: "transaction" | "database"): ObservedRelation {
  const [oid, kind, filenode, name, ownScans, ownRows, allScans, allRows, isEmpty] = row;
  const isOwn = counters === "transaction";
  return {
    oid: String(oid),
    kind: String(kind),
    name: String(name),
    filenode: String(filenode),
    scans: Number(isOwn ? ownScans : allScans),
    rows: Number(isOwn ? ownRows : allRows),
    isEmpty: isEmpty === "t",
  };
}

/** The relation locks of the session `processId`. What is no table lock's mode (`SIReadLock`) keeps nobody out. */
export async function seeLocks(
  connection: Connection,
  processId: number,
  home: string,
): Promise<readonly SeenLock[]> {
  const rows = await selectLocks(connection, processId, home);
  return rows.flatMap(([oid, text, name]) => {
    const mode = LOCK_MODES.find((one) => one === text);
    return mode === undefined ? [] : [{ oid: String(oid), mode, name: name ?? undefined }];
  });
}

/** What happened between two observations to the relations in `known`. */
export function effectsBetween(
  before: Observation,
  after: Observation,
  locks: readonly SeenLock[],
  known: ReadonlySet<string>,
): StatementEffects {
  const relations = [...before.values()].filter(({ oid }) => known.has(oid));
  const successors = successorsOf(before, after);
  const isRewritten = ({ oid, kind, filenode }: ObservedRelation): boolean => {
    const now = after.get(oid) ?? after.get(successors.get(oid) ?? "");
    return /^[rmi]$/.test(kind) && now !== undefined && now.filenode !== filenode;
  };
  // An index counts its own scans, which are no reading from end to end. `truncate` builds the indexes of what it has
  // emptied: a scan that returns nothing from new storage, unless there was nothing to begin with.
  const isScanned = ({ oid, kind, filenode, scans, rows, isEmpty }: ObservedRelation): boolean => {
    const now = after.get(oid);
    if (!/^[rm]$/.test(kind) || now === undefined || now.scans === scans) return false;
    return now.rows > rows || now.filenode === filenode || isEmpty;
  };
  return {
    locks: strongest(relations, locks),
    rewrites: namesOf(relations.filter(isRewritten)),
    scans: namesOf(relations.filter(isScanned)),
  };
}

/**
 * Relations that one statement dropped and made again under the same name, as `alter column … type` does with indexes:
 * their old OIDs and their new ones.
 */
export function successorsOf(before: Observation, after: Observation): ReadonlyMap<string, string> {
  const fresh = new Map<string, string>();
  for (const { oid, name } of after.values()) if (!before.has(oid)) fresh.set(name, oid);
  const successors = new Map<string, string>();
  for (const { oid, name } of before.values()) {
    const successor = after.has(oid) ? undefined : fresh.get(name);
    if (successor !== undefined) successors.set(oid, successor);
  }
  return successors;
}

function strongest(
  relations: readonly ObservedRelation[],
  locks: readonly SeenLock[],
): readonly StatementLock[] {
  const modes = new Map<string, LockMode>();
  for (const { oid, mode } of locks) {
    modes.set(oid, strongerOf(modes.get(oid) ?? mode, mode));
  }
  return relations
    .flatMap(({ oid, name }) => {
      const mode = modes.get(oid);
      return mode === undefined ? [] : [{ relation: name, mode }];
    })
    .sort((left, right) => compare(left.relation, right.relation));
}

function namesOf(relations: readonly ObservedRelation[]): readonly string[] {
  return relations.map(({ name }) => name).sort(compare);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
