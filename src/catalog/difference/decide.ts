import type { CatalogObject, ConstraintObject, IndexObject, TableObject } from "../model.ts";
import { type ColumnFate, compareColumns } from "./compare-column.ts";
import { compareObjects } from "./compare-object.ts";
import { sqlName } from "./names.ts";
import { isType, namesOf, parentsOf, type Side } from "./sides.ts";
import { conversionOf } from "./types.ts";

/**
 * What becomes of an object. `replace`: dropped and made again. `retire`: types and tables whose values live on are
 * renamed, made anew, their values brought over, and only then dropped.
 */
export type Fate = "keep" | "alter" | "replace" | "retire" | "drop" | "make";

/** What becomes of everything. */
export interface Decisions {
  readonly objects: ReadonlyMap<string, Fate>;
  /** Of the columns of tables that stay. */
  readonly columns: ReadonlyMap<string, ColumnFate | "drop" | "make">;
  /** Columns whose default, and domains whose checks, have to let go of something and be set again as they are. */
  readonly refreshed: ReadonlySet<string>;
}

export function decide(from: Side, to: Side, online: boolean): Decisions {
  const decider = new Decider(from, to, online);
  decider.compare();
  decider.spread();
  return decider;
}

/** A column's or object's going, and whether its name will mean something else at once. */
interface Going {
  readonly id: string;
  /** False when it just goes: what is redefined anyway can stay. */
  readonly comesBack: boolean;
}

class Decider implements Decisions {
  readonly objects = new Map<string, Fate>();
  readonly columns = new Map<string, ColumnFate | "drop" | "make">();
  readonly refreshed = new Set<string>();
  readonly #redefined = new Set<string>();
  readonly #from: Side;
  readonly #to: Side;
  readonly #online: boolean;
  readonly #going: Going[] = [];

  constructor(from: Side, to: Side, online: boolean) {
    this.#from = from;
    this.#to = to;
    this.#online = online;
  }

