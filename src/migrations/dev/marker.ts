import type { Connection, ConnectionTarget } from "../../driver/index.ts";
import { selectTableExists } from "../queries.ts";
import { withRunnerSession } from "../runner-session.ts";
import { DEV_TABLE } from "./queries.ts";

/** Whether `migrate dev` has taken the schema beyond its migrations. One round trip. */
export async function hasDevMarker(connection: Connection, schemaName: string): Promise<boolean> {
  const { rows } = await connection.query({
    text: selectTableExists,
    values: [schemaName, DEV_TABLE],
  });
  return rows.length > 0;
}

/** The same, on a connection of its own. */
export function isReshaped(target: ConnectionTarget, schemaName: string): Promise<boolean> {
  return withRunnerSession(target, undefined, ({ connection }) => hasDevMarker(connection, schemaName));
}
