import { styleText } from "node:util";

/** Where a command writes: data to `out`, everything else to `err`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Colours for `err`, when it is a terminal that has them; `NO_COLOR` switches them off. */
  readonly paint: (style: "red" | "green" | "yellow" | "dim", text: string) => string;
}

/** The terminal of this process. A reader that goes away (`| head`) is no error. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: Error) => {
      if (!("code" in error) || error.code !== "EPIPE") throw error;
    });
  }
  const hasColors = process.stderr.isTTY && process.stderr.hasColors();
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(`${text}\n`),
    paint: (style, text) => (hasColors ? styleText(style, text) : text),
  };
}
