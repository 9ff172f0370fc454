/** The depot once more, as the interpreter knows it: written by hand, so that it does not share the engine's mistakes. */
import { COMPUTED, type ComputedName, KINDS, type Kind, type KindName } from "./kinds.ts";

export type Row = Readonly<Record<string, unknown>>;
type Pairs = readonly (readonly [string, string])[];

export interface RelationModel {
  readonly kind: "one" | "many";
  readonly target: EntityName;
  /** Columns of the row and of the related one that are equal; with `through`, of the row and of the link. */
  readonly on: Pairs;
  /** Columns of the link and of the related row that are equal. */
  readonly through?: { readonly entity: EntityName; readonly on: Pairs };
  readonly walk?: "up" | "down";
}

export interface ReferenceModel {
  readonly columns: Pairs;
  readonly target: EntityName;
  readonly onDelete: "cascade" | "set null";
}

export interface EntityModel {
  readonly columns: Readonly<Record<string, KindName>>;
  readonly key: readonly string[];
  readonly notNull: readonly string[];
  readonly uniques: readonly (readonly string[])[];
  readonly references: readonly ReferenceModel[];
  readonly isSoft: boolean;
  readonly defaultSort?: string;
  readonly secret?: string;
  readonly relations: Readonly<Record<string, RelationModel>>;
}

export type EntityName =
  | "regions"
  | "sites"
  | "permits"
  | "readings"
  | "notes"
  | "labels"
  | "siteLabels"
  | "hosts";

const toSite: RelationModel = { kind: "one", target: "sites", on: [["siteId", "id"]] };
const ofSite: ReferenceModel = { columns: [["siteId", "id"]], target: "sites", onDelete: "cascade" };

