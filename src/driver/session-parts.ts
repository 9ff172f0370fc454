import type { Socket } from "node:net";
import type { ConnectionTarget } from "./target.ts";

/** How long a canceled statement may go on before its connection is cut. */
export const STOP_TIMEOUT_MS = 5_000;
/** How long a polite goodbye may take. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** What a session is made of, whatever carries its messages. */
export interface SessionParts {
  /** The raw socket, below TLS: destroying it is what always works. */
  readonly socket: Socket;
  readonly target: ConnectionTarget;
  readonly processId: number;
  readonly secretKey: number;
  readonly hasSessionSettings: boolean;
  /** After this long without an answer, `isServerWorking` is asked. */
  readonly silenceMs: number;
  /** Whether the server still works for this session; asked on another connection. */
  readonly isServerWorking: (processId: number) => Promise<boolean>;
}
