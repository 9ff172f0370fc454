/** Names that a text needs, by module. */
export type NeededImports = ReadonlyMap<string, readonly string[]>;

const IMPORT = /^import\s+\{([^}]*)\}\s+from\s+(["'])([^"']+)\2;?[ \t]*$/gm;

/**
 * Adds imports to a TypeScript text: into the braces of an import of the same module where there is one, else as a
 * line after the last import. Names that are imported already are left alone.
 */
export function withImports(text: string, needed: NeededImports): string {
  let result = text;
  for (const [module, names] of needed) result = withImport(result, module, names);
  return result;
}

function withImport(text: string, module: string, names: readonly string[]): string {
  const known = new Set(
    [...text.matchAll(IMPORT)].flatMap((match) => (match[1] ?? "").split(",").map(bareName)),
  );
  const missing = names.filter((name) => !known.has(bareName(name)));
  if (missing.length === 0) return text;
  const own = [...text.matchAll(IMPORT)].find((match) => match[3] === module);
  if (own?.[1] !== undefined) {
    const all = [...own[1].split(","), ...missing].map((name) => name.trim()).filter((name) => name !== "");
    return text.replace(own[0], importLine(module, all));
  }
  const last = [...text.matchAll(/^import\s[^;]*?from\s+["'][^"']+["'];?[ \t]*$/gm)].at(-1);
  const line = importLine(module, missing);
  if (last === undefined) return `${line}\n\n${text}`;
  const end = last.index + last[0].length;
  return `${text.slice(0, end)}\n${line}${text.slice(end)}`;
}

/** One line, or a name a line where it would be long. */
function importLine(module: string, names: readonly string[]): string {
  const sorted = [...names].sort((a, b) => (bareName(a).toLowerCase() < bareName(b).toLowerCase() ? -1 : 1));
  const line = `import { ${sorted.join(", ")} } from "${module}";`;
  return line.length <= 110 ? line : `import {\n  ${sorted.join(",\n  ")},\n} from "${module}";`;
}

/** `type AnyPgColumn` and `AnyPgColumn` are the same name. */
function bareName(name: string): string {
  return name.trim().replace(/^type\s+/, "");
}
