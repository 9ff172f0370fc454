import type { Node } from "libpg-query";
import type { FolderFormat } from "../../formats/model.ts";
import type { CatalogView, Relation } from "../catalog-view.ts";
import type { StatementEffects, StatementLock } from "../model.ts";
import type { RuleId } from "./registry.ts";

/** One statement as rules see it, with the catalog as it is just before it. */
export interface Subject {
  readonly tree: Node;
  readonly text: string;
  readonly direction: "up" | "down";
  readonly view: CatalogView;
  readonly effects: StatementEffects;
  readonly isBlocking: boolean;
  /** Those of the locked relations that are tables. */
  readonly tables: ReadonlySet<string>;
  /** Why the effects are not all there is, if they are not. */
  readonly unknowns: readonly string[];
  /** It is about tables alone that the same section has made: nobody uses them yet. */
  readonly isAboutNew: boolean;
  /** Strong locks that earlier statements of its transaction hold. */
  readonly held: readonly HeldLock[];
  /** It shares a transaction with others, or the tool wraps one around it. */
  readonly isInTransaction: boolean;
  readonly tool: Tool;
  /** Relations (`tasks`) and columns (`tasks.title`) that the file's own up makes: what its down takes back. */
  readonly madeByUp: ReadonlySet<string>;
  /** Values that earlier statements of the transaction added to enums. */
  readonly newEnumValues: ReadonlySet<string>;
  /** Statements of the section that come before it. */
  readonly earlier: readonly Node[];
}

/** A lock that an earlier statement took. */
export interface HeldLock extends StatementLock {
  readonly line: number;
  /** Not an index, view or sequence. */
  readonly isTable: boolean;
}

/** What runs the migrations. */
export interface Tool {
  readonly format: FolderFormat;
  /** It takes a file apart where a transaction would be in the way. */
  readonly splitsPhases: boolean;
}

/** A finding without its place. */
export interface Draft {
  readonly rule: RuleId;
  readonly why: string;
  readonly fix: string;
  /** Asked when the statement's transaction ends: true takes the finding back. */
  readonly unless?: (end: TransactionEnd) => Promise<boolean>;
}

/** A transaction that has run to its end. */
export interface TransactionEnd {
  readonly view: CatalogView;
  /** Its statements. */
  readonly trees: readonly Node[];
}

/** It reads the relation's rows, or writes its storage anew. */
export function worksOn({ effects }: Pick<Subject, "effects">, relation: Relation): boolean {
  return effects.scans.includes(relation.label) || effects.rewrites.includes(relation.label);
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  const last = names.at(-1);
  if (last === undefined) return "nothing";
  return names.length === 1 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
