import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { ConfigError } from "../errors/index.ts";

/** PostgreSQL's own default. @see https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-SCRAM-ITERATIONS */
const ITERATIONS = 4_096;
const SALT_BYTES = 16;

/**
 * What PostgreSQL keeps of a password, worked out here: the password itself never travels, and no log of the server can
 * hold it.
 *
 * @throws {CONFIG_INVALID} for a password with other characters than printable ASCII: what servers and clients make of
 * those, they do not all agree on. @see https://www.rfc-editor.org/rfc/rfc5803
 */
export function scramVerifier(
  password: string,
  source: string,
  salt: Buffer = randomBytes(SALT_BYTES),
): string {
  return verifierOf(checked(password, source), salt, ITERATIONS);
}

/** Whether a verifier is of this password. */
export function isPasswordOf(verifier: string, password: string): boolean {
  const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$/.exec(verifier) ?? [];
  if (iterations === undefined || salt === undefined || Number(iterations) > 1_000_000) return false;
  const own = Buffer.from(verifierOf(password, Buffer.from(salt, "base64"), Number(iterations)));
  const held = Buffer.from(verifier);
  return own.length === held.length && timingSafeEqual(own, held);
}

function verifierOf(password: string, salt: Buffer, iterations: number): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

function checked(password: string, source: string): string {
  if (/^[\x20-\x7e]{1,1024}$/.test(password)) return password;
  throw new ConfigError(`${source} holds no password that can be set`, {
    path: source,
    hint: "It may have 1 to 1,024 printable ASCII characters; set any other with \\password of psql.",
  });
}
