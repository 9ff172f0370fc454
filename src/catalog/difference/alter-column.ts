import type { CatalogColumn, TableObject } from "../model.ts";
import { allowing } from "./allow.ts";
import { bracketed, identityOf, retypedOptions } from "./column-text.ts";
import { columnPath, type Ground } from "./ground.ts";
import { literal, lowerCase, sqlName } from "./names.ts";
import { notNullId, setNotNull } from "./not-null.ts";
import { continueAfter, isTurned, movingInside, optionWords, usualOptions } from "./sequence-options.ts";
import { RANK, type Step } from "./step.ts";
import { usualStorage } from "./types.ts";

/** What brings a column that stays to what it is to be; its type is right already. */
export function alterColumn(
  ground: Ground,
  table: TableObject,
  from: CatalogColumn,
  to: CatalogColumn,
): readonly Step[] {
  return [
    ...alterGeneration(ground, table, from, to),
    ...alterDefault(ground, table, from, to),
    ...alterIdentity(ground, table, from, to),
    ...alterNotNull(ground, table, from, to),
    ...alterStorage(ground, table, from, to),
  ];
}

/** `alter table tasks alter column title` */
function altering(ground: Ground, table: TableObject, column: CatalogColumn): string {
  return `alter table ${ground.ref(table.id)} alter column ${sqlName(column.name)}`;
}

/** Ids by which the parts of a column wait for each other. */
const defaultId = (column: CatalogColumn): string => `default ${column.id}`;
const identityId = (column: CatalogColumn): string => `identity ${column.id}`;

/** What a step says it makes when no key holds a column to NOT NULL any more. */
export function keylessId(columnId: string): string {
  return `keyless ${columnId}`;
}

function alterGeneration(
  ground: Ground,
  table: TableObject,
  from: CatalogColumn,
  to: CatalogColumn,
): readonly Step[] {
  if (from.generated === undefined || from.generated.expression === to.generated?.expression) return [];
  const target = altering(ground, table, to);
  const statement =
    to.generated === undefined
      ? `${target} drop expression`
      : allowing(
          ground.isBusy(table.id) && to.generated.mode === "stored",
          "lock/generated-expression",
          "stored values are computed anew",
          `${target} set expression as ${bracketed(lowerCase(to.generated.expression))}`,
        );
  return [expressionStep(ground, to, statement)];
}

function alterDefault(
  ground: Ground,
  table: TableObject,
  from: CatalogColumn,
  to: CatalogColumn,
): readonly Step[] {
  const isReset = ground.decisions.refreshed.has(to.id) && to.generated === undefined;
  if (from.default === to.default && !isReset) return [];
  const target = altering(ground, table, to);
  const drop = `${target} drop default`;
  const set = to.default === undefined ? drop : `${target} set default ${lowerCase(to.default)}`;
  if (!isReset || from.default === undefined || to.default === undefined) {
    return [expressionStep(ground, to, set)];
  }
  const letGo: Step = {
    rank: RANK.dropConstraint,
    statements: [drop],
    frees: ground.from.columns.get(to.id)?.column.dependsOn,
    makes: [`reset ${to.id}`],
  };
  return [letGo, { ...expressionStep(ground, to, set), needs: [`reset ${to.id}`, to.id, ...to.dependsOn] }];
}

function expressionStep(ground: Ground, to: CatalogColumn, statement: string): Step {
  return {
    rank: RANK.alterColumn,
    statements: [statement],
    // What counts by itself has to stop before it can have a default; the other way round the default goes first.
    needs: [to.id, ...(to.identity === undefined ? [identityId(to)] : []), ...to.dependsOn],
    frees: ground.lateNeeds(ground.from.columns.get(to.id)?.column.dependsOn ?? []),
    makes: [defaultId(to)],
  };
}

