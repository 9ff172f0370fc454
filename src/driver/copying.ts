import type { Duplex } from "node:stream";
import { TransactionError } from "../errors/index.ts";
import type { CopyCall, Outcome } from "./connection.ts";
import { CopyIn, feed } from "./copy-in.ts";
import { CopyOut, hand } from "./copy-out.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { canceledFailure, type FailedCall } from "./failures.ts";

/** What a COPY needs of its session. */
export interface CopyPort {
  /** Where its bytes go and come from. */
  readonly stream: Duplex;
  /** Puts it on the wire and keeps everything else from it until `work` is over. */
  alone<T>(
    copy: Exchange,
    signal: AbortSignal | undefined,
    work: (reply: Promise<Reply>) => Promise<T>,
  ): Promise<T>;
  /** Sends what the exchange has added. */
  transmitMore(): void;
  /** Tells the server to stop it, and cuts the session that does not hear: clear the timer when it has ended. */
  stop(copy: Exchange): ReturnType<typeof setTimeout> | undefined;
  failureOf(copy: Exchange, reply: Reply, call: FailedCall): unknown;
}

export function runCopyIn(
  port: CopyPort,
  call: CopyCall,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const copy = new CopyIn(call.text);
  return run(port, call, copy, signal, async () => {
    await feed(copy, source, port.stream);
    port.transmitMore();
  });
}

export function runCopyOut(
  port: CopyPort,
  call: CopyCall,
  take: (bytes: Buffer) => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const copy = new CopyOut(call.text, port.stream);
  return run(port, call, copy, signal, async () => {
    if (!(await hand(copy, take))) throw canceledFailure(undefined, "by whoever read its rows");
  });
}

/** `move` feeds or reads it. What that fails with says more than what the server makes of being stopped. */
async function run(
  port: CopyPort,
  call: CopyCall,
  copy: CopyIn | CopyOut,
  signal: AbortSignal | undefined,
  move: () => Promise<void>,
): Promise<Outcome> {
  if (signal?.aborted === true) throw canceledFailure(signal, "before it was sent");
  return port.alone(copy, signal, async (running) => {
    let deadline: ReturnType<typeof setTimeout> | undefined;
    let failure: { readonly error: unknown } | undefined;
    await move().catch((error: unknown) => {
      failure = { error };
      deadline = port.stop(copy);
    });
    const reply = await running;
    clearTimeout(deadline);
    if (failure !== undefined) throw failure.error;
    const outcome = reply.kind === "done" ? reply.outcomes[0] : undefined;
    if (outcome !== undefined) return outcome;
    throw port.failureOf(copy, reply, { text: call.shownAs ?? call.text, signal });
  });
}

/** For whoever calls while a COPY has the connection. */
export function busyCopying(): TransactionError {
  return new TransactionError(
    "TRANSACTION_CONTROL",
    "a copy has this connection to itself, and nothing else can run on it until the copy has ended",
    { hint: "Run it before or after; or outside the transaction, on a connection of its own." },
  );
}
