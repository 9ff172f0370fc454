/** TypeScript as text. Names and texts of a database are anybody's: each goes through here. */

/** A string literal. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The same text in backticks, on as many lines as it has. */
export function template(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("`", "\\`")
    .replaceAll("${", "\\${")
    // A template turns a carriage return into a line end, and nobody would see the other ones.
    .replaceAll("\r", "\\r")
    .replaceAll(/[^\P{Cc}\n\t]|[\u2028\u2029]/gu, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
    });
  return `\`${escaped}\``;
}

/** A property's name, quoted where it must be. */
export function property(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
}

/** Access to a property: `t.title`, `t["größe"]`. */
export function member(object: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${object}.${key}` : `${object}[${quoted(key)}]`;
}

const WIDTH = 80;

/** `{ a: 1, b: 2 }`, on one line where it fits. Entries without a value are left out. */
export function object(entries: readonly (readonly [key: string, value: string | undefined])[]): string {
  const lines = entries.flatMap(([key, value]) =>
    value === undefined ? [] : [value === key ? key : `${property(key)}: ${value}`],
  );
  return group("{", lines, "}", " ");
}

export function list(items: readonly string[]): string {
  return group("[", items, "]", "");
}

/** A call with its arguments. */
export function call(name: string, ...items: readonly (string | undefined)[]): string {
  return `${name}(${items.filter((item) => item !== undefined).join(", ")})`;
}

function group(open: string, items: readonly string[], close: string, space: string): string {
  if (items.length === 0) return open + close;
  const line = `${open}${space}${items.join(", ")}${space}${close}`;
  if (line.length <= WIDTH && !line.includes("\n")) return line;
  return `${open}\n${items.map((item) => `${indent(item)},\n`).join("")}${close}`;
}

/** Two spaces in front of each line, but not inside a template, whose text would change. */
export function indent(source: string): string {
  let result = "";
  let isTemplate = false;
  for (const [number, line] of source.split("\n").entries()) {
    if (number > 0) result += "\n";
    result += isTemplate || line === "" ? line : `  ${line}`;
    isTemplate = endsInTemplate(line, isTemplate);
  }
  return result;
}

/** What this file writes has no backtick but those of templates; strings and comments escape or lack them. */
function endsInTemplate(line: string, isTemplate: boolean): boolean {
  let inside = isTemplate;
  let inString = false;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === "\\") at += 1;
    else if (!inside && character === '"') inString = !inString;
    else if (!inString && character === "`") inside = !inside;
  }
  return inside;
}
