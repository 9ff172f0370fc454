import type { RoutineObject } from "../model.ts";
import { changedAttributes, targetOf } from "./attributes.ts";
import { altering, dropping, fromServer, making } from "./build.ts";
import type { Ground } from "./ground.ts";
import { RANK, type Step } from "./step.ts";

/** Functions, procedures, aggregates. What a function's text speaks of comes first, as far as that can be told. */
export function createRoutine(ground: Ground, routine: RoutineObject): readonly Step[] {
  const step = making(ground, routine, RANK.routine, [fromServer(portable(ground.to.catalog.home, routine))]);
  return [{ ...step, prefers: spokenOf(ground, routine) }];
}

export function alterRoutine(ground: Ground, from: RoutineObject, to: RoutineObject): readonly Step[] {
  const step = altering(from, to, RANK.routine, [fromServer(portable(ground.to.catalog.home, to), true)]);
  const attributes = changedAttributes(ground, from, to);
  return [
    { ...step, prefers: spokenOf(ground, to) },
    { rank: RANK.attributes, statements: attributes, needs: [to.id] },
  ];
}

export function dropRoutine(ground: Ground, routine: RoutineObject): readonly Step[] {
  return [dropping(routine, RANK.dropRoutine, [`drop ${targetOf(ground, routine)}`])];
}

/**
 * A path that was pinned with `from current` is in the catalog under the schema's name. Written that way again the file
 * works under any name of the schema.
 */
export function portable(home: string, { definition }: RoutineObject): string {
  const line = `\n SET search_path TO '${home.replaceAll("'", "''")}'\n`;
  const at = definition.indexOf(line);
  const body = definition.search(/\n(AS |BEGIN ATOMIC|RETURN )/);
  if (at < 0 || at > body) return definition;
  return `${definition.slice(0, at)}\n SET search_path FROM CURRENT\n${definition.slice(at + line.length)}`;
}

/** Its tables' new columns as well. */
function spokenOf(ground: Ground, routine: RoutineObject): readonly string[] {
  return ground.reach.to.mentionsOf(routine).flatMap((id) => {
    const object = ground.to.objects.get(id);
    return object?.kind === "table" ? [id, ...object.columns.map((column) => column.id)] : [id];
  });
}
