import { InputError, type InputIssue, unknownName } from "../../errors/index.ts";
import {
  type ColumnDescription,
  type EntityDescription,
  ownPairs,
  type RelationDescription,
} from "../../schema/index.ts";
import type { Encoded } from "../../sql/index.ts";
import type { Scope } from "../context.ts";
import { at, encodeNewRow } from "../input.ts";
import { isPlainObject } from "../options.ts";

/** Rows inside rows; deeper ones are a mistake, such as an object that holds itself. */
const DEPTH_LIMIT = 32;

/** A row to be made, and what other rows of the same call bring to it. */
export interface Node {
  readonly entity: EntityDescription;
  /** As errors name it; empty for the outermost. */
  readonly path: string;
  readonly row: Map<ColumnDescription, Encoded>;
  readonly fills: readonly Fill[];
  /** Inserts that have to come before its own. */
  readonly level: number;
  readonly branches: readonly Branch[];
  /** What the insert made of it, with the keys that other rows need, as PostgreSQL writes them. */
  record?: Readonly<Record<string, unknown>>;
}

/** Columns that take their values from another row's. */
interface Fill {
  readonly columns: readonly ColumnDescription[];
  readonly from: Node;
  readonly fromColumns: readonly ColumnDescription[];
}

/** The rows of one relation, as they stood in the input. */
interface Branch {
  readonly name: string;
  readonly many: boolean;
  readonly nodes: readonly Node[];
}

/** Everything that one input makes. Rows of link tables stand in no branch. */
export interface Graph {
  readonly root: Node;
  readonly nodes: readonly Node[];
}

/**
 * Reads an input of rows inside rows.
 *
 * @throws {INVALID_VALUE} with everything that is wrong at any depth.
 */
export function readGraph(scope: Scope, input: unknown): Graph {
  const reader = new GraphReader(scope);
  const root = reader.read(scope.entity, input, { path: "", depth: 0, parent: undefined });
  if (reader.issues.length > 0 || root === undefined) throw new InputError("INVALID_VALUE", reader.issues);
  return { root, nodes: reader.nodes };
}

interface Place {
  readonly path: string;
  readonly depth: number;
  /** The row it stands in, and by which columns the two belong together, its own first. */
  readonly parent: Joint | undefined;
}

interface Joint {
  readonly columns: readonly ColumnDescription[];
  readonly from: Node;
  readonly fromColumns: readonly ColumnDescription[];
}

