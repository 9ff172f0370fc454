import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** A schema has a file for each table or so; what is larger is not read twice. */
const FILES_LIMIT = 2_000;

/** What a schema module imports without getting declared objects from it. */
const HARMLESS_PACKAGE = /^(?:node:|(?:plinth|drizzle-orm)(?:\/|$))/;

const SPECIFIER = /\b(?:from|import)\s*(["'])(.*?)\1/g;

/** Other ways to a schema, to its name and to a module, and comments where a path would stand. */
const DOUBTFUL = [
  /\b(?:pgSchema|PgSchema)\b/,
  /\bDATABASE_SCHEMA["'`\]]*\s*(?:[:=]|\?\?=|\|\|=)/,
  /\brequire\s*[^\s\w]|\b(?:import|eval|Function)\s*\(/,
  /\b(?:from|import)\s*\/[/*]/,
];

/** `import { appSchema, entity }`, without renaming. */
const IMPORT_CLAUSE = /\bimport\s*\{(?![^}]*\bappSchema\s+as\b)[\w$\s,]*\}/g;

const APP_SCHEMA = /\bappSchema\b(?:\s*\(\s*(["'])([a-z_][a-z0-9_$]{0,62})\1\s*\))?/g;

const NOT_AN_APPLICATIONS = /^(?:public|information_schema|plinth|pg_.*)$/;

const EXTENSIONS = ["", ".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", ".json"];

/**
 * The name in `appSchema("…")`, read from the text of the schema module and of the project's files it imports; a command
 * that needs only the name then starts in half the time, as it loads neither Drizzle nor a transpiler. Undefined wherever the
 * text leaves a doubt: another name in any of them (a comment counts), a name that is computed, a package that could bring
 * a schema along, a path that means several files. Then the module has to be loaded.
 */
export function findDeclaredName(schemaFile: string): string | undefined {
  const names = new Set<string>();
  const files = new Set([schemaFile]);
  const listed = new Map<string, ReadonlySet<string>>();
  for (const file of files) {
    const text = readText(file);
    if (text === undefined || DOUBTFUL.some((pattern) => pattern.test(text)) || files.size > FILES_LIMIT)
      return undefined;
    for (const [, , name] of text.replace(IMPORT_CLAUSE, "").matchAll(APP_SCHEMA)) {
      if (name === undefined || NOT_AN_APPLICATIONS.test(name)) return undefined;
      names.add(name);
    }
    for (const [, , specifier = ""] of text.matchAll(SPECIFIER)) {
      if (HARMLESS_PACKAGE.test(specifier)) continue;
      const imported = findModule(dirname(file), specifier, listed);
      if (imported === undefined) return undefined;
      files.add(imported);
    }
  }
  const [name] = names;
  return names.size === 1 ? name : undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Whoever loads it says what is wrong.
    return undefined;
  }
}

/** The file a relative path means; undefined where it means none, several, or no code. */
function findModule(
  directory: string,
  specifier: string,
  listed: Map<string, ReadonlySet<string>>,
): string | undefined {
  if (!/^\.\.?\/[\w$@./-]*$/.test(specifier)) return undefined;
  const path = resolve(directory, specifier);
  // TypeScript writes the name of what a file will be compiled to.
  const paths = [path, path.replace(/\.([cm]?)js$/, ".$1ts")];
  const asFile = paths.flatMap((base) => EXTENSIONS.map((extension) => `${base}${extension}`));
  const asFolder = EXTENSIONS.map((extension) => join(path, `index${extension}`));
  const found = [...new Set([...asFile, ...asFolder, join(path, "package.json")])].filter((candidate) =>
    filesIn(dirname(candidate), listed).has(basename(candidate)),
  );
  const [file] = found;
  return file !== undefined && found.length === 1 && /\.[cm]?[jt]s$/.test(file) ? file : undefined;
}

/** Names of what is no folder: asking for each candidate would take longer than reading the folder. */
function filesIn(folder: string, listed: Map<string, ReadonlySet<string>>): ReadonlySet<string> {
  const known = listed.get(folder) ?? new Set(listFiles(folder));
  listed.set(folder, known);
  return known;
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [] : [entry.name],
    );
  } catch {
    return [];
  }
}
