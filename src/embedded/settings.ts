/**
 * Written into postgresql.conf when a cluster is made, where its owner may change them. Only what differs from
 * PostgreSQL's own defaults for a reason.
 *
 * @see https://www.postgresql.org/docs/18/runtime-config.html
 */
export const CLUSTER_SETTINGS: Readonly<Record<string, string>> = {
  max_connections: "100",
  // Touched page by page, so an idle development server does not take it.
  shared_buffers: "128MB",
  timezone: "UTC",
  log_timezone: "UTC",
  // Compiling pays off for long analytics, and costs tens of milliseconds on a developer's first query.
  jit: "off",
  log_lock_waits: "on",
  // Errors of statements can quote values, and whoever sent the statement gets them anyway; LOG and worse stay.
  log_min_messages: "log",
};

/** The only address the server listens on: this machine. */
export const EMBEDDED_HOST = "127.0.0.1";

/** Given at every start, as Plinth relies on them: found over TCP on this machine only. */
const ADDRESS_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: EMBEDDED_HOST,
  // A socket's path is limited to about 100 bytes, which a project's folder easily exceeds.
  unix_socket_directories: "",
};

const WITHOUT_DURABILITY: Readonly<Record<string, string>> = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
};

/** `-c name=value` for each setting. */
export function settingArguments(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** The command line of a server. */
export function serverArguments(dataDirectory: string, port: number, isDurable: boolean): readonly string[] {
  const settings = { ...ADDRESS_SETTINGS, ...(isDurable ? {} : WITHOUT_DURABILITY) };
  return ["-D", dataDirectory, "-p", String(port), ...settingArguments(settings)];
}
