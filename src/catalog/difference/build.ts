import type { CatalogObject } from "../model.ts";
import { newAttributes } from "./attributes.ts";
import type { Ground } from "./ground.ts";
import { lowerCase } from "./names.ts";
import { namesOf, needsOf } from "./sides.ts";
import type { Step } from "./step.ts";

/** A step that takes an object away. */
export function dropping(object: CatalogObject, rank: number, statements: readonly string[]): Step {
  return {
    rank,
    statements,
    drops: [object.id],
    frees: needsOf(object),
    givesUp: namesOf(object),
  };
}

/** A step that makes an object, with its comment and rights. */
export function making(
  ground: Ground,
  object: CatalogObject,
  rank: number,
  statements: readonly string[],
): Step {
  return {
    rank,
    statements: [...statements, ...newAttributes(ground, object)],
    makes: [object.id],
    needs: needsOf(object),
    takes: namesOf(object),
  };
}

/** A step that changes an object in place. */
export function altering(
  from: CatalogObject,
  to: CatalogObject,
  rank: number,
  statements: readonly string[],
): Step {
  return { rank, statements, makes: [to.id], needs: needsOf(to), frees: needsOf(from) };
}

/** The server's own statement as Plinth writes SQL, to make something or to put it in the place of another. */
export function fromServer(definition: string, isReplacing = false): string {
  const text = lowerCase(definition.trim()).replace(/;$/, "").replace(USUAL_METHOD, "$1(");
  if (isReplacing) return text.replace(/^create (or replace )?/, "create or replace ");
  return text.replace(/^create or replace /, "create ");
}

/** An index is a B-tree where nothing else is said. */
const USUAL_METHOD = /^(create (?:unique )?index (?:"(?:[^"]|"")*"|\S+) on .*? )using btree \(/;
