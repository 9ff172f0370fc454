import { randomInt } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { EmbeddedError } from "../errors/index.ts";
import { dropDraft, nameDraft } from "./draft.ts";
import { readTextIfPresent } from "./exclusive-file.ts";
import { EMBEDDED_HOST } from "./settings.ts";

/**
 * Below the ports that systems hand out for outgoing connections (from 32,768 on Linux, 49,152 on macOS): a
 * client that keeps trying to reach a stopped server there can, by accident, connect to itself and hold the port.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const MAX_DRAWS = 100;

/** The port of the last start. Pools keep their URL over a restart as long as it is used again. */
export async function rememberedPort(home: string): Promise<number | undefined> {
  const port = Number((await readTextIfPresent(join(home, "port")))?.trim());
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

export async function rememberPort(home: string, port: number): Promise<void> {
  if ((await rememberedPort(home)) === port) return;
  const draft = nameDraft(join(home, "port"));
  try {
    await writeFile(draft, `${port}\n`);
    await rename(draft, join(home, "port"));
  } finally {
    await dropDraft(draft);
  }
}

/** A port nobody listens on now. PostgreSQL decides when it binds; this only makes a clash unlikely. */
export async function findFreePort(): Promise<number> {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (await isFree(port)) return port;
  }
  throw new EmbeddedError(
    "EMBEDDED_FAILED",
    `no free port between ${FIRST_PORT} and ${LAST_PORT} on ${EMBEDDED_HOST}`,
  );
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return await new Promise((resolve) => {
    probe.once("error", () => resolve(false));
    // `exclusive` keeps a cluster worker from asking its primary, which would hand out a port it shares.
    probe.listen({ host: EMBEDDED_HOST, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
