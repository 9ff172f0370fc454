import { createHash } from "node:crypto";

/** SHA-256 of a text in hex, with either kind of line end: a checkout may have changed them since. */
export function hashesOf(text: string): readonly string[] {
  return [text, text.replaceAll("\n", "\r\n")].map((one) => createHash("sha256").update(one).digest("hex"));
}
