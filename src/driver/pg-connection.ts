import type { Duplex } from "node:stream";
import type pg from "pg";
import type { Exchange } from "./exchange.ts";
import { type PgWire, Submittable } from "./pg-wire.ts";
import { UnusableSession } from "./protocol-error.ts";
import { Session } from "./session.ts";
import type { SessionParts } from "./session-parts.ts";

export interface PgConnectionParts extends SessionParts {
  /** Connected. */
  readonly client: pg.Client;
}

/**
 * A session whose messages `pg` frames and parses: slower, and one exchange at a time (`pg`'s own queue is
 * deprecated and settles errors before ReadyForQuery).
 */
export class PgConnection extends Session {
  readonly canPipeline = false;
  readonly #client: pg.Client;

  constructor(parts: PgConnectionParts) {
    super(parts);
    this.#client = parts.client;
    // An `error` event without a listener ends the process.
    this.#client.on("error", (error) => this.note(error));
    this.#client.on("notice", ({ severity = "NOTICE", message = "" }) => this.notice({ severity, message }));
    const wire: PgWire = this.#client.connection;
    wire.on("parseComplete", () => this.current?.parsed());
    wire.on("readyForQuery", (message: { status: string }) => this.ready(message.status));
    wire.on("parameterStatus", (message: { parameterName: string; parameterValue: string }) =>
      this.parameter(message.parameterName, message.parameterValue),
    );
    wire.on("end", () => this.ended());
    if (parts.socket.destroyed) this.ended();
  }

  protected override transmit(exchange: Exchange): void {
    try {
      this.#client.query(new Submittable(exchange));
    } catch (error) {
      // `pg` has counted it as sent, and part of it may be.
      this.cut(new UnusableSession("a statement could not be put into messages"));
      throw error;
    }
  }

  protected override get stream(): Duplex {
    const wire: PgWire = this.#client.connection;
    return wire.stream;
  }

  protected override transmitMore(): void {}

  protected override terminate(): void {
    this.#client.end(() => {});
  }
}
