import { relative, sep } from "node:path";

/** How a file in the folder `from` imports the file `to`. */
export function modulePath(from: string, to: string): string {
  const path = relative(from, to).split(sep).join("/");
  return path.startsWith(".") ? path : `./${path}`;
}
