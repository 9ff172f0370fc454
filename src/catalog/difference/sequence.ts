import type { SequenceObject } from "../model.ts";
import { making } from "./build.ts";
import { retypedOptions } from "./column-text.ts";
import { type Ground, retiredId } from "./ground.ts";
import { literal, refTo, sqlName } from "./names.ts";
import { continueAfter, isTurned, movingInside, optionWords, usualOptions } from "./sequence-options.ts";
import { namesOf, needsOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

export function createSequence(ground: Ground, sequence: SequenceObject): readonly Step[] {
  const { options } = sequence;
  const words = [
    `create ${sequence.isUnlogged ? "unlogged " : ""}sequence ${refTo(sequence)}`,
    ...(options.type === "bigint" ? [] : [`as ${options.type}`]),
    ...optionWords(usualOptions(options.type, options.increment), options),
  ];
  return [
    making(ground, sequence, RANK.sequence, [words.join(" ")]),
    ...ownership(ground, undefined, sequence),
  ];
}

export function alterSequence(ground: Ground, from: SequenceObject, to: SequenceObject): readonly Step[] {
  const target = `alter sequence ${refTo(to)}`;
  const type = from.options.type === to.options.type ? [] : [`as ${to.options.type}`];
  const start = retypedOptions(from.options, to.options.type);
  const words = [
    ...type,
    ...optionWords(start, to.options),
    ...(isTurned(start, to.options) ? ["restart"] : []),
  ];
  const inside = movingInside(literal(refTo(to)), start, to.options);
  const statements = words.length === 0 ? [] : [...inside, `${target} ${words.join(" ")}`];
  if (from.isUnlogged !== to.isUnlogged && !followsTable(ground, to)) {
    statements.push(`${target} set ${to.isUnlogged ? "unlogged" : "logged"}`);
  }
  return [
    { rank: RANK.sequence, statements, needs: needsOf(to), makes: [to.id] },
    ...ownership(ground, from, to),
  ];
}

/** A table that is made unlogged, or logged again, takes the sequences of its columns along. */
function followsTable(ground: Ground, to: SequenceObject): boolean {
  const [before, after] = [ground.from.columns, ground.to.columns].map(
    (columns) => columns.get(to.ownedBy ?? "")?.table,
  );
  return before !== undefined && after !== undefined && before.isUnlogged !== after.isUnlogged;
}

/** A sequence ends with the column that owns it, so it has to change hands before that goes. */
function ownership(ground: Ground, from: SequenceObject | undefined, to: SequenceObject): readonly Step[] {
  const target = `alter sequence ${refTo(to)} owned by`;
  const [before, after] = [from?.ownedBy, to.ownedBy];
  const isOwnerNew = before !== undefined && before === after && isMadeAnew(ground, before);
  if (before === after && !isOwnerNew) return [];
  const steps: Step[] = [];
  if (before !== undefined && (after === undefined || isOwnerNew)) {
    steps.push({
      rank: RANK.dropConstraint,
      statements: [`${target} none`],
      frees: [before, retiredId(tableOf(ground, before))],
      makes: [`free ${to.id}`],
    });
  }
  if (after === undefined) return steps;
  const place = ground.to.columns.get(after);
  if (place === undefined) return steps;
  const column = `${ground.ref(place.table.id)}.${sqlName(place.column.name)}`;
  steps.push({
    rank: RANK.own,
    statements: [`${target} ${column}`, ...(from === undefined ? startAfterRows(ground, to, after) : [])],
    needs: [to.id, after, `rows of ${place.table.id}`, `free ${to.id}`],
    frees: before === undefined || isOwnerNew ? [] : [before],
    makes: [`owned ${to.id}`],
  });
  return steps;
}

function isMadeAnew(ground: Ground, columnId: string): boolean {
  return (
    ground.decisions.columns.get(columnId) === "anew" || ground.fateOf(tableOf(ground, columnId)) === "retire"
  );
}

function tableOf(ground: Ground, columnId: string): string {
  return ground.from.columns.get(columnId)?.table.id ?? "";
}

/** A new sequence of a column that has values goes on where they end. */
function startAfterRows(ground: Ground, to: SequenceObject, columnId: string): readonly string[] {
  const place = ground.from.columns.get(columnId);
  const isNumber = /^(smallint|integer|bigint|numeric)/.test(place?.column.type ?? "");
  if (place === undefined || !isNumber || ground.decisions.columns.get(columnId) === "anew") return [];
  const [name, table] = [sqlName(place.column.name), ground.ref(place.table.id)];
  return [continueAfter(literal(refTo(to)), to.options, name, table)];
}

export function dropSequence(ground: Ground, sequence: SequenceObject): readonly Step[] {
  if (goesWithOwner(ground, sequence)) return [];
  if (sequence.ownedBy === undefined) ground.losses.push({ object: refTo(sequence), what: "position" });
  return [
    {
      rank: RANK.dropSequence,
      statements: [`drop sequence ${refTo(sequence)}`],
      drops: [sequence.id],
      frees: needsOf(sequence),
      givesUp: namesOf(sequence),
    },
  ];
}

function goesWithOwner(ground: Ground, { ownedBy }: SequenceObject): boolean {
  if (ownedBy === undefined) return false;
  const fate = ground.fateOf(tableOf(ground, ownedBy));
  const column = ground.decisions.columns.get(ownedBy);
  return fate === "drop" || (fate === "keep" && (column === "drop" || column === "anew"));
}
