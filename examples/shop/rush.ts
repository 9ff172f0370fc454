import { type IsolationLevel, isPlinthError } from "plinth";
import type { ShopDatabase } from "./db.ts";
import * as schema from "./schema.ts";
import { InsufficientFunds, walletsOn } from "./wallets.ts";

const WORKERS = 32;
const WALLETS = 10;
const START_CENTS = 100_000n;

export interface Rush {
  readonly isolation: IsolationLevel;
  readonly forMs: number;
}

export interface RushResult {
  readonly done: number;
  readonly refused: number;
  /** Transfers that met others each time they were run. */
  readonly exhausted: number;
  /** What the wallets hold now, less what they held. */
  readonly difference: bigint;
  /** Anything else. */
  readonly failures: readonly unknown[];
}

/** 32 workers move random amounts between ten wallets until the time is over. */
export async function rush(db: ShopDatabase, { isolation, forMs }: Rush): Promise<RushResult> {
  const wallets = walletsOn(db);
  const rows = db.repository(schema.wallets);
  const opened = await Promise.all(
    Array.from({ length: WALLETS }, () => wallets.open(crypto.randomUUID(), START_CENTS)),
  );
  const ids = opened.map(({ id }) => id);
  let [done, refused, exhausted] = [0, 0, 0];
  const failures: unknown[] = [];
  const below = (n: number) => Math.floor(Math.random() * n);
  const work = async () => {
    for (const startedAt = performance.now(); performance.now() - startedAt < forMs; ) {
      const from = below(WALLETS);
      const to = (from + 1 + below(WALLETS - 1)) % WALLETS;
      const transfer = {
        fromId: ids[from] ?? "",
        toId: ids[to] ?? "",
        amountCents: BigInt(1 + below(60_000)),
      };
      try {
        await wallets.transfer(transfer, isolation);
        done += 1;
      } catch (error) {
        if (error instanceof InsufficientFunds) refused += 1;
        else if (isPlinthError(error) && error.code === "RETRIES_EXHAUSTED") exhausted += 1;
        else failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  const now = (await rows.findMany(ids)).reduce((sum, row) => sum + (row?.balanceCents ?? 0n), 0n);
  return { done, refused, exhausted, difference: now - START_CENTS * BigInt(WALLETS), failures };
}