/** In an order in which rows can be made: parents first. */
export const MODEL: Readonly<Record<EntityName, EntityModel>> = {
  regions: {
    columns: { id: "id", parentId: "id", name: "name", rank: "few" },
    key: ["id"],
    notNull: ["name"],
    uniques: [],
    references: [{ columns: [["parentId", "id"]], target: "regions", onDelete: "cascade" }],
    isSoft: true,
    defaultSort: "-name",
    relations: {
      parent: { kind: "one", target: "regions", on: [["parentId", "id"]] },
      children: { kind: "many", target: "regions", on: [["id", "parentId"]] },
      path: { kind: "many", target: "regions", on: [["parentId", "id"]], walk: "up" },
      below: { kind: "many", target: "regions", on: [["id", "parentId"]], walk: "down" },
      sites: { kind: "many", target: "sites", on: [["id", "regionId"]] },
    },
  },
  sites: {
    columns: {
      id: "id",
      regionId: "id",
      code: "code",
      title: "text",
      summary: "summary",
      fixed: "fixed",
      status: "status",
      grade: "grade",
      flag: "flag",
      small: "small",
      int: "int",
      big: "big",
      safe: "safe",
      exact: "exact",
      price: "price",
      double: "double",
      single: "single",
      share: "share",
      ref: "uuid",
      tags: "tags",
      document: "document",
    },
    key: ["id"],
    notNull: ["title", "status"],
    uniques: [["code"]],
    references: [{ columns: [["regionId", "id"]], target: "regions", onDelete: "set null" }],
    isSoft: true,
    relations: {
      region: { kind: "one", target: "regions", on: [["regionId", "id"]] },
      permit: { kind: "one", target: "permits", on: [["id", "siteId"]] },
      readings: { kind: "many", target: "readings", on: [["id", "siteId"]] },
      labels: {
        kind: "many",
        target: "labels",
        on: [["id", "siteId"]],
        through: { entity: "siteLabels", on: [["labelId", "id"]] },
      },
      hosts: { kind: "many", target: "hosts", on: [["id", "siteId"]] },
    },
  },
  permits: {
    columns: { id: "big", siteId: "id", holder: "text" },
    key: ["id"],
    notNull: [],
    uniques: [["siteId"]],
    references: [{ ...ofSite, onDelete: "set null" }],
    isSoft: false,
    secret: "token",
    relations: { site: toSite },
  },
  readings: {
    columns: {
      siteId: "id",
      no: "few",
      at: "instant",
      exactAt: "instantText",
      local: "local",
      day: "day",
      dayAsDate: "dayAsDate",
      clock: "clock",
      span: "span",
      bytes: "bytes",
    },
    key: ["siteId", "no"],
    notNull: [],
    uniques: [],
    references: [ofSite],
    isSoft: true,
    relations: {
      site: toSite,
      notes: {
        kind: "many",
        target: "notes",
        on: [
          ["siteId", "siteId"],
          ["no", "no"],
        ],
      },
    },
  },
  notes: {
    columns: {
      id: "few",
      siteId: "id",
      no: "few",
      body: "text",
      document: "document",
      old: "old",
      tags: "tags",
      numbers: "numbers",
      grid: "grid",
    },
    key: ["id"],
    notNull: [],
    uniques: [],
    references: [
      {
        columns: [
          ["siteId", "siteId"],
          ["no", "no"],
        ],
        target: "readings",
        onDelete: "cascade",
      },
    ],
    isSoft: true,
    relations: {
      reading: {
        kind: "one",
        target: "readings",
        on: [
          ["siteId", "siteId"],
          ["no", "no"],
        ],
      },
    },
  },
  labels: {
    columns: { id: "id", label: "name" },
    key: ["id"],
    notNull: ["label"],
    uniques: [],
    references: [],
    isSoft: true,
    relations: {
      sites: {
        kind: "many",
        target: "sites",
        on: [["id", "labelId"]],
        through: { entity: "siteLabels", on: [["siteId", "id"]] },
      },
      links: { kind: "many", target: "siteLabels", on: [["id", "labelId"]] },
    },
  },
  siteLabels: {
    columns: { siteId: "id", labelId: "id", weight: "few" },
    key: ["siteId", "labelId"],
    notNull: [],
    uniques: [],
    references: [ofSite, { columns: [["labelId", "id"]], target: "labels", onDelete: "cascade" }],
    isSoft: true,
    relations: { site: toSite, label: { kind: "one", target: "labels", on: [["labelId", "id"]] } },
  },
  hosts: {
    columns: { id: "uuid", siteId: "id", host: "host", network: "network", mac: "mac", during: "during" },
    key: ["id"],
    notNull: [],
    uniques: [],
    references: [{ columns: [["siteId", "id"]], target: "sites", onDelete: "set null" }],
    isSoft: false,
    relations: { site: toSite },
  },
};

export const ENTITIES: readonly EntityName[] = [
  "regions",
  "sites",
  "permits",
  "readings",
  "notes",
  "labels",
  "siteLabels",
  "hosts",
];

/** Of a column, of one that relations to one lead to (`region.parent.name`), or of a computed one. */
export function kindOf(entity: EntityName, column: string): Kind {
  const [first = "", ...rest] = column.split(".");
  const relation = MODEL[entity].relations[first];
  if (relation !== undefined && rest.length > 0) return kindOf(relation.target, rest.join("."));
  const name = MODEL[entity].columns[column] ?? COMPUTED[column as ComputedName];
  if (name === undefined) throw new TypeError(`no column ${column} in ${entity}`);
  return KINDS[name];
}

/** The properties of a row that is read without saying which. */
export function columnsOf(entity: EntityName): readonly string[] {
  const { columns, isSoft } = MODEL[entity];
  return [...Object.keys(columns), ...(isSoft ? ["deletedAt", "deletedBy"] : [])];
}

export function sortableColumns(entity: EntityName): readonly string[] {
  return Object.keys(MODEL[entity].columns).filter((column) => kindOf(entity, column).isSortable);
}

export function sameKey(entity: EntityName, a: Row, b: Row): boolean {
  return MODEL[entity].key.every((part) => a[part] === b[part]);
}
