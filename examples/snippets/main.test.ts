import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { testDatabase } from "plinth/testing";
import { expect, it, onTestFinished } from "vitest";
import * as schema from "./schema.ts";

it("main.ts migrates, serves, and ends in order when it is told to", async () => {
  const database = await testDatabase({ schema });
  onTestFinished(() => database.close());
  const child = spawn(process.execPath, ["--import", "tsx", "main.ts"], {
    cwd: import.meta.dirname,
    env: { ...process.env, DATABASE_URL: database.url, DATABASE_SCHEMA: "served", PORT: "0" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit");
  const [line] = await once(createInterface(child.stdout), "line");
  expect(line).toMatch(/^snippets ready on http:\/\/127\.0\.0\.1:\d+$/);
  const origin = String(line).replace("snippets ready on ", "");
  expect((await fetch(`${origin}/health/ready`)).status).toBe(200);
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});
