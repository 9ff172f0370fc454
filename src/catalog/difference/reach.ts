import type { CatalogObject, RoutineObject } from "../model.ts";
import { needsOf, type Side } from "./sides.ts";

/**
 * Follows what objects need, further than the server records it: a function written as a string may speak of any
 * table, and some of them are looked at when it is made.
 */
export class Reach {
  readonly #side: Side;
  readonly #readsTexts: boolean;
  readonly #named = new Map<string, string[]>();
  readonly #mentions = new Map<string, readonly string[]>();

  /** @param readsTexts for what is to be made; nothing that is said in a text alone keeps an object from going */
  constructor(side: Side, readsTexts: boolean) {
    this.#side = side;
    this.#readsTexts = readsTexts;
    for (const object of side.objects.values()) {
      if (!isSpokenOf(object)) continue;
      const known = this.#named.get(object.name);
      if (known === undefined) this.#named.set(object.name, [object.id]);
      else known.push(object.id);
    }
  }

  /** Ids of what a routine's text may mean. */
  mentionsOf(routine: RoutineObject): readonly string[] {
    const known = this.#mentions.get(routine.id);
    if (known !== undefined) return known;
    const words = new Set(routine.definition.match(/"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*/gu));
    const ids = [...words].flatMap((word) => {
      const name = word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word.toLowerCase();
      return this.#named.get(name) ?? [];
    });
    const others = ids.filter((id) => id !== routine.id);
    this.#mentions.set(routine.id, others);
    return others;
  }

  /** Whether one of these needs that, directly or by way of others. */
  leadsTo(ids: readonly string[], target: string): boolean {
    const seen = new Set<string>();
    const waiting = [...ids];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (id === target) return true;
      if (seen.has(id)) continue;
      seen.add(id);
      const object = this.#side.objects.get(id) ?? this.#side.columns.get(id)?.table;
      if (object !== undefined) waiting.push(...this.#steps(object));
    }
    return false;
  }

  #steps(object: CatalogObject): readonly string[] {
    if ("returns" in object && this.#readsTexts) return [...needsOf(object), ...this.mentionsOf(object)];
    if (object.kind !== "table") return needsOf(object);
    const inside = (this.#side.parts.get(object.id) ?? []).filter(
      (part) => part.kind === "constraint" && part.type !== "foreign key",
    );
    return [
      ...needsOf(object),
      ...object.columns.flatMap(({ dependsOn }) => dependsOn),
      ...inside.flatMap(({ dependsOn }) => dependsOn),
    ].filter((id) => id !== object.id && this.#side.columns.get(id)?.table.id !== object.id);
  }
}

/** Things a function's text may speak of by name. */
function isSpokenOf(object: CatalogObject): boolean {
  switch (object.kind) {
    case "table":
    case "view":
    case "materialized view":
    case "sequence":
    case "function":
    case "procedure":
    case "aggregate":
    case "enum":
    case "domain":
    case "composite type":
    case "range type":
      return true;
    default:
      return false;
  }
}