  /** Looks at every object and column by itself. */
  compare(): void {
    const [from, to] = [this.#from, this.#to];
    const taken = new Set<string>();
    for (const object of to.objects.values()) {
      if (from.objects.has(object.id)) continue;
      this.objects.set(object.id, "make");
      for (const name of namesOf(object)) taken.add(name);
    }
    for (const object of from.objects.values()) {
      const other = to.objects.get(object.id);
      if (other === undefined) {
        this.objects.set(object.id, "drop");
        this.#leave(
          object,
          namesOf(object).some((name) => taken.has(name)),
        );
        continue;
      }
      // Its table or view may have taken it along already.
      if (this.objects.has(object.id)) continue;
      const change = compareObjects(object, other);
      if (change.isRedefined) this.#redefined.add(object.id);
      this.objects.set(object.id, change.how === "alter" ? "alter" : "keep");
      if (change.how === "anew" || this.#isStuck(object, other)) this.#displace(object);
    }
    for (const object of from.objects.values()) {
      const other = to.objects.get(object.id);
      const isKept = this.objects.get(object.id) === "keep";
      if (isKept && object.kind === "table" && other?.kind === "table") this.#compareTables(object, other);
    }
  }

  /** The server cannot try a domain's new rules on arrays and composite values. */
  #isStuck(from: CatalogObject, to: CatalogObject): boolean {
    if (from.kind !== "domain" || to.kind !== "domain") return false;
    const isTightened =
      (to.notNull && !from.notNull) ||
      to.checks.some(({ definition }) => from.checks.every((check) => check.definition !== definition));
    return (
      isTightened &&
      (this.#from.dependents.get(from.id) ?? []).some((id) => {
        const column = this.#from.columns.get(id)?.column;
        const kind = this.#from.objects.get(id)?.kind;
        return column === undefined
          ? kind === "composite type" || kind === "domain"
          : column.type.endsWith("[]");
      })
    );
  }

  #compareTables(from: TableObject, to: TableObject): void {
    const after = new Map(to.columns.map((column) => [column.id, column]));
    const hasChecks = [this.#from, this.#to].some((side) =>
      side.parts.get(from.id)?.some((part) => part.kind === "constraint" && part.type === "check"),
    );
    const ground = { serverVersion: this.#to.catalog.serverVersion, hasChecks };
    for (const column of from.columns) {
      const other = after.get(column.id);
      if (other === undefined) {
        this.columns.set(column.id, "drop");
        this.#going.push({ id: column.id, comesBack: false });
        continue;
      }
      const fate = compareColumns(column, other, ground);
      if (fate === "keep") this.columns.set(column.id, fate);
      else this.#disturb(column.id, fate);
    }
    for (const column of to.columns) {
      if (!this.#from.columns.has(column.id)) this.columns.set(column.id, "make");
    }
  }

  /** Follows what goes to everything that leans on it, until nothing more falls. */
  spread(): void {
    for (let going = this.#going.pop(); going !== undefined; going = this.#going.pop()) {
      for (const id of this.#from.dependents.get(going.id) ?? []) {
        if (id.startsWith("column ") && this.#from.columns.has(id)) this.#shakeColumn(id, going);
        else this.#shakeObject(id, going);
      }
    }
  }

  #shakeObject(id: string, { id: cause, comesBack }: Going): void {
    const [before, after] = [this.#from.objects.get(id), this.#to.objects.get(id)];
    const fate = this.objects.get(id);
    if (before === undefined || after === undefined) return;
    if (fate !== "keep" && fate !== "alter") return;
    if (!comesBack && this.#redefined.has(id)) return;
    switch (before.kind) {
      case "schema":
      case "extension":
      case "sequence":
      case "enum":
        return;
      case "domain":
        if (isType(this.#from.objects.get(cause))) this.#displace(before);
        else this.refreshed.add(id);
        return;
      case "composite type":
      case "range type":
        this.#displace(before);
        return;
      case "table":
        if (parentsOf(before).includes(cause) && this.objects.get(cause) === "retire") this.#displace(before);
        return;
      case "statistics":
        if (this.columns.get(cause) === "retype") return;
        this.#displace(before);
        return;
      case "index":
      case "constraint":
        if (this.#survives(before, cause) || this.#isSetFree(before, after)) return;
        this.#displace(before);
        return;
      case "trigger":
        if (!before.isInherited) this.#displace(before);
        return;
      default:
        this.#displace(before);
    }
  }

  #shakeColumn(id: string, { id: cause, comesBack }: Going): void {
    const [before, after] = [this.#from.columns.get(id), this.#to.columns.get(id)];
    if (before === undefined || after === undefined || this.columns.get(id) !== "keep") return;
    if (this.objects.get(before.table.id) === "retire") return;
    const isGenerated = before.column.generated !== undefined;
    const isRestated = isGenerated
      ? before.column.generated?.expression !== after.column.generated?.expression
      : before.column.default !== after.column.default;
    const held = this.#from.objects.get(cause);
    if (isType(held) || held?.kind === "table") {
      if (comesBack) this.#disturb(id, isGenerated ? "anew" : "retype");
      else this.refreshed.add(id);
    } else if (!comesBack && isRestated) {
      return;
    } else if (isGenerated) {
      this.#disturb(id, "anew");
    } else {
      this.refreshed.add(id);
    }
  }

  /** A partition that is detached keeps what it had from its table. */
  #isSetFree(before: CatalogObject, after: CatalogObject): boolean {
    if (before.kind !== "index" || before.attachedTo === undefined || after.kind !== "index") return false;
    const [old, next] = [this.#from.objects.get(before.table), this.#to.objects.get(before.table)];
    if (old?.kind !== "table" || next?.kind !== "table") return false;
    const isMoved = JSON.stringify(old.partitionOf) !== JSON.stringify(next.partitionOf);
    return isMoved && old.partitionOf !== undefined;
  }

  /** The server brings plain keys, indexes and checks over to a new type by itself. */
  #survives(part: ConstraintObject | IndexObject, columnId: string): boolean {
    if (this.columns.get(columnId) !== "retype") return false;
    if (part.kind === "index" || part.type === "primary key" || part.type === "unique") return true;
    const [before, after] = [this.#from.columns.get(columnId), this.#to.columns.get(columnId)];
    if (before === undefined || after === undefined) return false;
    const { rewrites } = conversionOf("", before.column.type, after.column.type);
    // A check is tried on every row again; where nothing is rewritten that can wait until the table is free.
    return part.type === "foreign key" ? !rewrites : rewrites || !this.#online;
  }

  /** It makes room for another of the same id. */
  #displace(object: CatalogObject): void {
    const canRetire = isType(object) || object.kind === "table";
    const isSameKind = this.#to.objects.get(object.id)?.kind === object.kind;
    this.objects.set(object.id, canRetire && isSameKind ? "retire" : "replace");
    this.#leave(object, true);
  }

  #leave(object: CatalogObject, comesBack: boolean): void {
    this.#going.push({ id: object.id, comesBack });
    if (object.kind === "table") {
      for (const column of object.columns) this.#going.push({ id: column.id, comesBack });
    }
    for (const part of this.#from.parts.get(object.id) ?? []) {
      const isThereStill = this.#to.objects.has(part.id);
      if (isThereStill && this.objects.get(part.id) !== "replace") this.#displace(part);
    }
  }

  /** The table of which the others are partitions: rows move between them. */
  #rootOf(table: TableObject): TableObject {
    const parent = this.#from.objects.get(table.partitionOf?.parent ?? "");
    return parent?.kind === "table" ? this.#rootOf(parent) : table;
  }

  /** Columns of partitions and inheriting tables share it. */
  #disturb(id: string, fate: "retype" | "anew"): void {
    this.columns.set(id, fate);
    this.#going.push({ id, comesBack: true });
    const place = this.#from.columns.get(id);
    if (place === undefined) return;
    if (mentions(place.table.partitionKey, place.column.name)) this.#displace(this.#rootOf(place.table));
    for (const child of this.#from.children.get(place.table.id) ?? []) {
      const column = child.columns.find(({ name }) => name === place.column.name);
      const isKnown = column === undefined || !this.#to.columns.has(column.id);
      if (!isKnown && this.columns.get(column.id) !== fate) this.#disturb(column.id, fate);
    }
  }
}

/** The server refuses to change the type of a column that rows are told apart by. */
function mentions(partitionKey: string | undefined, column: string): boolean {
  return partitionKey?.match(/"(?:[^"]|"")*"|[\w$]+/g)?.includes(sqlName(column)) ?? false;
}
