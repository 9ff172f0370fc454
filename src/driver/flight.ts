import type { Field, Outcome, StatementCall } from "./connection.ts";
import { Exchange, type Reply } from "./exchange.ts";
import type { PreparedStatement, PreparedStatements } from "./prepared-statements.ts";
import type { Sender } from "./sender.ts";

/** What the answer of one statement will look like. */
interface Expected {
  readonly prepared: PreparedStatement | undefined;
  readonly isBinary: boolean;
}

export interface FlightOptions {
  readonly isPipelined?: boolean;
  /** Its first statement is a BEGIN that goes before the caller's. */
  readonly startsTransaction?: boolean;
  /**
   * A pooler may give each transaction another session of the server, which may not know a name. Outside a transaction
   * the statement is then prepared again; inside, the refusal would be the transaction's end, so no name is used there.
   */
  readonly isPooled?: boolean;
}

/** Several statements by the extended protocol under one Sync: one round trip, one implicit transaction. */
export class Flight extends Exchange {
  readonly #calls: readonly StatementCall[];
  readonly #statements: PreparedStatements;
  readonly startsTransaction: boolean;
  readonly #isPooled: boolean;
  readonly #expected: Expected[] = [];
  /** The names of the Parse messages sent, in order; empty for one-off texts. */
  readonly #parses: string[] = [];

  constructor(calls: readonly StatementCall[], statements: PreparedStatements, options: FlightOptions = {}) {
    super(options.isPipelined);
    this.startsTransaction = options.startsTransaction === true;
    this.#isPooled = options.isPooled === true;
    this.#calls = calls;
    this.#statements = statements;
  }

  override send(sender: Sender): void {
    const isNameless = this.#isPooled && (this.startsTransaction || this.startedIn !== "idle");
    for (const call of this.#calls) this.#sendOne(sender, isNameless ? { ...call, name: undefined } : call);
    sender.sync();
    this.#expectAnswer(0);
  }

  /** It opened a transaction with its first statement, and nothing but its own statements ran in that. */
  hasOnlyBegun(reply: Reply): boolean {
    return this.startsTransaction && reply.kind === "refused" && reply.index >= 1;
  }

  #sendOne(sender: Sender, call: StatementCall): void {
    const { name = "", text, rows } = call;
    let prepared = name === "" ? undefined : this.#statements.find(name, text);
    if (prepared === undefined) {
      if (name !== "") prepared = this.#announce(sender, name, text);
      sender.parse(name, text);
      this.#parses.push(name);
    }
    const reader =
      rows === undefined || !sender.readsBinary || prepared === undefined
        ? undefined
        : prepared.fitting(rows);
    this.#expected.push({ prepared, isBinary: reader !== undefined });
    sender.bind(call, prepared, reader);
    if (prepared?.fields === undefined) sender.describe();
    sender.execute();
  }

  #announce(sender: Sender, name: string, text: string): PreparedStatement {
    const { statement, evicted } = this.#statements.add(name, text);
    for (const old of evicted) sender.close(old);
    // Closing a name that does not exist is no error, and it makes a leftover of the same name harmless.
    sender.close(name);
    return statement;
  }

  #expectAnswer(index: number): void {
    this.expect(this.#calls[index]?.rows, this.#expected[index]?.isBinary === true);
  }

  protected override fieldsOf(index: number): readonly Field[] | undefined {
    return this.#expected[index]?.prepared?.fields;
  }

  protected override onOutcome(index: number, outcome: Outcome): void {
    const prepared = this.#expected[index]?.prepared;
    if (prepared !== undefined) prepared.fields ??= outcome.fields;
    if (index + 1 < this.#calls.length) this.#expectAnswer(index + 1);
  }

  protected override onRefusal(parsed: number, sqlstate: string | undefined): void {
    for (const name of this.#parses.slice(parsed)) this.#statements.forget(name);
    // The server no longer has a name (26000), or its shape changed (0A000): prepare all of them anew.
    if (sqlstate === "26000" || sqlstate === "0A000" || sqlstate === "42P05") {
      for (const call of this.#calls) this.#statements.forget(call.name ?? "");
    }
  }

  /**
   * While it waits for rows the server passes over Sync, so it gets another one. With a statement behind the COPY it
   * fails at that statement's first message by itself, and the Sync is still to come.
   */
  protected override refuseCopy(sender: Sender, index: number): void {
    if (index + 1 < this.#calls.length) return;
    sender.failCopy("copy from stdin is not offered by this call");
    sender.sync();
  }
}

/** A text of several statements by the simple protocol. */
export class Script extends Exchange {
  readonly #text: string;

  constructor(text: string) {
    super();
    this.#text = text;
  }

  override send(sender: Sender): void {
    sender.query(this.#text);
  }

  protected override refuseCopy(sender: Sender): void {
    sender.failCopy("copy from stdin is not offered by this call");
  }
}
