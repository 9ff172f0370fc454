import { connect as connectSocket, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionTarget } from "./target.ts";
import { tlsOptions } from "./tls-options.ts";

/** How long a CancelRequest may take to be delivered before it counts as failed. */
export const CANCEL_REQUEST_TIMEOUT_MS = 5_000;

const CANCEL_CODE = 80_877_102;
const TLS_CODE = 80_877_103;

/**
 * Sends a CancelRequest on a socket of its own and resolves once the server has closed it: by then the signal
 * is with the session's process, so a statement sent afterwards is not hit by it.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function sendCancelRequest(
  target: ConnectionTarget,
  processId: number,
  secretKey: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = target.host.startsWith("/")
      ? connectSocket(`${target.host}/.s.PGSQL.${target.port}`)
      : connectSocket(target.port, target.host);
    const timer = setTimeout(
      () =>
        socket.destroy(Object.assign(new Error("no answer to the cancel request"), { code: "ETIMEDOUT" })),
      CANCEL_REQUEST_TIMEOUT_MS,
    );
    let wasSent = false;
    const send = (stream: Socket) => {
      stream.write(cancelPacket(processId, secretKey));
      wasSent = true;
      stream.resume();
    };
    const fail = (error: Error) => {
      socket.destroy();
      // A server that resets instead of closing has read the request all the same.
      if (wasSent && "code" in error && error.code === "ECONNRESET") resolve();
      else reject(error);
    };
    socket.on("error", fail);
    socket.on("close", () => {
      clearTimeout(timer);
      if (wasSent) resolve();
      else reject(new Error("the cancel request was not sent"));
    });
    socket.once("connect", () => {
      if (target.tls === "disable") return send(socket);
      socket.write(packet(TLS_CODE, Buffer.alloc(0)));
      socket.once("data", (answer) => {
        if (answer.toString("latin1") !== "S") return void socket.destroy();
        const secure = connectTls({ socket, ...tlsOptions(target) });
        secure.on("error", fail);
        secure.once("secureConnect", () => send(secure));
      });
    });
  });
}

function cancelPacket(processId: number, secretKey: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeInt32BE(processId, 0);
  body.writeInt32BE(secretKey, 4);
  return packet(CANCEL_CODE, body);
}

function packet(code: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(code, 4);
  return Buffer.concat([head, body]);
}
