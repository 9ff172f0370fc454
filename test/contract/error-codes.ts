import { readSource } from "../../scripts/source.ts";

/** One line of the table in docs/reference/errors.md. */
export interface DocumentedError {
  readonly code: string;
  readonly className: string;
  readonly when: string;
  readonly remedy: string;
  readonly status: string;
}

/** The lines `| \`CODE\` | \`Class\` | when | what to do | status |` of a document. */
export function documentedErrors(document: string): DocumentedError[] {
  const lines = document.matchAll(/^\| *`([A-Z_]+)` *\|([^|]+)\|([^|]+)\|([^|]+)\|([^|]+)\|$/gm);
  return [...lines].map(([, code = "", className = "", when = "", remedy = "", status = ""]) => ({
    code,
    className: className.replaceAll("`", "").trim(),
    when: when.trim(),
    remedy: remedy.trim(),
    status: status.trim(),
  }));
}

/** Classes that carry one code for ever: `super("NOT_FOUND", …)` in their constructor. Class name to code. */
export function codesOfClasses(text: string): Map<string, string> {
  const { code } = readSource(text);
  const classes = code.matchAll(/class (\w+) extends \w+ \{(?:(?!\bclass )[\s\S])*?super\(\s*"/g);
  const pairs = [...classes].map((match): [string, string] => {
    const start = match.index + match[0].length;
    return [match[1] ?? "", text.slice(start, text.indexOf('"', start))];
  });
  return new Map(pairs.filter(([, value]) => value !== ""));
}

/** What a file raises: the codes it writes down, less those it only compares with. */
export function codesRaisedIn(text: string, classCodes: ReadonlyMap<string, string>): Set<string> {
  const { code } = readSource(text);
  const written = [...code.matchAll(/(===|!==|case)?\s*"( +)"/g)]
    .filter(([, comparison]) => comparison === undefined)
    .map((match) => {
      const start = match.index + match[0].length - 1 - (match[2]?.length ?? 0);
      return text.slice(start, start + (match[2]?.length ?? 0));
    });
  const constructed = [...code.matchAll(/\bnew (\w+)\(/g)].map(
    ([, name]) => classCodes.get(name ?? "") ?? "",
  );
  return new Set([...written, ...constructed]);
}
