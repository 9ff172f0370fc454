/** The questions `scripts/check-layers.ts` asks of every import; the answers come from the rows of `layers.ts`. */
import { DOORS, PACKAGES, ROOTS, ROWS, SIBLINGS_ROW } from "./layers.ts";

/** The folder of a path below `src/`, or the file itself where it lies in `src/`. */
export const placeOf = (path: string): string => path.split("/")[0] ?? path;
/** `drizzle-orm/pg-core` is in `drizzle-orm`, `@hono/node-server/x` in `@hono/node-server`. */
export const packageName = (specifier: string): string =>
  specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
const rowOf = (place: string): number => ROWS.findIndex((row) => row.includes(place));

/** Why the file `from` may not import the file `to`, both below `src/`; `undefined` when it may. */
export function problemOfImport(from: string, to: string): string | undefined {
  const [here, there] = [placeOf(from), placeOf(to)];
  if (here === there) return undefined;
  if (DOORS.includes(there)) return `nobody imports ${there}/`;
  if (there !== to && to !== `${there}/index.ts`) return `import the face ${there}/index.ts, not ${to}`;
  const unknown = [here, there].find((place) => ROOTS[place] === undefined && rowOf(place) < 0);
  if (unknown !== undefined) return `${unknown} has no row in scripts/layers.ts`;
  const [row, target, roots] = [rowOf(here), rowOf(there), Object.keys(ROOTS)];
  const lowest = ROOTS[there]?.importedFromRow;
  if (row < 0)
    return lowest === undefined || isLeft(roots, there, here) ? undefined : `${there} stands above ${here}`;
  if (lowest !== undefined) return row >= lowest ? undefined : `row ${row} imports the root ${there}`;
  if (target !== row)
    return target < row ? undefined : `row ${row} imports row ${target}: imports go down only`;
  if (row === SIBLINGS_ROW) return `${here}/ and ${there}/ are siblings: they meet through schema/`;
  return isLeft(ROWS[row] ?? [], there, here) ? undefined : `${there}/ stands right of ${here}/ in its row`;
}

const isLeft = (row: readonly string[], one: string, other: string): boolean =>
  row.indexOf(one) < row.indexOf(other);

/** Why the file `from` may not import the package `name`; `undefined` when it may. */
export function problemOfPackage(from: string, name: string): string | undefined {
  const places = PACKAGES[name];
  if (places === undefined) return `${name} is no dependency of src/: a runtime dependency needs an ADR`;
  return places.some((place) => from.startsWith(place))
    ? undefined
    : `${name} belongs in ${places.join(" and ")} only`;
}
