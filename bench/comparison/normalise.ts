/**
 * An answer as a text that two subjects share exactly when they gave the same rows: entities of whatever class are
 * their own properties in order of name; a date is a date and not its text, null is not undefined, 1n is not 1.
 */
export function normalise(answer: unknown, unequal: readonly string[]): string {
  return JSON.stringify(marked(answer, new Set(unequal)));
}

function marked(value: unknown, unequal: ReadonlySet<string>): unknown {
  if (value instanceof Date) return { "Date:": value.toISOString() };
  if (Array.isArray(value)) return value.map((item) => marked(item, unequal));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([name]) => !unequal.has(name));
    const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, inner]) => [name, marked(inner, unequal)]));
  }
  return typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean" ||
    value === null
    ? value
    : { [`${typeof value}:`]: String(value) };
}
