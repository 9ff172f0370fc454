import type { Duplex } from "node:stream";
import type { Cell, Parameter } from "./connection.ts";

/**
 * What Plinth uses of `pg`'s wire connection. `pg` connects, authenticates, frames and parses messages; which
 * messages are sent, and what the answers mean, is decided here.
 */
export interface Wire {
  readonly stream: Duplex;
  query(text: string): void;
  parse(message: { name: string; text: string; types: string[] }, more: boolean): void;
  bind(message: { statement: string; values: Parameter[] }, more: boolean): void;
  describe(message: { type: string; name: string }, more: boolean): void;
  execute(message: null, more: boolean): void;
  close(message: { type: string; name: string }, more: boolean): void;
  sync(): void;
}

/** RowDescription, as `pg-protocol` parses it. */
export interface RowDescription {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** DataRow: text cells. */
export interface DataRow {
  readonly fields: Cell[];
}

/** CommandComplete: `INSERT 0 1`. */
export interface CommandComplete {
  readonly text: string;
}
