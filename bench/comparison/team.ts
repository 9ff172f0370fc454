/** The subjects' processes: bundled from their sources, started, asked, ended. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Contestant } from "./contestants.ts";
import type { HostOptions, Question } from "./host.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BENCH = join(ROOT, "bench");
/** Ignored by git and by every tool, and where the libraries' names lead to the bench's own packages. */
export const OUTPUT = join(BENCH, "node_modules/.bench");

export interface Process {
  ask<T>(question: Question): Promise<T>;
  end(): Promise<void>;
}

/** A process for these subjects. Each has one of its own, unless it is measured what sharing one does. */
export async function startProcess(
  contestants: readonly Contestant[],
  options: HostOptions,
): Promise<Process> {
  const name = contestants.map((contestant) => contestant.name).join("+");
  const script = join(OUTPUT, `${name.slice(0, 100)}.mjs`);
  await bundle(contestants, script);
  // No options of this process: tsx is not wanted there.
  const child = fork(script, [JSON.stringify(options)], { execArgv: [], serialization: "advanced" });
  const ask = async <T>(question: Question): Promise<T> => {
    if (!child.connected) throw new Error(`the process of ${name} is gone`);
    const answer = nextAnswer<T>(child, name);
    child.send(question);
    return answer;
  };
  await nextAnswer(child, name);
  return {
    ask,
    async end() {
      if (child.exitCode !== null || !child.connected) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      await ask({ kind: "close" }).finally(() => child.disconnect());
      await gone;
    },
  };
}

function nextAnswer<T>(child: ChildProcess, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      child.off("message", onMessage);
      child.off("exit", onExit);
      finish();
    };
    const onMessage = (message: { result: T } | { error: string }): void =>
      settle(() =>
        "error" in message ? reject(new Error(`${name}: ${message.error}`)) : resolve(message.result),
      );
    const onExit = (code: number | null): void =>
      settle(() => reject(new Error(`the process of ${name} ended with ${code}`)));
    child.on("message", onMessage);
    child.on("exit", onExit);
  });
}

/**
 * Compiled to what Node runs by itself: a loader such as tsx keeps every closure's name at run time, which costs the
 * subjects different amounts. Plinth is bundled from `src`, packages are not.
 */
async function bundle(contestants: readonly Contestant[], outfile: string): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  const imports = contestants.map(({ file, open }) => `import { ${open} } from "./${file}";`);
  const opens = contestants.map(({ name, open }) => `"${name}": ${open}`);
  await build({
    stdin: {
      contents: `${imports.join("\n")}\nimport { serve } from "./comparison/host.ts";\nawait serve({ ${opens.join(", ")} });`,
      resolveDir: BENCH,
      loader: "ts",
    },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error",
    plugins: [
      {
        name: "plinth from its sources",
        setup: ({ onResolve }) => {
          onResolve({ filter: /^plinth(\/|$)/ }, ({ path }) => ({
            path: join(ROOT, "src", path.slice("plinth".length), "index.ts"),
          }));
          onResolve({ filter: /^prisma-bench$/ }, () => ({ path: join(OUTPUT, "prisma/client.ts") }));
          onResolve({ filter: /^[^./]/ }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
  });
}
