import { createHash } from "node:crypto";

/** A short, stable name of a SQL text: the same text has it in every process and on every day. */
export function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 16);
}
