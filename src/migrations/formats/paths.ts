import { compareVersions } from "../migration-file.ts";
import type { FolderText, FoundMigration } from "./model.ts";

export function isSql(path: string): boolean {
  return /\.sql$/i.test(path);
}

/** SQL files of the folder itself, in order of name. */
export function topSql(content: FolderText): readonly (readonly [path: string, text: string])[] {
  return [...content].filter(([path]) => isSql(path) && !path.includes("/") && !path.startsWith("."));
}

/** Paths of SQL files in the folders of the folder. */
export function nestedSql(content: FolderText): readonly string[] {
  return [...content.keys()].filter((path) => isSql(path) && path.includes("/"));
}

/** `20260412_add_tasks.sql`: the digits in front, and the rest in words. */
export function nameParts(path: string): { readonly version: string | undefined; readonly name: string } {
  const base = path.replace(/\.sql$/i, "");
  const match = /^(\d{1,40})[_.\- ]*(.*)$/.exec(base);
  const name = match?.[2] === undefined || match[2] === "" ? base : match[2];
  return { version: match?.[1], name };
}

/** By the number in front, then by name, as tools do that allow two of one number. */
export function inNameOrder(migrations: readonly FoundMigration[]): readonly FoundMigration[] {
  const number = ({ version }: FoundMigration): string => (/^\d+$/.test(version) ? version : "0");
  return [...migrations].sort(
    (a, b) => compareVersions(number(a), number(b)) || (a.fileName < b.fileName ? -1 : 1),
  );
}

/** Flyway's versions: `1.10` comes after `1.9`, and `1.0` is `1`. */
export function compareDotted(a: string, b: string): number {
  const [left, right] = [a.split("."), b.split(".")];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const order = compareVersions(left[at] ?? "0", right[at] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}
