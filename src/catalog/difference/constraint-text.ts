import type { ConstraintObject } from "../model.ts";
import { isBracketed } from "./column-text.ts";
import { lowerCase, sqlName } from "./names.ts";

/** `constraint tasks_pkey primary key (id)` */
export function constraintClause(constraint: ConstraintObject): string {
  return `constraint ${sqlName(constraint.name)} ${constraintDefinition(constraint)}`;
}

/** Without its name, and without `not valid`. */
export function constraintDefinition({ definition, isEnforced }: ConstraintObject): string {
  return plainCheck(lowerCase(definition)) + (isEnforced ? "" : " not enforced");
}

/** The server writes brackets around the brackets. */
export function plainCheck(definition: string): string {
  const inner = /^check \(([\s\S]*)\)$/.exec(definition)?.[1];
  return inner !== undefined && isBracketed(inner) ? `check ${inner}` : definition;
}
