import type { OtherObject } from "../model.ts";
import type { Ground } from "./ground.ts";
import { OTHERS } from "./other-kinds.ts";

/** What is compared but not taken apart. */
export function otherObjects(ground: Ground): readonly OtherObject[] {
  return OTHERS.flatMap(([question, kind]) =>
    ground.answers.rows(question).flatMap((row): readonly OtherObject[] => {
      const base = ground.base(row.text("class"), row, ground.identities.spaces.get(row.text("space")));
      return base === undefined ? [] : [{ kind, ...base, definition: row.text("definition") }];
    }),
  );
}
