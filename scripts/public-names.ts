/**
 * Guards the public surface: `test/contract/public-names.json` lists every name of every subpath, so that a name
 * comes or goes in plain sight of a review. `npm run names` writes the list; a contract test compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readSource } from "./source.ts";

/** Subpath to its sorted names; a type reads `type Pool`. */
export type PublicNames = Readonly<Record<string, readonly string[]>>;

export const PUBLIC_NAMES_FILE = "test/contract/public-names.json";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

/** `plinth/pool` to `src/pool/index.ts`, for every subpath of package.json that holds code. */
export function faces(root: string): Readonly<Record<string, string>> {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
    typeof target === "string"
      ? []
      : [[`plinth${subpath.slice(1)}`, target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts")]],
  );
  return Object.fromEntries(entries);
}

export function publicNames(root: string): PublicNames {
  const entries = Object.entries(faces(root)).map(([subpath, face]) => [
    subpath,
    namesOfFace(readFileSync(join(root, face), "utf8")),
  ]);
  return Object.fromEntries(entries);
}

/** The names a face exports. Faces hold `export { … } from` only: `scripts/check-layers.ts` sees to it. */
export function namesOfFace(text: string): string[] {
  const lists = readSource(text).code.matchAll(/\bexport\s+(type\s+)?\{([^}]*)\}/g);
  const names = [...lists].flatMap(([, type, list = ""]) =>
    list
      .split(",")
      .map((item) => item.trim().replace(/\s+/g, " "))
      .filter(Boolean)
      .map((item) => {
        const name = item.replace(/^type /, "").replace(/^.* as /, "");
        return type !== undefined || item.startsWith("type ") ? `type ${name}` : name;
      }),
  );
  return names.sort();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(PUBLIC_NAMES_FILE, `${JSON.stringify(publicNames("."), null, 2)}\n`);
}
