/**
 * Guards who may import whom in `src/`: down the rows of `layers.ts` only, across folders the face only, no
 * cycles, third-party packages in their one place, named exports only, no `console` outside `cli/`.
 * Run it with `npm run check:layers`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, posix } from "node:path";
import { pathToFileURL } from "node:url";
import { cycles } from "./cycles.ts";
import { packageName, placeOf, problemOfImport, problemOfPackage } from "./layer-rules.ts";
import { EXCEPTIONS, isTestCode, type LayerException } from "./layers.ts";
import { lineAt, readSource } from "./source.ts";

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly line: number;
}

/** Every breach below `folder`, as `file:line: what is wrong`. */
export function checkLayers(folder: string, exceptions: readonly LayerException[] = EXCEPTIONS): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) =>
    path.replaceAll("\\", "/"),
  );
  const files = paths.filter((path) => path.endsWith(".ts") && !isTestCode(path)).sort();
  const found: string[] = [];
  const edges: Edge[] = [];
  const used = new Set<LayerException>();
  for (const from of files) {
    const source = readSource(readFileSync(join(folder, from), "utf8"));
    found.push(...checkText(from, source.code));
    for (const { specifier, line } of source.imports) {
      if (isBuiltin(specifier)) continue;
      const inside = specifier.startsWith(".");
      const to = inside ? posix.join(posix.dirname(from), specifier) : packageName(specifier);
      if (inside) edges.push({ from, to, line });
      const problem = inside ? problemOfImport(from, to) : problemOfPackage(from, to);
      const exception = exceptions.find((one) => one.from === from && one.to === to);
      if (exception !== undefined) used.add(exception);
      else if (problem !== undefined) found.push(`${from}:${line}: ${problem}`);
    }
  }
  const between = edges.map((edge) => ({ ...edge, from: placeOf(edge.from), to: placeOf(edge.to) }));
  for (const cycle of cycles(edges)) found.push(`import cycle of files: ${cycle.join(" -> ")}`);
  for (const cycle of cycles(between)) found.push(`import cycle of folders: ${cycle.join(" -> ")}`);
  for (const one of exceptions) if (!used.has(one)) found.push(`unused exception: ${one.from} -> ${one.to}`);
  return found;
}

/** What no file of `src/` may say; `door` is the folder that may. */
const FORBIDDEN: readonly { readonly text: RegExp; readonly why: string; readonly door?: string }[] = [
  { text: /\bexport\s*\*/g, why: "export * hides what a face offers: name the exports" },
  { text: /\bexport\s+default\b|\bas\s+default\b/g, why: "no default exports in src/" },
  { text: /\bconsole\s*\./g, why: "only cli/ writes to the console", door: "cli" },
];

function checkText(path: string, code: string): string[] {
  const rules = FORBIDDEN.filter(({ door }) => door !== placeOf(path));
  const found = rules.flatMap(({ text, why }) =>
    [...code.matchAll(text)].map((match) => `${path}:${lineAt(code, match.index)}: ${why}`),
  );
  const exports = /\bexport\s+(?:type\s+)?\{[^}]*\}\s*from\s*["'] *["'];?/g;
  const holdsCode = posix.basename(path) === "index.ts" && code.replace(exports, "").trim() !== "";
  return holdsCode ? [...found, `${path}:1: a face holds exports and no code`] : found;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const found = checkLayers(process.argv[2] ?? "src");
  for (const line of found) process.stderr.write(`${line}\n`);
  process.stderr.write(found.length === 0 ? "layers: in order\n" : `layers: ${found.length} breaches\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
