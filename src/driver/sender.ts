import type { RowReader, StatementCall } from "./connection.ts";
import type { PreparedStatement } from "./prepared-statements.ts";

/** The messages Plinth sends. Written as bytes on a socket of our own, or handed to `pg`. */
export interface Sender {
  /** Takes binary results: false where somebody else decodes the rows. */
  readonly readsBinary: boolean;
  query(text: string): void;
  /** Closes a prepared statement. */
  close(name: string): void;
  parse(name: string, text: string): void;
  /**
   * Binds the unnamed portal. With a reader its formats are asked for, else text.
   *
   * @param prepared what the session keeps of the named statement, with the bytes made for it.
   */
  bind(call: StatementCall, prepared: PreparedStatement | undefined, reader: RowReader | undefined): void;
  /** Describes the unnamed portal. */
  describe(): void;
  execute(): void;
  /** Asks for the answers so far. */
  flush(): void;
  sync(): void;
  /** All rows of `copy from stdin` were sent. */
  endCopy(): void;
  failCopy(reason: string): void;
}
