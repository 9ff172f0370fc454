import type { Call } from "../../sql/index.ts";
import type { Scope } from "../context.ts";

/** The arguments of a call, with whoever makes it. */
export function callWith({ context }: Scope, ...input: readonly unknown[]): Call {
  return { input, actor: context.actor() };
}
