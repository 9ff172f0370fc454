import { isIP } from "node:net";
import type { ConnectionTarget } from "./target.ts";

export interface TlsOptions {
  readonly host: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** `require` encrypts without asking who answers; `verify-full` checks the certificate and the host's name. */
export function tlsOptions(target: ConnectionTarget): TlsOptions {
  return {
    host: target.host,
    // RFC 6066 section 3 forbids an IP address as server name.
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    rejectUnauthorized: target.tls === "verify-full",
  };
}
