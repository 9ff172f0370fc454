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
        connections,
        createMany,
        copy,
        historyOfOne,
        historyOfMany,
        softDeleteOnRead,
        softDeleteOnPage,
        migrateUp,
        generate,
        lint,
      ].map((make) => make(contenders));
      for (const workload of workloads.filter(({ name }) => name.includes(only))) {
        try {
          for (const concurrency of workload.concurrencies) {
            const { contest } = workload;
            onResult(
              contest === undefined
                ? await measure(workload, concurrency, plan)
                : await measurePairs(
                    { ...workload, contest },
                    concurrency,
                    plan.rounds * contest.pairsPerRound,
                  ),
            );
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
