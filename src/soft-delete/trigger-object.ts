import type { DatabaseObject, EntityDescription } from "../schema/index.ts";
import { quoteIdentifier, triggerFunctionText, triggerText } from "../sql/index.ts";

/** A function of the table's own, and the trigger that runs it. */
export function triggerWithFunction(
  entity: EntityDescription,
  purpose: string,
  when: string,
  body: string,
  level?: string,
): readonly DatabaseObject[] {
  return [triggerFunction(entity, purpose, body), triggerObject(entity, { purpose, when, level })];
}

export function triggerFunction(entity: EntityDescription, purpose: string, body: string): DatabaseObject {
  return namedFunction(entity, `${entity.name}_${purpose}`, body);
}

/** `set search_path from current` pins the schema the migration ran in, whatever a later session's path is. */
export function namedFunction(entity: EntityDescription, name: string, body: string): DatabaseObject {
  const block = /^(?:declare|begin)\b/.test(body) ? body : `begin\n${body}\nend;`;
  const text = triggerFunctionText(name, block, " set search_path from current");
  return { kind: "function", schema: entity.schema, name, ...text };
}

interface TriggerWords {
  /** What its function is called for. */
  readonly purpose: string;
  readonly when: string;
  /** @default for each row */
  readonly level?: string | undefined;
  /** The table, or a partition of it. @default the entity's */
  readonly table?: string | undefined;
  /** The function. @default the table's own for the purpose */
  readonly execute?: string | undefined;
  /** What the trigger itself is called for. @default the function's purpose */
  readonly name?: string | undefined;
}

export function triggerObject(entity: EntityDescription, words: TriggerWords): DatabaseObject {
  const { purpose, when, level, table = entity.name, name: own = purpose } = words;
  const name = `${table}_${own}`;
  const execute = words.execute ?? `${entity.name}_${purpose}`;
  const text = triggerText({ name, table, when, level, execute });
  return { kind: "trigger", schema: entity.schema, name, table, ...text };
}

/** `id = old.id`, for every part of the primary key. */
export function ownKey(entity: EntityDescription, record: string, prefix = ""): string {
  return entity.primaryKey.columns
    .map(({ name }) => `${prefix}${quoteIdentifier(name)} = ${record}.${quoteIdentifier(name)}`)
    .join(" and ");
}

/** The quoted name of a stamp's column. */
export function nameOf(entity: EntityDescription, role: "deletedAt" | "deletedBy"): string {
  const column = entity.byRole.get(role);
  if (column === undefined) throw new TypeError(`"${entity.name}" has no ${role} column`);
  return quoteIdentifier(column.name);
}
