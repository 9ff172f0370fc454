import { snakeCase } from "../sql/index.ts";

/** Gives names that are not taken yet. */
export interface Namer {
  /** `wanted`, or the next one that is free: with `ending`, then numbered. */
  take(wanted: string, ending?: string): string;
}

export function createNamer(taken: Iterable<string> = []): Namer {
  const names = new Set(taken);
  return {
    take: (wanted, ending = "") => {
      let name = wanted;
      if (names.has(name) && ending !== "") name = `${wanted}${ending}`;
      for (let number = 2; names.has(name); number++) name = `${wanted}${ending}${number}`;
      names.add(name);
      return name;
    },
  };
}

/** Letters and digits of the usual scripts: about others, compilers and engines disagree. */
const WORD = /(?:[A-Za-z0-9\u00c0-\u024f\u0370-\u1fff\u3040-\u9fff\uac00-\ud7a3](?<=[\p{L}\p{Nd}]))+/gu;

/** `order_lines` is `orderLines`, and so is `OrderLines`; what can be in no identifier parts words. */
export function camelCase(name: string): string {
  const words: readonly string[] = snakeCase(name).match(WORD) ?? [];
  const [first = "unnamed", ...rest] = words;
  const joined = [first, ...rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join("");
  return /^\p{L}/u.test(joined) ? joined : `n${joined}`;
}

/** One of many, as far as English goes. */
export function singular(plural: string): string {
  if (/ies$/.test(plural)) return plural.replace(/ies$/, "y");
  if (/(?:ss|us|x|zz|ch|sh)es$/.test(plural)) return plural.replace(/es$/, "");
  return /[^s]s$/.test(plural) ? plural.slice(0, -1) : plural;
}

/** No constant can be called so. @see https://tc39.es/ecma262/#prod-ReservedWord */
export const RESERVED_WORDS: readonly string[] = (
  "abstract any arguments as async await boolean break case catch class const constructor continue debugger declare default " +
  "delete do else enum eval export extends false finally for from function get if implements import in infer instanceof " +
  "interface is keyof let module namespace never new null number object of package private protected public readonly require " +
  "return set static string super switch symbol this throw true try type typeof undefined unique unknown var void while with yield"
).split(" ");

/** What Drizzle's tables and JavaScript's objects have of their own: a column of that name would hide it. */
export const TABLE_PROPERTIES: readonly string[] = [
  "_",
  "$inferSelect",
  "$inferInsert",
  "getSQL",
  "enableRLS",
  "constructor",
  "hasOwnProperty",
  "isPrototypeOf",
  "propertyIsEnumerable",
  "toLocaleString",
  "toString",
  "valueOf",
];