function alterIdentity(
  ground: Ground,
  table: TableObject,
  from: CatalogColumn,
  to: CatalogColumn,
): readonly Step[] {
  // A partition's identity is its parent's, or none.
  if (table.partitionOf !== undefined) return [];
  const target = altering(ground, table, to);
  const [before, after] = [from.identity, to.identity];
  const makes = [identityId(to)];
  if (before === undefined && after === undefined) return [];
  if (after === undefined) {
    const statements = [`${target} drop identity`];
    return [
      { rank: RANK.alterColumn, statements, frees: [to.id], makes, givesUp: [sequenceName(table, to)] },
    ];
  }
  if (before === undefined) return [addIdentity(ground, table, from, to)];
  const start = retypedOptions(before.options, to.type);
  const words = [
    ...(before.mode === after.mode ? [] : [`set generated ${after.mode}`]),
    ...optionWords(start, after.options).map((word) => `set ${word}`),
    ...(isTurned(start, after.options) ? ["restart"] : []),
  ];
  if (words.length === 0) return [];
  const statements = [
    ...movingInside(ownSequence(ground, table, to), start, after.options),
    `${target} ${words.join(" ")}`,
  ];
  // A narrower type needs closer bounds first, a wider one makes room for wider bounds.
  const isNarrowed = rangeOf(after.options.type) < rangeOf(before.options.type);
  const place = isNarrowed ? { frees: [to.id] } : { needs: [to.id] };
  return [{ rank: RANK.alterColumn, statements, makes, ...place }];
}

function rangeOf(type: string): bigint {
  return BigInt(usualOptions(type).maximum);
}

/** An expression for the name of the sequence behind a column. */
export function ownSequence(ground: Ground, table: TableObject, column: CatalogColumn): string {
  return `pg_get_serial_sequence(${literal(ground.ref(table.id))}, ${literal(column.name)})`;
}

/** The name the server gives to that sequence, if nobody has it. */
function sequenceName(table: TableObject, column: CatalogColumn): string {
  return `relation ${table.schema === undefined ? "" : `${table.schema}.`}${table.name}_${column.name}_seq`;
}

/** Numbering goes on after the rows that are there. A sequence that had the same name makes room first. */
function addIdentity(ground: Ground, table: TableObject, from: CatalogColumn, to: CatalogColumn): Step {
  const own = to.identity === undefined ? "" : identityOf(to.identity);
  return {
    rank: RANK.alterColumn,
    statements: [`${altering(ground, table, to)} add ${own}`, ...continueNumbering(ground, table, to)],
    needs: [to.id, ...(from.default === undefined ? [] : [defaultId(to)]), notNullId(to.id)],
    takes: [sequenceName(table, to)],
    makes: [identityId(to)],
  };
}

/** Sets the column's own sequence behind the highest number in use, if there is any. */
export function continueNumbering(
  ground: Ground,
  table: TableObject,
  column: CatalogColumn,
): readonly string[] {
  if (!ground.from.columns.has(column.id) && ground.decisions.columns.get(column.id) === "make") return [];
  if (column.identity === undefined) return [];
  const sequence = ownSequence(ground, table, column);
  const { options } = column.identity;
  return [continueAfter(sequence, options, sqlName(column.name), ground.ref(table.id))];
}

function alterNotNull(
  ground: Ground,
  table: TableObject,
  from: CatalogColumn,
  to: CatalogColumn,
): readonly Step[] {
  if (from.notNull === to.notNull && from.isNotNullValid === to.isNotNullValid) return [];
  if (to.notNull && to.isNotNullValid) {
    const path = columnPath(ground, table, to.name);
    ground.mayFail.push(`${path}: a row where it is null makes this fail`);
    return setNotNull(ground, table, to);
  }
  const [ref, name] = [ground.ref(table.id), sqlName(to.name)];
  const drop: Step = {
    rank: RANK.alterColumn,
    statements: [`alter table ${ref} alter column ${name} drop not null`],
    needs: [to.id, identityId(to), keylessId(to.id)],
    makes: [`nullable ${to.id}`],
  };
  if (!to.notNull) return [drop];
  const added: Step = {
    rank: RANK.alterColumn,
    statements: [`alter table ${ref} add not null ${name} not valid`],
    needs: [to.id, `nullable ${to.id}`],
    makes: [notNullId(to.id)],
  };
  return from.notNull ? [drop, added] : [added];
}

function alterStorage(
  ground: Ground,
  table: TableObject,
  from: CatalogColumn,
  to: CatalogColumn,
): readonly Step[] {
  const target = altering(ground, table, to);
  const statements: string[] = [];
  if (from.storage !== to.storage) {
    const usual = ground.serverVersion >= 16 ? "default" : usualStorage(to.type);
    statements.push(`${target} set storage ${to.storage ?? usual}`);
  }
  if (from.compression !== to.compression) {
    statements.push(`${target} set compression ${to.compression ?? "default"}`);
  }
  if (from.statistics !== to.statistics) {
    statements.push(`${target} set statistics ${to.statistics ?? -1}`);
  }
  return statements.length === 0 ? [] : [{ rank: RANK.alterColumn, statements, needs: [to.id] }];
}
