/**
 * PostgreSQL's text form of composite values: https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX
 * Both directions are linear in the length of the text.
 */

/** `("a b",,1)`: an empty field is null. */
export function encodeRecord(fields: readonly (string | null)[]): string {
  return `(${fields.map((field) => (field === null ? "" : quoteField(field))).join(",")})`;
}

function quoteField(field: string): string {
  return `"${field.replaceAll("\\", "\\\\").replaceAll('"', '""')}"`;
}

/** The fields of a composite value as text cells. */
export function decodeRecord(text: string): readonly (string | null)[] {
  const fields: (string | null)[] = [];
  let i = 1;
  for (;;) {
    const field = readField(text, i);
    fields.push(field.value);
    i = field.end + 1;
    if (text[field.end] !== ",") return fields;
  }
}

/** A field up to its comma or the closing parenthesis. */
function readField(text: string, start: number): { readonly value: string | null; readonly end: number } {
  let value = "";
  let isQuoted = false;
  let inQuotes = false;
  let i = start;
  for (; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === "\\") {
      i += 1;
      value += text.charAt(i);
    } else if (character === '"') {
      // A doubled quote inside quotes is one; the second of the pair opens them again.
      if (!inQuotes && isQuoted && text.charAt(i - 1) === '"') value += '"';
      inQuotes = !inQuotes;
      isQuoted = true;
    } else if (!inQuotes && (character === "," || character === ")")) {
      break;
    } else {
      value += character;
    }
  }
  return { value: value === "" && !isQuoted ? null : value, end: i };
}