class GraphReader {
  readonly nodes: Node[] = [];
  readonly issues: InputIssue[] = [];
  readonly #scope: Scope;
  /** The objects around the one at hand. */
  readonly #around = new Set<object>();

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** `undefined` where something is wrong with it, or with a row that it refers to. */
  read(entity: EntityDescription, input: unknown, place: Place): Node | undefined {
    const { path, depth } = place;
    if (!isPlainObject(input)) return this.#refuse(path, "must be an object of columns and relations");
    if (this.#around.has(input)) return this.#refuse(path, "holds itself");
    if (depth > DEPTH_LIMIT) return this.#refuse(path, `is nested more than ${DEPTH_LIMIT} rows deep`);
    this.#around.add(input);
    const node = this.#read(entity, input, place);
    this.#around.delete(input);
    return node;
  }

  #read(entity: EntityDescription, input: Readonly<Record<string, unknown>>, place: Place): Node {
    const { path, parent } = place;
    const relations = this.#scope.context.schema.relationsOf(entity);
    const own: [string, unknown][] = [];
    const nested: [RelationDescription, unknown][] = [];
    for (const [key, value] of Object.entries(input)) {
      const relation = relations.get(key);
      if (relation === undefined) own.push([key, value]);
      else if (relation.walk !== undefined)
        this.#refuse(at(path, key), "is found by walking the tree, and cannot be made");
      else if (value !== undefined) nested.push([relation, value]);
    }
    // Those that this row refers to come first.
    const above = nested.filter(([relation]) => refersTo(entity, relation));
    const below = nested.filter(([relation]) => !refersTo(entity, relation));
    const before = above.map(([relation, value]) => this.#parentOf(entity, relation, value, place));
    const fills: Fill[] = [
      ...(parent === undefined ? [] : [parent]),
      ...before.flatMap((branch) => (branch === undefined ? [] : [branch.fill])),
    ];
    const row = this.#row(entity, Object.fromEntries(own), path, fills, [...relations.keys()]);
    const branches: Branch[] = before.flatMap((branch) => (branch === undefined ? [] : [branch]));
    const level = Math.max(0, ...fills.map(({ from }) => from.level + 1));
    const node: Node = { entity, path, row: row ?? new Map(), fills, level, branches };
    this.nodes.push(node);
    for (const [relation, value] of below) {
      branches.push({
        name: relation.name,
        many: relation.kind === "many",
        nodes: this.#children(node, relation, value, place),
      });
    }
    return node;
  }

  #row(
    entity: EntityDescription,
    input: object,
    path: string,
    fills: readonly Fill[],
    others: readonly string[],
  ): Map<ColumnDescription, Encoded> | undefined {
    const filled = fills.flatMap(({ columns }) => columns);
    if (entity.tenant !== undefined && filled.includes(entity.tenant)) {
      return this.#refuse(
        path,
        "belongs to the tenant that makes it, so it cannot be made inside the tenant's row",
      );
    }
    const twice = filled.find((column, i) => filled.indexOf(column) !== i);
    if (twice !== undefined) return this.#refuse(at(path, twice.key), "is taken from two rows at once");
    try {
      return encodeNewRow(entity, input, { path, filled, others });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.issues.push(...error.issues);
      return undefined;
    }
  }

  /** The row that this one's foreign key will name. */
  #parentOf(
    entity: EntityDescription,
    relation: RelationDescription,
    value: unknown,
    { path, depth }: Place,
  ): (Branch & { readonly fill: Fill }) | undefined {
    const place = { path: at(path, relation.name), depth: depth + 1, parent: undefined };
    const from = this.read(relation.target, value, place);
    if (from === undefined) return undefined;
    const fill: Fill = {
      columns: columnsNamed(entity, relation.sourceColumns),
      from,
      fromColumns: columnsNamed(relation.target, relation.targetColumns),
    };
    return { name: relation.name, many: false, nodes: [from], fill };
  }

  /** The rows whose foreign keys will name this one, or that rows of a link table will join to it. */
  #children(node: Node, relation: RelationDescription, value: unknown, { path, depth }: Place): Node[] {
    const inside = at(path, relation.name);
    const isMany = relation.kind === "many";
    if (isMany && !Array.isArray(value)) {
      this.#refuse(inside, "must be a list");
      return [];
    }
    const inputs: readonly unknown[] = Array.isArray(value) && isMany ? Array.from(value) : [value];
    return inputs.flatMap((input, i) => {
      const place = { path: isMany ? at(inside, String(i)) : inside, depth: depth + 1 };
      const child = this.read(relation.target, input, {
        ...place,
        parent: relation.link === undefined ? jointOf(node, relation) : undefined,
      });
      if (child !== undefined && relation.link !== undefined) this.#link(node, child, relation, place.path);
      return child === undefined ? [] : [child];
    });
  }

  #link(node: Node, child: Node, { link, ...relation }: RelationDescription, path: string): void {
    if (link === undefined) return;
    const { entity } = link;
    const fills: Fill[] = [
      {
        columns: columnsNamed(entity, link.sourceColumns),
        from: node,
        fromColumns: columnsNamed(node.entity, relation.sourceColumns),
      },
      {
        columns: columnsNamed(entity, link.targetColumns),
        from: child,
        fromColumns: columnsNamed(child.entity, relation.targetColumns),
      },
    ];
    const row = this.#row(entity, {}, path, fills, []) ?? new Map();
    const level = Math.max(node.level, child.level) + 1;
    this.nodes.push({ entity, path, row, fills, level, branches: [] });
  }

  #refuse(path: string, message: string): undefined {
    this.issues.push({ path, message });
  }
}

/** Whether it is the row at hand that names the related one, and not the other way round. */
function refersTo(entity: EntityDescription, relation: RelationDescription): boolean {
  if (relation.kind === "many") return false;
  return entity.foreignKeys.some(
    (key) =>
      key.target === relation.target &&
      areNamed(ownPairs(key).columns, relation.sourceColumns) &&
      areNamed(ownPairs(key).targetColumns, relation.targetColumns),
  );
}

function areNamed(columns: readonly ColumnDescription[], names: readonly string[]): boolean {
  return columns.length === names.length && columns.every(({ name }, i) => name === names[i]);
}

function jointOf(from: Node, relation: RelationDescription): Joint {
  return {
    columns: columnsNamed(relation.target, relation.targetColumns),
    from,
    fromColumns: columnsNamed(from.entity, relation.sourceColumns),
  };
}

function columnsNamed(entity: EntityDescription, names: readonly string[]): readonly ColumnDescription[] {
  return names.map((name) => {
    const column = entity.columns.find((candidate) => candidate.name === name);
    if (column === undefined) throw new TypeError(unknownName("column", name, []));
    return column;
  });
}
