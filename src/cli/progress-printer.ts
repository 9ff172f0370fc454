import type { LockBlocker, LockHolder, MigrationProgress } from "../migrations/index.ts";
import type { Terminal } from "./terminal.ts";

/** How a program names the sessions a runner meets; given, as this file loads nothing that `--help` would not. */
interface Names {
  readonly describeHolder: (holder: LockHolder | undefined) => string;
  readonly describeBlocker: (blocker: LockBlocker) => string;
}

/** Tells on stderr what a migrator does. */
export function progressPrinter(
  terminal: Terminal,
  { describeBlocker, describeHolder }: Names,
): (progress: MigrationProgress) => void {
  return (progress) => {
    switch (progress.kind) {
      case "waiting":
        terminal.err(`waiting for another runner: ${describeHolder(progress.holder)}`);
        break;
      case "started": {
        const from = progress.resumeAt === 0 ? "" : `, going on with statement ${progress.resumeAt + 1}`;
        const late = progress.isOutOfOrder ? " (older than an applied one)" : "";
        terminal.err(
          `${progress.direction === "up" ? "applying" : "undoing"} ${progress.fileName}${late}${from}`,
        );
        break;
      }
      case "retrying":
        terminal.err(
          terminal.paint(
            "yellow",
            [
              `${progress.fileName}: ${progress.reason}; again in ${progress.delayMs} ms`,
              ...progress.blockers.map((blocker) => `  in its way: ${describeBlocker(blocker)}`),
            ].join("\n"),
          ),
        );
        break;
      case "blocked":
        terminal.err(
          [
            `${progress.fileName}: waiting for ${Math.round(progress.waitedMs / 1_000)} s`,
            ...progress.blockers.map((blocker) => `  for ${describeBlocker(blocker)}`),
          ].join("\n"),
        );
        break;
      case "batches":
        terminal.err(`${progress.fileName}: ${progress.rows} rows in ${progress.batches} batches`);
        break;
      case "cleaned":
        terminal.err(terminal.paint("yellow", `${progress.fileName}: removed ${progress.what}`));
        break;
      case "notice":
        terminal.err(terminal.paint("dim", `notice: ${progress.message}`));
        break;
      case "finished":
        break;
    }
  };
}
