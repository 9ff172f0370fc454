import type { Connection, ConnectionTarget } from "../driver/index.ts";
import { MigrationError, SafetyError } from "../errors/index.ts";
import { hasDevMarker } from "./dev/marker.ts";
import type { DownGoal } from "./plan.ts";

/** The most migrations one `down` undoes. */
const DOWN_STEPS_LIMIT = 10_000;

/** The error of a command that deletes, where nothing brings it back. */
export function refusedInProduction(verb: string, { database }: ConnectionTarget): SafetyError {
  return new SafetyError(
    `migrate ${verb} is refused in production: it can delete data that nothing brings back`,
    {
      hint: `Undo it with a new migration, or say that you mean it: plinth migrate ${verb} --allow-production ${database}.`,
    },
  );
}

/** How far `down` goes. @throws {MIGRATION_INVALID} when it is said twice, or in no number. */
export function downGoal(steps: number | undefined, to: string | undefined): DownGoal {
  if (to !== undefined) {
    if (steps === undefined) return { to };
    throw new MigrationError("MIGRATION_INVALID", "down takes steps or a version, not both");
  }
  if (steps === undefined) return { steps: 1 };
  if (Number.isInteger(steps) && steps >= 1 && steps <= DOWN_STEPS_LIMIT) return { steps };
  throw new MigrationError("MIGRATION_INVALID", `steps must be a whole number from 1 to ${DOWN_STEPS_LIMIT}`);
}

/** The files' statements would meet what is there already. */
export async function refuseReshaped(connection: Connection, schemaName: string): Promise<void> {
  if (!(await hasDevMarker(connection, schemaName))) return;
  throw new SafetyError(`plinth migrate dev has taken schema ${schemaName} beyond its migrations`, {
    hint: "plinth migrate up (the command) brings the two together; plinth migrate dev --undo takes it back.",
  });
}
