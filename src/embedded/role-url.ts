import { createHmac } from "node:crypto";

/**
 * The URL of another role of the embedded server, from the server's own. Each role has a password that follows from the
 * project's and its name, so none has to be kept, and none tells another.
 */
export function embeddedRoleUrl(serverUrl: string, role: string): string {
  const url = new URL(serverUrl);
  url.password = createHmac("sha256", decodeURIComponent(url.password))
    .update(`role ${role}`)
    .digest("base64url");
  url.username = encodeURIComponent(role);
  return url.href;
}
