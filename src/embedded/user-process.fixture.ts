/** A process that uses a project's server: says where it is, and releases when its standard input ends. */
import { z } from "zod";
import { startEmbedded } from "./index.ts";

const { directory, uid, leaves } = z
  .object({ directory: z.string(), uid: z.number().optional(), leaves: z.boolean().optional() })
  .parse(JSON.parse(process.argv[2] ?? ""));

if (uid !== undefined) {
  // All modules are loaded by now, so the repository itself need not be open to that user.
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}
const server = await startEmbedded({ directory, durable: false });
process.stdout.write(`${JSON.stringify({ port: server.port, dataDirectory: server.dataDirectory })}\n`);
if (leaves !== true) {
  for await (const _ of process.stdin);
  await server.release();
}
