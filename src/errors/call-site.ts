import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { PlinthError } from "./plinth-error.ts";

/** Frames kept: enough to get past Plinth's own (async ones count too), few enough to be cheap. */
const FRAMES = 24;

/** Most of them are the application's own where V8 follows who awaits whom. */
const AWAITERS = 12;

/** The folder this file's package was built into: `src/` or `dist/`. */
const OWN_FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** One frame of the application. */
interface Frame {
  /** The function's name; empty at the top level. */
  readonly name: string;
  /** `file:line:column`, relative to the working directory. */
  readonly place: string;
  /** The line as V8 wrote it, which tools know how to read. */
  readonly line: string;
}

/** Errors that say already where they were called from: one may reject several calls, as a lost connection does. */
const traced = new WeakSet<PlinthError>();

/**
 * Remembers who called. Taking the stack costs a few microseconds; turning it into text costs twenty times
 * that, and happens only when a message needs it.
 */
export class CallSite {
  declare readonly stack: string;

  /** A frame costs 0.15 microseconds: who stands close to the application's own frames asks for fewer. */
  constructor(frames: number = FRAMES) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = frames;
    Error.captureStackTrace(this, CallSite);
    Error.stackTraceLimit = limit;
  }

  /**
   * Who awaits the function that asks, without a cost for calls that go well: V8 follows promises back to the functions
   * that wait for them, but only from a later turn on, when those do wait.
   *
   * @see https://v8.dev/blog/fast-async#improved-developer-experience
   */
  static async ofAwaiter(): Promise<CallSite> {
    await undefined;
    return CallSite.here();
  }

  /** The same, for a function that has been awaited for a turn already. */
  static here(): CallSite {
    return new CallSite(AWAITERS);
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

  /**
   * Adds the application's frames to an error's `stack`, for one that was made where they are out of sight: in a
   * microtask, or when the server answered. Once per error; what is no `PlinthError` stays as it is.
   */
  sign(error: unknown): void {
    if (!(error instanceof PlinthError) || traced.has(error)) return;
    traced.add(error);
    const frames = applicationFrames(this.stack);
    if (frames.length === 0) return;
    error.stack = [error.stack, "    at (called from)", ...frames.map((frame) => frame.line)].join("\n");
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
  return { name, place: `${shorten(file)}:${lineNumber}:${column}`, line };
}

function isForeign(file: string): boolean {
  if (file.startsWith("node:") || /[\\/]node_modules[\\/]/.test(file)) return true;
  return file.startsWith(OWN_FOLDER) && !/\.test\.[cm]?[jt]s$/.test(file);
}

function shorten(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}
