import type { Relation, RelationName } from "../catalog-view.ts";
import { quotedPath } from "../names.ts";
import type { Changed } from "./reach.ts";

/** Relations that were read, and what names were found to mean. */
export class Remembered {
  readonly #relations = new Map<string, Relation>();
  /** OIDs by name as SQL writes it; undefined where there is nothing of that name. */
  readonly #names = new Map<string, Known>();

  clear(): void {
    this.#relations.clear();
    this.#names.clear();
  }

  hasName(name: RelationName): boolean {
    return this.#names.has(quotedPath(name));
  }

  idOf(name: RelationName): string | undefined {
    return this.#names.get(quotedPath(name))?.id;
  }

  get(id: string): Relation | undefined {
    return this.#relations.get(id);
  }

  has(id: string): boolean {
    return this.#relations.has(id);
  }

  add(relation: Relation): void {
    const { id, schema, name } = relation;
    this.#relations.set(id, relation);
    this.#names.set(quotedPath({ schema, name }), { id, name });
  }

  ids(): readonly string[] {
    return [...this.#relations.keys()];
  }

  /** A file begins: all of them were there before it. */
  makeOld(): void {
    for (const [id, relation] of this.#relations) {
      if (relation.isOld && relation.indexes.every(({ isOld }) => isOld)) continue;
      const indexes = relation.indexes.map((index) => ({ ...index, isOld: true }));
      this.#relations.set(id, { ...relation, isOld: true, indexes });
    }
  }

  addName({
    name,
    path,
    id,
  }: {
    readonly name: string;
    readonly path: string;
    readonly id: string | undefined;
  }): void {
    this.#names.set(path, { id, name });
  }

  /**
   * Whatever is called as one of the changed relations, in any schema, is forgotten, with what it is a part of, what is a
   * part of it, and what belongs to it. So is what was not there: a relation that is made brings others along whose names
   * nobody wrote, of its indexes and sequences.
   *
   * Enough because a relation is read with everything it is a part of: what is remembered as a part of a changed one
   * finds that one here. False when it is not enough: of a relation whose foreign keys are concerned, or of a part of it,
   * nothing is known.
   */
  forgetChanged({ names, isFar }: Changed): boolean {
    const words = new Set(names.map(({ name }) => name));
    const roots = [...this.#relations.values()].filter(({ name }) => words.has(name));
    if (isFar && new Set(roots.map(({ name }) => name)).size < words.size) return false;
    const families = this.#withFamilies(roots);
    if (isFar && [...families].some(({ children }) => children.some((id) => !this.has(id)))) return false;
    this.#remove(isFar ? this.#withFamilies([...families, ...this.#partnersOf(families)]) : families, words);
    return true;
  }

  #remove(relations: ReadonlySet<Relation>, words: ReadonlySet<string>): void {
    const gone = new Set<string>();
    for (const { id, sequences } of relations)
      for (const one of [id, ...sequences.map((owned) => owned.id)]) gone.add(one);
    for (const { id, tableId } of this.#relations.values())
      if (tableId !== undefined && gone.has(tableId)) gone.add(id);
    for (const id of gone) this.#relations.delete(id);
    for (const [path, { id, name }] of this.#names) {
      if (id === undefined || words.has(name) || gone.has(id)) this.#names.delete(path);
    }
  }

  /** The relations, the tables of those that are indexes, and all that these are a part of or that is a part of them. */
  #withFamilies(roots: readonly Relation[]): ReadonlySet<Relation> {
    const found = new Set<Relation>();
    const open = [...roots];
    for (let relation = open.pop(); relation !== undefined; relation = open.pop()) {
      if (found.has(relation)) continue;
      found.add(relation);
      const { tableId, parents, children } = relation;
      open.push(...this.#all([...parents, ...children, ...(tableId === undefined ? [] : [tableId])]));
    }
    return found;
  }

  /** Those at the other end of a foreign key. */
  #partnersOf(relations: ReadonlySet<Relation>): readonly Relation[] {
    return [...relations].flatMap(({ constraints, referencedBy }) =>
      this.#all([
        ...constraints.flatMap(({ reference }) => reference?.tableId ?? []),
        ...referencedBy.map(({ tableId }) => tableId),
      ]),
    );
  }

  #all(ids: readonly string[]): readonly Relation[] {
    return ids.flatMap((id) => this.#relations.get(id) ?? []);
  }
}

interface Known {
  readonly id: string | undefined;
  /** Without its schema. */
  readonly name: string;
}
