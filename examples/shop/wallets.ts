import { type IsolationLevel, isPlinthError, subtract } from "plinth";
import type { ShopDatabase } from "./db.ts";
import * as schema from "./schema.ts";

export interface Transfer {
  readonly fromId: string;
  readonly toId: string;
  readonly amountCents: bigint;
}

export class InsufficientFunds extends Error {
  constructor() {
    super("there is not enough money in the wallet");
  }
}

/** Money moves whole, or not at all. */
export function walletsOn(db: ShopDatabase) {
  const wallets = db.repository(schema.wallets);
  const transfers = db.repository(schema.transfers);

  return Object.freeze({
    open: (owner: string, balanceCents = 0n) => wallets.create({ owner, balanceCents }),
    balance: async (id: string) => (await wallets.get(id)).balanceCents,
    /**
     * Right at every isolation level. Where another transfer was in the way it runs again by itself. The wallet with the
     * lower id is written first, so that two transfers in opposite directions do not wait for each other.
     *
     * @throws {InsufficientFunds} and nothing has moved.
     */
    transfer: ({ fromId, toId, amountCents }: Transfer, isolation: IsolationLevel = "read committed") =>
      db.transaction(
        async () => {
          const take = () =>
            wallets
              .update(
                fromId,
                { balanceCents: subtract(amountCents) },
                { where: { balanceCents: { gte: amountCents } }, returning: false },
              )
              .catch((error: unknown) => {
                throw isPlinthError(error) && error.code === "CONDITION_FAILED"
                  ? new InsufficientFunds()
                  : error;
              });
          const give = () => wallets.increment(toId, { balanceCents: amountCents }, { returning: false });
          for (const step of fromId < toId ? [take, give] : [give, take]) await step();
          return transfers.create({ fromId, toId, amountCents });
        },
        { isolation, timeoutMs: 5_000 },
      ),
  });
}
