import { setTimeout as sleep } from "node:timers/promises";
import {
  ConfigError,
  isConnectionError,
  PlinthError,
  SafetyError,
  SeedError,
  StatementError,
} from "../errors/index.ts";
import type { Seed, SeedDatabase, SeedKind } from "./seed.ts";

/** `pg_locks.classid` and `objid` of the lock between seeding processes: "plin" as a number, and a 1. */
const LOCK_CLASS = 1_886_153_070;
const LOCK_NUMBER = 1;

export const SEED_WAIT_MS_DEFAULT = 300_000;
const POLL_MS = 100;

/** What seeding tells while it works. */
export type SeedProgress =
  | { readonly kind: "started"; readonly seed: string }
  /** Another process seeds this database. */
  | { readonly kind: "waiting"; readonly seed: string }
  | { readonly kind: "finished"; readonly seed: string; readonly durationMs: number };

export interface RunSeedsOptions<D extends SeedDatabase> {
  readonly database: D;
  readonly seeds: readonly Seed<D>[];
  /** Only seeds of this kind run. */
  readonly kind: SeedKind;
  /** Dev seeds are refused in production. @default process.env.NODE_ENV === "production" */
  readonly isProduction?: boolean | undefined;
  /** @default false */
  readonly allowInProduction?: boolean | undefined;
  /** The longest wait for another seeding process. @default 300_000 */
  readonly waitMs?: number | undefined;
  /** Stops before the next seed, or while waiting. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SeedProgress) => void) | undefined;
}

/** One seed that was run. */
export interface RanSeed {
  readonly name: string;
  readonly kind: SeedKind;
  readonly durationMs: number;
}

/**
 * Runs the seeds of one kind in the order given, each in a transaction of its own that also holds a lock, so
 * that processes which seed at the same time do so one after another. A seed that fails leaves nothing behind;
 * those before it stay.
 *
 * Round trips: begin, the lock and commit besides those of the seed.
 *
 * @throws {SAFETY_REFUSED} for dev seeds in production without `allowInProduction`.
 * @throws {SEED_FAILED} with the seed's name, when it throws or waits longer than `waitMs`.
 */
export async function runSeeds<D extends SeedDatabase>(
  options: RunSeedsOptions<D>,
): Promise<readonly RanSeed[]> {
  const { seeds, kind, signal } = options;
  refuseInProduction(options);
  const chosen = seeds.filter((seed) => seed.kind === kind);
  refuseSharedNames(chosen);
  const ran: RanSeed[] = [];
  for (const seed of chosen) {
    if (signal?.aborted === true) throw interrupted();
    ran.push(await runSeed(options, seed));
  }
  return ran;
}

async function runSeed<D extends SeedDatabase>(options: RunSeedsOptions<D>, seed: Seed<D>): Promise<RanSeed> {
  const { database, waitMs = SEED_WAIT_MS_DEFAULT, signal, onProgress = () => undefined } = options;
  onProgress({ kind: "started", seed: seed.name });
  const start = performance.now();
  let isWaiting = false;
  while (!(await tryOnce(database, seed))) {
    if (performance.now() - start >= waitMs) throw stillLocked(seed);
    if (!isWaiting) onProgress({ kind: "waiting", seed: seed.name });
    isWaiting = true;
    await sleep(POLL_MS * (0.5 + Math.random()), undefined, { signal }).catch(() => {
      throw interrupted();
    });
  }
  const durationMs = Math.round(performance.now() - start);
  onProgress({ kind: "finished", seed: seed.name, durationMs });
  return { name: seed.name, kind: seed.kind, durationMs };
}

/**
 * True once the seed ran; false when another process holds the lock. Trying instead of waiting keeps the other
 * one's concurrent index build, and our own lock_timeout, out of it.
 */
async function tryOnce<D extends SeedDatabase>(database: D, seed: Seed<D>): Promise<boolean> {
  try {
    return await database.transaction(async () => {
      const rows =
        await database.sql`select pg_try_advisory_xact_lock(${LOCK_CLASS}::int4, ${LOCK_NUMBER}::int4) as locked`;
      const [row] = rows;
      const isOurs = row !== undefined && "locked" in row && row.locked === true;
      if (isOurs) await seed.run(database);
      return isOurs;
    });
  } catch (error) {
    throw seedFailure(seed, error);
  }
}

function seedFailure(seed: Seed<never>, error: unknown): Error {
  // A server that is away is no fault of the seed.
  if (isConnectionError(error)) return error;
  return new SeedError(seed.name, `seed "${seed.name}" failed: ${reasonOf(error)}`, {
    hint: "Everything it wrote was rolled back. Correct it and run the command again.",
    cause: error,
  });
}

/** Texts of errors made by query builders quote parameters; of the language's own errors they do not. */
function reasonOf(error: unknown): string {
  if (error instanceof PlinthError) return error.summary;
  if (!(error instanceof Error)) return "it threw something that is no error";
  const isOwn = ["Error", "TypeError", "RangeError", "ReferenceError", "SyntaxError"].includes(
    error.constructor.name,
  );
  return isOwn ? error.message : error.constructor.name;
}

function refuseInProduction<D extends SeedDatabase>(options: RunSeedsOptions<D>): void {
  const isProduction = options.isProduction ?? process.env.NODE_ENV === "production";
  if (options.kind !== "dev" || !isProduction || options.allowInProduction === true) return;
  throw new SafetyError(
    "dev seeds are refused in production: their users and passwords are known to everybody",
    {
      hint: "Use reference seeds for rows production needs, or say that you mean it: plinth seed dev --allow-production DATABASE.",
    },
  );
}

function refuseSharedNames(seeds: readonly Seed<never>[]): void {
  const names = new Set<string>();
  for (const { name } of seeds) {
    if (names.has(name))
      throw new ConfigError(`two seeds are named "${name}"; rename one`, { path: "seeds" });
    names.add(name);
  }
}

function stillLocked(seed: Seed<never>): SeedError {
  return new SeedError(
    seed.name,
    `seed "${seed.name}" did not start: another process is seeding this database`,
    {
      hint: "Wait for it and run the command again.",
    },
  );
}

function interrupted(): StatementError {
  return new StatementError(
    "QUERY_CANCELED",
    "interrupted between seeds",
    { sqlstate: "57014" },
    { hint: "Run the command again: seeds that are done find nothing to do." },
  );
}
