/** The longest name worth comparing: `distance` is quadratic, and names come from callers. */
const NAME_LENGTH_LIMIT = 64;

/**
 * The known name nearest to what was typed, or `undefined` when none is within two edits (three for names of more
 * than eight letters, one for names of up to three, where two would make any name of any other).
 */
export function nearestName(typed: string, known: readonly string[]): string | undefined {
  if (typed.length > NAME_LENGTH_LIMIT) return undefined;
  const limit = typed.length > 8 ? 3 : typed.length > 3 ? 2 : 1;
  let best: { name: string; edits: number } | undefined;
  for (const name of known) {
    if (Math.abs(name.length - typed.length) > limit) continue;
    const edits = distance(typed.toLowerCase(), name.toLowerCase());
    if (edits <= limit && (best === undefined || edits < best.edits)) best = { name, edits };
  }
  return best?.name;
}

/**
 * `unknown column "titel"; did you mean "title"?`, or the list of what is allowed when nothing is near. What is no
 * string (a parsed body may hold anything) is called by its type and never converted: its `toString` is not ours.
 */
export function unknownName(kind: string, typed: unknown, known: readonly string[]): string {
  if (typeof typed !== "string")
    return `${kind} must be a string, not ${typed === null ? "null" : typeof typed}`;
  if (known.length === 0) return `unknown ${kind} ${quoted(typed)}; there are none`;
  const nearest = nearestName(typed, known);
  const shown = quoted(typed);
  return nearest === undefined
    ? `unknown ${kind} ${shown}; allowed: ${known.join(", ")}`
    : `unknown ${kind} ${shown}; did you mean ${JSON.stringify(nearest)}?`;
}

function quoted(typed: string): string {
  return JSON.stringify(typed.length > NAME_LENGTH_LIMIT ? `${typed.slice(0, NAME_LENGTH_LIMIT)}…` : typed);
}

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution);
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
