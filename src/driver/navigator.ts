/**
 * On Node 20 `pg` makes a `Response` to find out whether it runs on Cloudflare, and the first `Response` loads all of
 * Node's `fetch`: 35 ms of every start. Where a `navigator` tells, as from Node 21 on, it does not ask. Imported before
 * `pg` and withdrawn right after it, in one go, so that no other module meets it.
 */
const isMissing = !("navigator" in globalThis);

if (isMissing) {
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: Object.freeze({ userAgent: `Node.js/${process.versions.node}` }),
  });
}

/** Takes it away again, where it was not Node's own. */
export function withdrawNavigator(): void {
  if (isMissing) Reflect.deleteProperty(globalThis, "navigator");
}
