/** What only Plinth does, or does beside a line or two of others: in this process, on a server that is not durable. */
import { openContenders } from "./contenders.ts";
import { prepareGround } from "./ground.ts";
import { measurePairs } from "./pairs.ts";
import { measure, type Plan, type Result } from "./rounds.ts";
import { connections } from "./workloads/connections.ts";
import { copy } from "./workloads/copy.ts";
import { createMany } from "./workloads/create-many.ts";
import { generate } from "./workloads/generate.ts";
import { historyOfMany, historyOfOne, softDeleteOnPage, softDeleteOnRead } from "./workloads/history.ts";
import { lint } from "./workloads/lint.ts";
import { migrateUp } from "./workloads/migrate-up.ts";

export interface OwnOptions {
  readonly plan: Plan;
  /** Workloads whose name holds this text. */
  readonly only: string;
  onResult(result: Result): void;
}

export async function runOwn({ plan, only, onResult }: OwnOptions): Promise<void> {
  const ground = await prepareGround();
  try {
    const contenders = await openContenders(ground);
    try {
      const workloads = [
        // Commands have a process of their own; after all the others this one is worth half of a new one.
        migrateUp,
        generate,
        lint,
        connections,
        createMany,
        copy,
        historyOfOne,
        historyOfMany,
        softDeleteOnRead,
        softDeleteOnPage,
      ].map((make) => make(contenders));
      for (const workload of workloads.filter(({ name }) => name.includes(only))) {
        try {
          for (const concurrency of workload.concurrencies) {
            const { contest } = workload;
            if (contest === undefined) {
              onResult(await measure(workload, concurrency, plan));
            } else {
              // Pairs are as long in every plan, so a plan of shorter turns has fewer of them.
              const count = Math.ceil((plan.rounds * contest.pairsPerRound * plan.turnMs) / 1_000);
              onResult(await measurePairs({ ...workload, contest }, concurrency, count));
            }
          }
        } finally {
          await workload.close?.();
        }
      }
    } finally {
      await contenders.close();
    }
  } finally {
    await ground.close();
  }
}
