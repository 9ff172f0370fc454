/** Hosts on which nobody else's data are: this machine. A path is a Unix socket. */
const LOCAL_HOST = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\]|\/.*)$/i;

/**
 * Whether to take a server for production, where nothing is deleted unasked. `NODE_ENV` says so, or says that it is not
 * (`development`, `test`); where it says nothing, any server but this machine's own may be.
 */
export function isProduction(nodeEnv: string | undefined, host: string): boolean {
  if (nodeEnv === "production") return true;
  if (nodeEnv === "development" || nodeEnv === "test") return false;
  return !LOCAL_HOST.test(host);
}
