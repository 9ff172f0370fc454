import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const DRIVER = new URL("./index.ts", import.meta.url).href;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

it("loads pg without Node's fetch, and leaves the globals as they were", async () => {
  const script = `
    const names = () => JSON.stringify(Object.getOwnPropertyNames(globalThis).sort());
    const before = names();
    const { connect } = await import(${JSON.stringify(DRIVER)});
    const loaded = process.moduleLoadList.filter((name) => name.includes("undici/undici"));
    process.stdout.write(JSON.stringify({ connect: typeof connect, isSame: names() === before, loaded }));
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", script],
    { cwd: ROOT },
  );
  expect(JSON.parse(stdout)).toEqual({ connect: "function", isSame: true, loaded: [] });
});
