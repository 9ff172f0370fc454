import type { Command } from "commander";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { type Failure, failureOf, failureText } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Something a check found; the fix is ready to paste. */
export interface Finding {
  readonly rule: string;
  readonly level: "error" | "warning";
  readonly object: string;
  readonly why: string;
  readonly fix: string;
}

/** What a command gives back. */
export interface CommandResult {
  /** The `data` of the JSON document. */
  readonly data: unknown;
  /** The same for a reader; ends with a line end, or is empty. */
  readonly text: string;
  readonly findings?: readonly Finding[];
  /** @default 0 */
  readonly exitCode?: number;
}

/** What a command works with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** The value of `--project`. */
  readonly project: string | undefined;
}

/** Options every command has. */
interface GlobalOptions {
  readonly json?: boolean;
  readonly project?: string;
}

/** What the commands of one process share. */
export interface CommandHost {
  readonly terminal: Terminal;
  readonly setExitCode: (code: number) => void;
}

/**
 * Runs a command the way all of them run: data to stdout once, as text or as one JSON document; errors to stderr;
 * an exit code; Ctrl-C aborts the signal, and a second one ends the process at once.
 */
export async function runAction(
  host: CommandHost,
  command: Command,
  action: (context: CommandContext) => Promise<CommandResult>,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const controller = new AbortController();
  const onSignal = (): void => controller.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  const name = nameOf(command);
  const isJson = options.json === true;
  try {
    const { terminal } = host;
    const result = await action({ terminal, signal: controller.signal, project: options.project });
    host.setExitCode(result.exitCode ?? EXIT.ok);
    writeResult(host, name, isJson, result);
  } catch (error) {
    const failure = failureOf(error);
    host.setExitCode(controller.signal.aborted ? EXIT.interrupted : exitCodeOf(failure.code));
    writeFailure(host, name, isJson, failure);
  } finally {
    process.removeListener("SIGINT", onSignal);
    process.removeListener("SIGTERM", onSignal);
  }
}

/** Writes an error in the form the caller asked for. */
export function writeFailure(host: CommandHost, command: string, isJson: boolean, failure: Failure): void {
  const { terminal } = host;
  if (isJson) terminal.out(document({ ok: false, command, data: null, findings: [], error: failure }));
  else terminal.err(terminal.paint("red", failureText(failure)));
}

function writeResult(host: CommandHost, command: string, isJson: boolean, result: CommandResult): void {
  const { data, text, findings = [] } = result;
  const { terminal } = host;
  if (isJson) {
    const ok = (result.exitCode ?? EXIT.ok) === EXIT.ok;
    terminal.out(document({ ok, command, data, findings, error: null }));
    return;
  }
  if (text !== "") terminal.out(text);
  for (const { level, object, why, fix } of findings) {
    terminal.err(
      terminal.paint(level === "error" ? "red" : "yellow", `${level}: ${object}: ${why}\n  ${fix}`),
    );
  }
}

interface JsonDocument {
  readonly ok: boolean;
  readonly command: string;
  readonly data: unknown;
  readonly findings: readonly Finding[];
  readonly error: Failure | null;
}

function document(content: JsonDocument): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** `migrate up`, without the program's own name. */
function nameOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}
