import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Frames kept per acquire: enough to get past Plinth's own (async ones count too), few enough to be cheap. */
const FRAMES = 24;

/** The folder this file's package was built into: `src/` or `dist/`. */
const OWN_FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** One frame of the application. */
export interface Frame {
  /** The function's name; empty at the top level. */
  readonly name: string;
  /** `file:line:column`, relative to the working directory. */
  readonly place: string;
}

/**
 * Remembers who called. Taking the stack costs about two microseconds; turning it into text costs a hundred times
 * that, and happens only when a message needs it.
 */
export class CallSite {
  declare readonly stack: string;

  constructor() {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = FRAMES;
    Error.captureStackTrace(this, CallSite);
    Error.stackTraceLimit = limit;
  }

  /** The nearest frame outside Plinth, its dependencies and Node itself. */
  get caller(): Frame | undefined {
    return applicationFrames(this.stack)[0];
  }

  /** The application's frames, one per line. */
  get trace(): string {
    return applicationFrames(this.stack)
      .map((frame) => `at ${frame.name === "" ? "" : `${frame.name} `}(${frame.place})`)
      .join("\n");
  }
}

function applicationFrames(stack: unknown): readonly Frame[] {
  if (typeof stack !== "string") return [];
  return stack.split("\n").flatMap((line) => {
    const frame = readFrame(line);
    return frame === undefined ? [] : [frame];
  });
}

/** Reads `    at async createOrder (file:///app/src/orders.ts:14:9)`. */
function readFrame(line: string): Frame | undefined {
  const match = /^\s*at (?:async )?(?:(.*?) \()?((?:file:\/\/)?[^()]*?):(\d+):(\d+)\)?$/.exec(line);
  if (match?.[2] === undefined) return undefined;
  const [, name = "", location, lineNumber, column] = match;
  const file = location.startsWith("file://") ? fileURLToPath(location) : location;
  if (isForeign(file)) return undefined;
  return { name, place: `${shorten(file)}:${lineNumber}:${column}` };
}

function isForeign(file: string): boolean {
  if (file.startsWith("node:") || /[\\/]node_modules[\\/]/.test(file)) return true;
  return file.startsWith(OWN_FOLDER) && !/\.test\.[cm]?[jt]s$/.test(file);
}

function shorten(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}
