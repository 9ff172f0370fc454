import type { ParsedStatement } from "../../parse-sql.ts";
import { commentedTable, namedIn, reachesFar } from "../about-new.ts";
import type { RelationName } from "../catalog-view.ts";
import type { Expected } from "./live-view.ts";
import { type Changed, type Reach, reachOf } from "./reach.ts";

/** How many statements are looked at in advance. */
const AHEAD_LIMIT = 50;

interface Coming {
  readonly reach: Reach;
  readonly names: readonly RelationName[];
  readonly isFar: boolean;
}

/** The statements of a section that are still to come, and what the ones before have left in doubt. */
export class Lookahead {
  #statements: readonly ParsedStatement[] = [];
  #coming: (Coming | undefined)[] = [];
  #at = 0;
  /** Something may have changed that nobody saw: the next change of the catalog makes everything forgotten. */
  #isDoubtful = false;
  /** Of the whole walk: functions outlive the section that makes them. */
  #hasCode = false;

  begin(statements: readonly ParsedStatement[]): void {
    this.#statements = statements;
    this.#coming = [];
    this.#at = 0;
    this.#isDoubtful = false;
  }

  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** The statement has happened. */
  pass(statement: ParsedStatement): void {
    if (this.#statements[this.#at] === statement) this.#at += 1;
  }

  /** What has to be forgotten when the statement happens; if it fails, no less. */
  forgottenBy(statement: ParsedStatement): "nothing" | "everything" | Changed {
    const reach = reachOf(statement);
    if (reach === "code") this.#hasCode = true;
    const isForgotten = this.#isForgotten(reach, this.#isDoubtful);
    this.#isDoubtful = this.#isDoubtfulAfter(reach, this.#isDoubtful);
    if (isForgotten) return "everything";
    return typeof reach === "string" ? "nothing" : reach;
  }

  #isForgotten(reach: Reach, isDoubtful: boolean): boolean {
    return reach === "everything" || reach === "code" || (isDoubtful && typeof reach !== "string");
  }

  #isDoubtfulAfter(reach: Reach, isDoubtful: boolean): boolean {
    if (reach === "calls" || (reach === "rows" && this.#hasCode)) return true;
    return isDoubtful && !this.#isForgotten(reach, isDoubtful);
  }

  /** What the next statements name, up to the first after which everything is forgotten. */
  expected(): Expected {
    const names: RelationName[] = [];
    const withNeighbours: RelationName[] = [];
    let isDoubtful = this.#isDoubtful;
    for (let at = this.#at; at < Math.min(this.#at + AHEAD_LIMIT, this.#statements.length); at++) {
      const coming = this.#look(at);
      if (coming === undefined) break;
      (coming.isFar ? withNeighbours : names).push(...coming.names);
      if (this.#isForgotten(coming.reach, isDoubtful)) break;
      isDoubtful = this.#isDoubtfulAfter(coming.reach, isDoubtful);
    }
    return { names, withNeighbours };
  }

  #look(at: number): Coming | undefined {
    const statement = this.#statements[at];
    if (statement === undefined) return undefined;
    const coming = this.#coming[at] ?? {
      reach: reachOf(statement),
      names: [...namedIn(statement.tree), ...commentedTable(statement.tree)],
      isFar: reachesFar(statement.tree),
    };
    this.#coming[at] = coming;
    return coming;
  }
}
