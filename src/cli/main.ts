/** The entry of `plinth`: what `bin/plinth.js` imports. */
import { runProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

runProgram(
  {
    terminal: processTerminal(),
    setExitCode: (code) => {
      process.exitCode = code;
    },
  },
  process.argv.slice(2),
).catch((error: unknown) => {
  process.exitCode = 1;
  process.stderr.write(`error: ${error instanceof Error ? error.message : "unknown"}\n`);
});
