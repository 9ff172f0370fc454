/** A process with a test database of its own: says where it is, and closes when its standard input ends. */
import { z } from "zod";
import { testDatabase } from "./index.ts";
import * as schema from "./shop.fixture.ts";

const { url, migrations } = z
  .object({ url: z.string(), migrations: z.string().optional() })
  .parse(JSON.parse(process.argv[2] ?? ""));

const database = await testDatabase({ schema, url, migrations });
process.stdout.write(`${database.url}\n`);
for await (const _ of process.stdin);
await database.close();
