import type { Connection } from "../../driver/index.ts";
import { selectDevExists } from "./queries.ts";

/** Whether `migrate dev` has taken the schema beyond its migrations. One round trip. */
export async function hasDevMarker(connection: Connection, schemaName: string): Promise<boolean> {
  const { rows } = await connection.query({ text: selectDevExists, values: [schemaName] });
  return rows.length > 0;
}
