import { quoteLiteral } from "../../sql/index.ts";
import { refuse } from "../options.ts";

/**
 * A name, a text, or a parameter that nothing is joined to. `'it''s'` is two texts here: an expression that took it for
 * one would remember each of its characters, and fail at some ten million.
 */
const PARTS = /"[^"]*"|'[^']*'|(?<![\w$\u0080-\uffff])\$(\d+)(?![\w$\u0080-\uffff])/g;
/** Where quoting follows other rules: escapes, comments, dollar quotes. */
const OTHER_RULES = /\\|--|\/\*|\$(?!\d)/;

/**
 * A statement with its values written into it, because COPY takes no parameters. A value becomes a quoted literal in
 * the place of a parameter that certainly is one: in a text whose quoting is not beyond doubt, values are refused.
 * PostgreSQL infers the type of a bare literal as it does a parameter's.
 *
 * @throws {INVALID_QUERY}
 */
export function withLiterals(text: string, values: readonly (string | Buffer | null)[]): string {
  if (values.length === 0) return text;
  if (OTHER_RULES.test(text))
    refuse(
      "query",
      "has values, which COPY takes only as a part of the text: then it may hold no backslash, comment or dollar quote",
    );
  // A quote that nothing closes would be closed by one of ours.
  if (/['"]/.test(text.replace(PARTS, ""))) refuse("query", "has a quote that nothing closes");
  const met = new Set<number>();
  const written = text.replace(PARTS, (part, digits: string | undefined) => {
    if (digits === undefined) return part;
    const value = values[Number(digits) - 1];
    if (value === undefined) refuse("query", `has a $${digits} that is no value of its own`);
    met.add(Number(digits));
    return ` ${literal(value)} `;
  });
  const lost = values.findIndex((_, i) => !met.has(i + 1));
  if (lost !== -1) refuse("query", `has a value (the ${lost + 1}.) inside quotes, or joined to a name`);
  return written;
}

function literal(value: string | Buffer | null): string {
  if (value === null) return "null";
  return quoteLiteral(typeof value === "string" ? value : `\\x${value.toString("hex")}`).trimStart();
}
