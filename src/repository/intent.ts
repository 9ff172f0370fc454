import type { Outcome, StatementCall } from "../driver/index.ts";
import type { Actor } from "../sql/index.ts";
import type { Place } from "../transaction/index.ts";

type AnyRow = Record<string, unknown>;

/** The statements of a call and how their answers become its result. */
export interface Intent<T> {
  /** Nearly always one. Several travel as one flight, all or nothing; none when there is nothing to ask. */
  readonly calls: readonly StatementCall[];
  /** Shown by `toSQL()` only, so it is worked out when it is asked for. */
  readonly additions: readonly Addition[];
  /** The texts of statements that follow once the first answer has named their keys. */
  readonly later?: readonly string[] | undefined;
  /** Its first answer, without a row, can turn out to be a failure, which has to undo what else is in a batch. */
  readonly mayRefuse?: boolean;
  /** It keeps rows for the transaction it is in, and is of no use outside one. */
  readonly isLocking?: boolean;
  /**
   * The same statements, with a first one that the server itself fails where it finds no row (see `guardOf`). Absent where it
   * cannot have such a guard.
   */
  readonly guarded?: readonly StatementCall[] | undefined;
  /** It changes nothing, so there is nothing of it to undo. */
  readonly isRead?: boolean;
  /** The text is the application's own, as it stands. */
  readonly isOwnSql?: boolean;
  /** What it asks for later belongs to what its statements began: all of them are one transaction. */
  readonly needsTransaction?: boolean;
  /** Set where it reads one row by its key. */
  readonly keyed?: (KeyedRead & { finish(row: AnyRow | undefined): T }) | undefined;
  /** May ask for what the first answer could not tell. */
  read(outcomes: readonly Outcome[], ask: Ask): T | Promise<T>;
  /** What an error of its statements is to who called it, where it can say more than the server. */
  failed?(error: unknown): unknown;
}

/** Sends further statements of a call to where its first one ran: one round trip for all of them. */
export type Ask = (calls: readonly StatementCall[]) => Promise<readonly Outcome[]>;

/** What a behaviour added to a call, as SQL. */
export interface Addition {
  readonly behaviour: string;
  readonly sql: string;
}

/** A read of one row by its key, which may travel with others like it. */
export interface KeyedRead {
  /** What the others must have too: the same shape of the same entity. */
  readonly family: KeyedFamily;
  /** The key as it travels, in the one form that PostgreSQL writes it in. */
  readonly key: string;
  readonly actor: Actor | undefined;
}

/** Reads by key that one statement can do. */
export interface KeyedFamily {
  /** The rows of any number of keys, by the text of their key. One round trip. */
  read(
    keys: readonly string[],
    runner: QueryRunner,
    actor: Actor | undefined,
  ): Promise<ReadonlyMap<string, AnyRow>>;
}

/** How a query's statements reach the server: the unit of work. */
export type QueryRunner = Place;
