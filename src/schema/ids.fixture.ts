import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const module = fileURLToPath(new URL("./index.ts", import.meta.url));

/** The ids that several processes make side by side, a list for each. */
export function idsOfProcesses(
  maker: "ulid" | "uuidv7",
  processes: number,
  count: number,
): Promise<string[][]> {
  const program = `import { ${maker} } from ${JSON.stringify(module)};
    process.stdout.write(Array.from({ length: ${count} }, ${maker}).join("\\n"));`;
  return Promise.all(
    Array.from({ length: processes }, async () => {
      const { stdout } = await run(
        process.execPath,
        ["--import", "tsx", "--input-type=module", "-e", program],
        {
          maxBuffer: 64 * 1024 * 1024,
        },
      );
      return stdout.split("\n");
    }),
  );
}
