import type { Catalog, Grant } from "../model.ts";
import { describeColumn, describeGrant, describeObject } from "./describe.ts";

/** One thing that is compared with what has the same kind and name on the other side. */
export interface Entry {
  readonly kind: string;
  readonly name: string;
  readonly text: string;
  /** Id of the object or column that a comment or a right belongs to. */
  readonly of: string | undefined;
}

/** Everything in a catalog, one by one: objects, columns, comments and rights, by kind and name. */
export function entriesOf(catalog: Catalog): ReadonlyMap<string, Entry> {
  const entries = catalog.objects.flatMap((object): readonly Entry[] => {
    const { id, kind, comment, grants } = object;
    const own = entry(kind, nameIn(id, kind), describeObject(object));
    const marks = marksOf(id, comment, grants);
    if (kind === "table") {
      const columns = object.columns.flatMap((column) => [
        entry("column", nameIn(column.id, "column"), describeColumn(column)),
        ...marksOf(column.id, column.comment, column.grants),
      ]);
      return [own, ...marks, ...columns];
    }
    if (kind === "view" || kind === "materialized view") {
      const comments = object.columns.flatMap((column) =>
        column.comment === undefined
          ? []
          : [entry("comment", `column ${nameIn(id, kind)}.${column.name}`, column.comment, id)],
      );
      return [own, ...marks, ...comments];
    }
    return [own, ...marks];
  });
  return new Map(entries.map((one) => [`${one.kind} ${one.name}`, one]));
}

/** `tasks.title` of `column tasks.title`. */
export function nameIn(id: string, kind: string): string {
  return id.slice(kind.length + 1);
}

function entry(kind: string, name: string, text: string, of?: string): Entry {
  return { kind, name, text, of };
}

function marksOf(id: string, comment: string | undefined, grants: readonly Grant[]): readonly Entry[] {
  return [
    ...(comment === undefined ? [] : [entry("comment", id, comment, id)]),
    ...grants.map((grant) => entry("grant", `${id} to ${grant.grantee}`, describeGrant(grant), id)),
  ];
}
