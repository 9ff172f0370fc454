import { isPlinthError } from "../errors/index.ts";
import type { Connection } from "./connection.ts";

/**
 * Asks on a connection of its own whether the server process `processId` is at work. Answers true whenever that
 * cannot be told: behind a pooler (whose process ids are its own), or when the server is full.
 *
 * @param open opens the second connection
 */
export async function isBackendWorking(open: () => Promise<Connection>, processId: number): Promise<boolean> {
  let connection: Connection;
  try {
    connection = await open();
  } catch (error) {
    // Nothing answers there any more. Every other refusal proves that a server does.
    return !isPlinthError(error) || error.code !== "CONNECTION_FAILED";
  }
  try {
    const outcome = await connection.query(
      {
        text: `select pg_backend_pid(), (select state from pg_stat_activity where pid = $1)`,
        values: [String(processId)],
        leavesNoTrace: true,
      },
      { signal: AbortSignal.timeout(2_000) },
    );
    const [ownId, state] = outcome.rows[0] ?? [];
    const isPooled = ownId !== String(connection.processId);
    return isPooled || state === "active" || state === "fastpath function call";
  } catch {
    return true;
  } finally {
    connection.destroy();
  }
}
