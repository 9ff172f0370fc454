/** Where every contender runs: one throw-away server, one set of rows. */

import * as schema from "../examples/tracker/schema.ts";
import { BEHAVIOURS } from "../src/behaviours.ts";
import { renderSchema } from "../src/catalog/index.ts";
import { connect, parseTarget } from "../src/driver/index.ts";
import { describeSchema } from "../src/schema/index.ts";
import { startServer } from "./server.ts";

/** A server with the tracker's tables, filled. */
export interface Ground {
  readonly url: string;
  readonly userIds: readonly string[];
  readonly projectIds: readonly string[];
  close(): Promise<void>;
}

const USERS = 1_000;
const PROJECTS = 200;
const TASKS = 10_000;

export async function prepareGround(): Promise<Ground> {
  // Not durable: a disk's flushes would hide what is compared here.
  const server = await startServer();
  const connection = await connect(parseTarget(server.url));
  const { up } = renderSchema(describeSchema(schema), BEHAVIOURS);
  await connection.script(`create schema tracker;\nset search_path to tracker;\n${up.join(";\n")}`);
  await connection.script(`
    insert into users (id, email, full_name, password_hash)
      select 'u' || i, 'user' || i || '@example.test', 'User ' || i, 'x' from generate_series(1, ${USERS}) i;
    insert into projects (id, name, owner_id)
      select 'p' || i, 'Project ' || i, 'u' || i from generate_series(1, ${PROJECTS}) i;
    insert into tasks (id, project_id, title, description, priority, due_date, created_at)
      select 't' || i, 'p' || (i % ${PROJECTS} + 1), 'Task ' || i, repeat('words ', 10), i % 5 + 1,
        date '2026-01-01' + i % 365, timestamptz '2026-01-01' + i * interval '1 minute'
      from generate_series(1, ${TASKS}) i`);
  await connection.script("vacuum analyze");
  await connection.close();
  return {
    url: server.url,
    userIds: Array.from({ length: USERS }, (_, i) => `u${i + 1}`),
    projectIds: Array.from({ length: PROJECTS }, (_, i) => `p${i + 1}`),
    close: () => server.remove(),
  };
}
