/**
 * PostgreSQL's text form of arrays: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 * Both directions are linear in the length of the text.
 */

/** What an array literal is made of: text, bytes, null, or an array of them for another dimension. */
export type ArrayInput = readonly (string | Buffer | null | ArrayInput)[];

/** An array literal of text items; bytes as `\x…`. */
export function encodeArray(items: ArrayInput): string {
  let text = "{";
  for (let i = 0; i < items.length; i++) {
    const item = items[i] ?? null;
    if (i > 0) text += ",";
    if (item === null) text += "NULL";
    else if (typeof item === "string") text += quoteItem(item);
    else text += Buffer.isBuffer(item) ? quoteItem(`\\x${item.toString("hex")}`) : encodeArray(item);
  }
  return `${text}}`;
}

function quoteItem(item: string): string {
  return /["\\]/.test(item) ? `"${item.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : `"${item}"`;
}

/** Items of an array of any number of dimensions, each a text cell, null, or an array of them. */
export type ArrayItems = readonly (string | null | ArrayItems)[];

/** Reads an array literal. Bounds written in front of it (`[0:2]={…}`) are passed over. */
export function decodeArray(text: string): ArrayItems {
  const start = text.indexOf("{");
  const stack: (string | null | ArrayItems)[][] = [];
  let current: (string | null | ArrayItems)[] = [];
  let i = start + 1;
  while (i < text.length) {
    const character = text[i];
    if (character === "{") {
      stack.push(current);
      current = [];
      i += 1;
    } else if (character === "}") {
      const parent = stack.pop();
      if (parent === undefined) return current;
      parent.push(current);
      current = parent;
      i += 1;
    } else if (character === ",") {
      i += 1;
    } else {
      const [item, next] = character === '"' ? quotedItem(text, i + 1) : plainItem(text, i);
      current.push(item);
      i = next;
    }
  }
  return current;
}

function quotedItem(text: string, from: number): [string, number] {
  let item = "";
  let i = from;
  while (i < text.length && text[i] !== '"') {
    if (text[i] === "\\") i += 1;
    item += text[i] ?? "";
    i += 1;
  }
  return [item, i + 1];
}

function plainItem(text: string, from: number): [string | null, number] {
  let i = from;
  while (i < text.length && text[i] !== "," && text[i] !== "}") i += 1;
  const item = text.slice(from, i);
  return [item === "NULL" ? null : item, i];
}
