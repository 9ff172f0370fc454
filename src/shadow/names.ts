import { createHash, randomBytes } from "node:crypto";

/**
 * A database that lives as long as somebody holds its lock: a test's clone, a template while it is built, a shadow. Who
 * finds one without a holder may drop it.
 */
export interface OwnedName {
  readonly name: string;
  /** The key of its advisory lock: the name's hex digits as a signed 64-bit number, in decimal. */
  readonly lockKey: string;
}

/** A new name of its own, with the lock that stands for its owner. */
export function ownedName(kind: "test" | "building" | "shadow"): OwnedName {
  const id = randomBytes(8).toString("hex");
  return { name: `plinth_${kind}_${id}`, lockKey: signed(id) };
}

/** The template's name: the same for everybody who would build the same one. */
export function templateName(ingredients: readonly string[]): OwnedName {
  const id = createHash("sha256").update(JSON.stringify(ingredients)).digest("hex").slice(0, 24);
  return { name: `plinth_template_${id}`, lockKey: signed(id.slice(0, 16)) };
}

function signed(hex: string): string {
  return BigInt.asIntN(64, BigInt(`0x${hex}`)).toString();
}
