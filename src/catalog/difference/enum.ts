import type { EnumObject } from "../model.ts";
import { altering } from "./build.ts";
import type { Ground } from "./ground.ts";
import { literal, refTo } from "./names.ts";
import { RANK, type Step } from "./step.ts";

export function createEnum(type: EnumObject): string {
  return `create type ${refTo(type)} as enum (${type.values.map(literal).join(", ")})`;
}

/** New values, each in its place: a value can only be named beside one that is there. */
export function addValues(from: EnumObject, to: EnumObject): Step {
  const known = [...from.values];
  const statements: string[] = [];
  for (const [index, value] of to.values.entries()) {
    if (known.includes(value)) continue;
    const before = to.values[index - 1];
    const [first] = known;
    const place =
      before !== undefined
        ? ` after ${literal(before)}`
        : first !== undefined
          ? ` before ${literal(first)}`
          : "";
    statements.push(`alter type ${refTo(to)} add value ${literal(value)}${place}`);
    known.splice(before === undefined ? 0 : known.indexOf(before) + 1, 0, value);
  }
  return altering(from, to, RANK.enumValue, statements);
}

/** What goes with values that are there no more. */
export function loseValues(ground: Ground, from: EnumObject, to: EnumObject): void {
  const gone = from.values.filter((value) => !to.values.includes(value));
  const name = refTo(to);
  for (const value of gone) ground.losses.push({ object: `${name}.${value}`, what: "value" });
  if (gone.length === 0) return;
  const list = gone.map(literal).join(", ");
  ground.irreversible.push(
    `${name}: a row that holds ${list} makes this fail, as there is no value to turn it into`,
  );
}
