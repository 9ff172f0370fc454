import type { Catalog } from "../../catalog/index.ts";
import type { MigrationError } from "../../errors/index.ts";
import { directivesOf } from "../directives.ts";
import type { MigrationFile } from "../migration-file.ts";
import { type AppliedUp, type Attempt, attempt, failureOf, fill, type ProofGround } from "./attempt.ts";
import { failed, findingsOfWayBack } from "./findings.ts";
import type { ProofFinding, ProofKind } from "./report.ts";
import { countRows } from "./row-print.ts";
import { plantRows, takeRows } from "./transplant.ts";

/** What is known of a migration once it was proven. */
export interface ProvenFile {
  readonly proof: ProofKind;
  readonly findings: readonly ProofFinding[];
  /** The state after `up`; undefined when it cannot run, which ends the chain. */
  readonly up: AppliedUp | undefined;
  /** The stage holds the state after `up`, with rows; otherwise it has to be built anew. */
  readonly isStageKept: boolean;
  /** Tables that held rows, and how many. */
  readonly tables: number;
  readonly rows: number;
}

/** Where a file stands. */
export interface Place {
  readonly file: MigrationFile;
  readonly index: number;
  readonly before: Catalog;
}

/**
 * Proves one migration: first with rows from before `up` and more from after it. When `up` refuses the rows, again
 * without them, which tells a file that never runs from one that some rows stop; the rows made after its `up` then show
 * whether any rows at all can pass. When `down` refuses, again without those that only the new schema let in.
 */
export async function proveOne(ground: ProofGround, place: Place): Promise<ProvenFile> {
  const { file, index, before } = place;
  const { stage } = ground;
  const counted = await countRows(stage.connection, before);
  let hasRows = [...counted.values()].some((count) => count > 0);
  let fillsBetween = true;
  let upFailure: MigrationError | undefined;
  let downFailure: MigrationError | undefined;
  for (;;) {
    const result = await attempt(ground, { file, before, fillsBetween });
    if (result.end === "up" && hasRows) {
      upFailure = result.error;
      hasRows = false;
      await stage.rebuild(index);
    } else if (result.end === "down" && fillsBetween) {
      downFailure = result.error;
      fillsBetween = false;
      await stage.rebuild(index);
      if (hasRows) await fill(ground, before, file.version, []);
    } else {
      const hasFitting = upFailure !== undefined && (await passesWithFittingRows(ground, place, result));
      const counts = [...counted.values()].filter((count) => count > 0);
      const findings = await findingsOf(place, result, { upFailure, downFailure, hasFitting });
      const rows = counts.reduce((sum, count) => sum + count, 0);
      const ended = outcome(file, result);
      const isStageKept = ended.isStageKept && (upFailure === undefined || file.down !== undefined);
      const proof = findings.some(({ level }) => level === "error") ? "failed" : ended.proof;
      return { ...ended, proof, isStageKept, findings, tables: counts.length, rows };
    }
  }
}

interface Tried {
  readonly upFailure: MigrationError | undefined;
  readonly downFailure: MigrationError | undefined;
  /** Up passed with rows that fit what it asks for. */
  readonly hasFitting: boolean;
}

function outcome(file: MigrationFile, result: Attempt): Pick<ProvenFile, "proof" | "up" | "isStageKept"> {
  if (result.end !== "done") return { proof: "failed", up: result.up, isStageKept: false };
  const isClean = result.back === undefined || result.back.down.length + result.back.again.length === 0;
  return { proof: file.down === undefined ? "up" : "up-down-up", up: result.up, isStageKept: isClean };
}

async function findingsOf(place: Place, result: Attempt, tried: Tried): Promise<readonly ProofFinding[]> {
  const { file } = place;
  const level = directivesOf(file).irreversible.length > 0 ? "warning" : "error";
  const findings: ProofFinding[] = [];
  const { upFailure, downFailure, hasFitting } = tried;
  if (result.end === "up") {
    const what = upFailure === undefined ? "up fails" : "up fails, with rows in the tables and without";
    return [failed("up-fails", "error", file, result.error, what)];
  }
  if (upFailure !== undefined) findings.push(upFailsWithRows(file, upFailure, hasFitting));
  if (result.end === "down") {
    return [...findings, failed("down-fails", level, file, result.error, "down fails")];
  }
  if (downFailure !== undefined) {
    const what = "down fails with rows that only the new schema lets in; without them it runs";
    findings.push(failed("down-fails-with-rows", "warning", file, downFailure, what));
  }
  if (result.back !== undefined) findings.push(...(await findingsOfWayBack(file, result.back)));
  // What down left behind explains it; and where the first try had to go without rows, it shows that no rows pass.
  const isExplained = upFailure !== undefined || (result.back?.down.length ?? 0) > 0;
  if (result.end === "up-again" && !isExplained) {
    findings.push(failed("up-again-fails", level, file, result.error, "up fails after up and down"));
  }
  return findings;
}

function upFailsWithRows(file: MigrationFile, error: MigrationError, hasFitting: boolean): ProofFinding {
  return hasFitting
    ? failed(
        "up-fails-with-rows",
        "warning",
        file,
        error,
        "up fails when rows do not fit what it asks for; rows that fit pass",
      )
    : failed(
        "up-fails-with-rows",
        "error",
        file,
        error,
        "up fails on tables with rows; on empty ones it runs",
      );
}

/**
 * After `up` was refused with rows and ran without: whether it runs with rows that fit the schema it leads to. A way back
 * has shown that by the second `up`; without one such rows are made, and put into the schema of before.
 */
async function passesWithFittingRows(ground: ProofGround, place: Place, result: Attempt): Promise<boolean> {
  if (result.end === "done" && result.back !== undefined) {
    return [...result.back.added.values()].some((count) => count > 0);
  }
  if (result.end === "up" || result.end === "up-again") return false;
  const { stage, schemaName } = ground;
  const { file, index, before } = place;
  if (result.end === "down") {
    await stage.rebuild(index);
    await stage.run(file, "up");
  }
  await fill(ground, result.up.catalog, file.version, result.up.differences);
  const taken = await takeRows(stage.connection, before, result.up.catalog);
  await stage.rebuild(index);
  if ((await plantRows(stage.connection, schemaName, taken)) === 0) return false;
  return (await failureOf(ground, stage.run(file, "up"))) === undefined;
}
