import type {
  Catalog,
  CatalogObject,
  CompositeObject,
  ConstraintObject,
  DomainObject,
  EnumObject,
  IndexObject,
  PolicyObject,
  TableObject,
  TriggerObject,
} from "../catalog/index.ts";

/** A catalog by what is asked for. */
export interface Lookup {
  readonly catalog: Catalog;
  readonly byId: ReadonlyMap<string, CatalogObject>;
  /** Types of home by how a column names them. */
  type(name: string): EnumObject | DomainObject | CompositeObject | undefined;
  partsOf(tableId: string): TableParts;
}

/** What belongs to one table, but for what comes to a partition from its parent. */
export interface TableParts {
  readonly constraints: readonly ConstraintObject[];
  readonly indexes: readonly IndexObject[];
  readonly triggers: readonly TriggerObject[];
  readonly policies: readonly PolicyObject[];
  readonly partitions: readonly TableObject[];
}

const NONE: TableParts = { constraints: [], indexes: [], triggers: [], policies: [], partitions: [] };

export function lookInto(catalog: Catalog): Lookup {
  const byId = new Map(catalog.objects.map((object) => [object.id, object]));
  const parts = new Map<string, CatalogObject[]>();
  for (const object of catalog.objects) {
    const owner = ownerOf(object);
    if (owner !== undefined) parts.set(owner, [...(parts.get(owner) ?? []), object]);
  }
  return {
    catalog,
    byId,
    type: (name) => {
      for (const kind of ["enum", "domain", "composite type"]) {
        const found = byId.get(`${kind} ${name}`);
        if (found?.kind === "enum" || found?.kind === "domain" || found?.kind === "composite type")
          return found;
      }
      return undefined;
    },
    partsOf: (tableId) => {
      const own = parts.get(tableId);
      return own === undefined ? NONE : partsIn(own);
    },
  };
}

/** The table, view or partitioned table that an object is a part of. */
export function ownerOf(object: CatalogObject): string | undefined {
  if (object.kind === "table") return object.partitionOf?.parent;
  return "table" in object ? object.table : undefined;
}

/** It came with a parent, and goes with it. */
export function isInherited(object: CatalogObject): boolean {
  if (object.kind === "index") return object.attachedTo !== undefined;
  return (object.kind === "constraint" || object.kind === "trigger") && object.isInherited;
}

function partsIn(objects: readonly CatalogObject[]): TableParts {
  const own = objects.filter((object) => !isInherited(object));
  return {
    constraints: own.filter((object): object is ConstraintObject => object.kind === "constraint"),
    indexes: own.filter((object): object is IndexObject => object.kind === "index"),
    triggers: own.filter((object): object is TriggerObject => object.kind === "trigger"),
    policies: own.filter((object): object is PolicyObject => object.kind === "policy"),
    partitions: own.filter((object): object is TableObject => object.kind === "table"),
  };
}

/** Everything an object needs to be there first, by id; columns as the table they are of. */
export function needsOf(object: CatalogObject): readonly string[] {
  const columns = object.kind === "table" ? object.columns.flatMap((column) => column.dependsOn) : [];
  const references =
    object.kind === "constraint" && object.references !== undefined ? [object.references] : [];
  const owner = object.kind === "sequence" ? object.ownedBy : ownerOf(object);
  return [...object.dependsOn, ...columns, ...references, ...(owner === undefined ? [] : [owner])];
}
