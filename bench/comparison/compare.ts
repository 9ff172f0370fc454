/** Checks that everybody gives the same rows, then lets them take turns. */
import { figuresOf, interleave, type Plan, type Result } from "../rounds.ts";
import type { Turn, TurnPlan } from "../turn.ts";
import type { Arena } from "./arena.ts";
import { UNIT } from "./contestants.ts";
import { hasPgbench, PGBENCH, PGBENCH_OPERATION, pgbenchTurn } from "./pgbench.ts";
import type { Process } from "./team.ts";
import type { Comparison } from "./workloads.ts";

/** A subject that is running. */
export interface Player {
  readonly name: string;
  readonly process: Process;
  /** Names of the workloads that it takes part in. */
  readonly workloads: ReadonlySet<string>;
}

export interface Race {
  readonly arena: Arena;
  readonly players: readonly Player[];
  readonly plan: Plan;
  /** Somebody gave other rows, or failed: the run goes on without them and fails in the end. */
  failed(problem: string): void;
}

/** Calls whose answers are compared; half of them one by one, half at once. */
const CHECKED_CALLS = 24;

export async function compare(workload: Comparison, race: Race): Promise<readonly Result[]> {
  await race.arena.setDurable(workload.isDurable);
  const players = await whoAgree(workload, race);
  const byName = new Map(players.map((player) => [player.name, player]));
  await warmUp(byName, workload, race);
  const results: Result[] = [];
  for (const concurrency of workload.concurrencies) {
    const names = [...byName.keys(), ...(isMeasured(workload) ? [PGBENCH] : [])];
    const turns = await interleave(names, race.plan.rounds, {
      turn: async (name) => {
        if (name === PGBENCH) return yardstick(race, concurrency);
        const { turnMs: durationMs, leadInMs } = race.plan;
        return turnOf(name, byName, workload, race, { concurrency, durationMs, leadInMs });
      },
      afterRound: async () => {
        if (workload.effect !== undefined) await race.arena.reset();
      },
    });
    results.push({ name: workload.name, concurrency, subjects: figuresOf(turns, UNIT) });
  }
  return results;
}

/** Whether the yardstick has a mark there. */
function isMeasured({ operation, beside }: Comparison): boolean {
  return operation === PGBENCH_OPERATION && beside === undefined && hasPgbench();
}

async function yardstick({ arena, failed }: Race, concurrency: number): Promise<Turn | undefined> {
  try {
    return await pgbenchTurn(arena, concurrency);
  } catch (error) {
    failed(`${PGBENCH}, ${concurrency} in flight: ${String(error)}`);
    return undefined;
  }
}

const WARM_UP_CONCURRENCY = 10;

async function warmUp(players: Map<string, Player>, workload: Comparison, race: Race): Promise<void> {
  const plan = { concurrency: WARM_UP_CONCURRENCY, durationMs: race.plan.warmUpMs, leadInMs: 0 };
  for (const name of players.keys()) await turnOf(name, players, workload, race, plan);
  if (workload.effect !== undefined) await race.arena.reset();
}

/** The turn of a player, who is out of the workload after a failure. */
async function turnOf(
  name: string,
  players: Map<string, Player>,
  { name: workload }: Comparison,
  { failed }: Race,
  plan: TurnPlan,
): Promise<Turn | undefined> {
  try {
    return await players.get(name)?.process.ask<Turn>({ kind: "turn", subject: name, workload, plan });
  } catch (error) {
    players.delete(name);
    failed(`${workload}, ${plan.concurrency} in flight: ${String(error)}`);
    return undefined;
  }
}

/** Those whose answers, and what they left in the tables, are those of the unit. */
async function whoAgree(workload: Comparison, race: Race): Promise<readonly Player[]> {
  const able = race.players.filter(({ workloads }) => workloads.has(workload.name));
  const unit = able.find(({ name }) => name === UNIT);
  if (unit === undefined) throw new Error(`${UNIT} takes no part in ${workload.name}`);
  const right = await outcome(unit, workload, race.arena);
  if (new Set(right).size < 2 && workload.operation !== "fortunes") {
    throw new Error(`the checked calls of ${workload.name} all give the same rows: nothing is compared`);
  }
  const agreeing: Player[] = [];
  for (const player of able) {
    const problem = player === unit ? undefined : await disagreement(player, workload, race.arena, right);
    if (problem === undefined) agreeing.push(player);
    else race.failed(`${workload.name}: ${problem}`);
  }
  return agreeing;
}

async function disagreement(
  player: Player,
  workload: Comparison,
  arena: Arena,
  right: readonly string[],
): Promise<string | undefined> {
  try {
    const own = await outcome(player, workload, arena);
    const at = right.findIndex((text, index) => text !== own[index]);
    return at < 0 ? undefined : `${player.name} gives other rows\n${firstDifference(right[at], own[at])}`;
  } catch (error) {
    return String(error);
  }
}

/** The answers of the checked calls and, where they write, the rows that they left. */
async function outcome(player: Player, workload: Comparison, arena: Arena): Promise<readonly string[]> {
  const question = { subject: player.name, workload: workload.name, calls: CHECKED_CALLS } as const;
  const answers = await player.process.ask<readonly string[]>({ kind: "check", ...question });
  if (workload.effect === undefined) return answers;
  const left = await arena.effect(workload.effect);
  await arena.reset();
  return [...answers, left];
}

const SHOWN = 200;

function firstDifference(right = "", own = ""): string {
  let at = 0;
  while (at < right.length && right[at] === own[at]) at++;
  const from = Math.max(0, at - SHOWN / 2);
  return `  expected …${right.slice(from, at + SHOWN)}…\n  given    …${own.slice(from, at + SHOWN)}…`;
}
