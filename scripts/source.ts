/**
 * Reads a TypeScript file just far enough for the checks of this folder: `readSource` blanks comments and the
 * insides of strings, so that a search in `code` finds code only. TypeScript 7 has no JavaScript API to ask.
 */

export interface SourceImport {
  readonly specifier: string;
  readonly line: number;
}

export interface SourceText {
  /** As long as the file, line breaks included: offsets and line numbers are those of the file. */
  readonly code: string;
  /** `from "x"`, `import "x"`, `import("x")` (also as a type), `require("x")`, `import.meta.resolve("x")`. */
  readonly imports: readonly SourceImport[];
}

export function readSource(text: string): SourceText {
  const code = blankedOut(text);
  const pattern =
    /(?<![.\w$])(?:from|(?:import|require(?:\.resolve)?|import\.meta\.resolve)\s*\(?)\s*(["'`])/g;
  const imports = [...code.matchAll(pattern)].map((match) => {
    const start = match.index + match[0].length;
    const end = code.indexOf(match[1] ?? '"', start);
    return { specifier: text.slice(start, end), line: lineAt(text, match.index) };
  });
  return { code, imports };
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** A `/` after one of these begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[([{,;:=!&|?+\-*%<>~^}]|\b(?:return|typeof|case|in|of|await|throw))\s*$/;

/** What can begin at a position and hides code-like text, in the order they are tried. */
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y;
const REGEX = /\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//y;
const TEMPLATE_PART = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;

function blankedOut(text: string): string {
  let code = "";
  // One entry per open `${`: how many braces are open inside it.
  const holes: number[] = [];
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = code.length;
    return pattern.exec(text)?.[0];
  };
  const template = (): void => {
    code += blank(take(TEMPLATE_PART) ?? "");
    if (text.startsWith("${", code.length)) {
      code += "${";
      holes.push(0);
    } else if (code.length < text.length) code += "`";
  };
  while (code.length < text.length) {
    const next = text[code.length] ?? "";
    const comment = next === "/" ? take(COMMENT) : undefined;
    const string = next === '"' || next === "'" ? take(STRING) : undefined;
    const opens = next === "/" && comment === undefined && BEFORE_REGEX.test(code.slice(-40));
    const regex = opens ? take(REGEX) : undefined;
    if (comment !== undefined) code += blank(comment);
    else if (string !== undefined) code += string[0] + blank(string.slice(1, -1)) + string[0];
    else if (regex !== undefined) code += `/${blank(regex.slice(1, -1))}/`;
    else {
      const depth = holes.at(-1);
      code += next;
      if (next === "`") template();
      else if (next === "{" && depth !== undefined) holes[holes.length - 1] = depth + 1;
      else if (next === "}" && depth === 0) {
        holes.pop();
        template();
      } else if (next === "}" && depth !== undefined) holes[holes.length - 1] = depth - 1;
    }
  }
  return code;
}

const blank = (text: string): string => text.replace(/[^\n]/g, " ");
