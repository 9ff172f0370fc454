import type { Duplex } from "node:stream";
import type { Cell, Parameter, RowReader, StatementCall } from "./connection.ts";
import { type Exchange, isServerReport, readTag, reportOf } from "./exchange.ts";
import type { PreparedStatement } from "./prepared-statements.ts";
import type { Sender } from "./sender.ts";

/** What Plinth uses of `pg`'s wire connection, where `pg` frames and parses the messages. */
export interface PgWire {
  readonly stream: Duplex;
  // biome-ignore lint/suspicious/noExplicitAny: each event of `pg` has a message of its own shape
  on(event: string, listener: (message: any) => void): unknown;
  query(text: string): void;
  parse(message: { name: string; text: string; types: string[] }, more: boolean): void;
  bind(message: { statement: string; values: Parameter[] }, more: boolean): void;
  describe(message: { type: string; name: string }, more: boolean): void;
  execute(message: null, more: boolean): void;
  close(message: { type: string; name: string }, more: boolean): void;
  flush(): void;
  sync(): void;
  /** These are missing in the types only. */
  endCopyFrom?(): void;
  sendCopyFail?(reason: string): void;
}

const NO_TYPES: string[] = [];

/** Sends by `pg`. */
class PgSender implements Sender {
  readonly readsBinary = false;
  readonly #wire: PgWire;

  constructor(wire: PgWire) {
    this.#wire = wire;
  }

  query(text: string): void {
    this.#wire.query(text);
  }
  close(name: string): void {
    this.#wire.close({ type: "S", name }, true);
  }
  parse(name: string, text: string): void {
    this.#wire.parse({ name, text, types: NO_TYPES }, true);
  }
  bind(call: StatementCall, _prepared?: PreparedStatement, _reader?: RowReader): void {
    this.#wire.bind({ statement: call.name ?? "", values: [...call.values] }, true);
  }
  describe(): void {
    this.#wire.describe({ type: "P", name: "" }, true);
  }
  execute(): void {
    this.#wire.execute(null, true);
  }
  sync(): void {
    this.#wire.sync();
  }
  flush(): void {
    this.#wire.flush();
  }
  endCopy(): void {
    this.#wire.endCopyFrom?.();
  }
  failCopy(reason: string): void {
    this.#wire.sendCopyFail?.(reason);
  }
}

/** An exchange in the shape of `pg`'s "submittable" query, so that `pg` routes the server's messages to it. */
export class Submittable {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  submit(wire: PgWire): null {
    // One write for all messages instead of one per message.
    wire.stream.cork();
    try {
      this.#exchange.send(new PgSender(wire));
    } finally {
      wire.stream.uncork();
    }
    return null;
  }

  handleRowDescription(message: {
    readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  }): void {
    this.#exchange.describe(message.fields.map(({ name, dataTypeID }) => ({ name, typeId: dataTypeID })));
  }

  handleDataRow(message: { readonly fields: readonly Cell[] }): void {
    this.#exchange.rowOfCells(message.fields);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    const { command, count } = readTag(message.text);
    this.#exchange.complete(command, count);
  }

  handleEmptyQuery(): void {
    this.#exchange.complete("", 0);
  }

  /** Socket errors also end here; they carry no SQLSTATE, and the end of the socket tells about them. */
  handleError(error: object): void {
    if (isServerReport(error)) this.#exchange.refuse(reportOf(error));
  }

  handleCopyInResponse(wire: PgWire): void {
    this.#exchange.copyIn(new PgSender(wire));
  }

  handleReadyForQuery(): void {}
  handlePortalSuspended(): void {}

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#exchange.copyData(chunk, 0, chunk.length);
  }
}
