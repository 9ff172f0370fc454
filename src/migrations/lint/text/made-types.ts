import type { CreateDomainStmt, Node } from "libpg-query";
import type { RelationName, TypeFacts } from "../catalog-view.ts";
import { nameIn, relationName, typeNameOf } from "../names.ts";
import { builtInType } from "./built-in.ts";

/** Types that the files have made, as long as nothing casts doubt on them. */
export class MadeTypes {
  readonly #home: string;
  #types: ReadonlyMap<string, TypeFacts>;

  constructor(home: string, types: ReadonlyMap<string, TypeFacts> = new Map()) {
    this.#home = home;
    this.#types = types;
  }

  /** As they are now, for a way that is walked and left again. */
  copy(): MadeTypes {
    return new MadeTypes(this.#home, this.#types);
  }

  find({ schema, name }: RelationName, isArray: boolean): TypeFacts | undefined {
    const type = this.#types.get(this.#keyOf({ schema, name }));
    return type === undefined || !isArray ? type : { ...type, isArray: true };
  }

  /** A statement has happened. */
  note(tree: Node): void {
    if (isDoubtful(tree)) this.#types = new Map();
    const made = this.#madeBy(tree);
    if (made !== undefined) this.#types = new Map([...this.#types, [this.#keyOf(made), made]]);
  }

  #madeBy(tree: Node): TypeFacts | undefined {
    if ("CreateEnumStmt" in tree) return typeOf(nameIn(tree.CreateEnumStmt.typeName), "enum", this.#home);
    if ("CreateRangeStmt" in tree) return typeOf(nameIn(tree.CreateRangeStmt.typeName), "range", this.#home);
    if ("CompositeTypeStmt" in tree)
      return typeOf(relationName(tree.CompositeTypeStmt.typevar), "composite", this.#home);
    return "CreateDomainStmt" in tree ? this.#domain(tree.CreateDomainStmt) : undefined;
  }

  /** Undefined where what lies below is not known, or where it has a default, which would have to be looked into. */
  #domain({ domainname, typeName, constraints }: CreateDomainStmt): TypeFacts | undefined {
    const { isArray, ...name } = typeNameOf(typeName);
    const base = builtInType(name, isArray) ?? this.find(name, isArray);
    const kinds = (constraints ?? []).map((node) => ("Constraint" in node ? node.Constraint.contype : ""));
    if (base === undefined || kinds.includes("CONSTR_DEFAULT")) return undefined;
    const isConstrained =
      (base.isConstrained && !base.isArray) ||
      kinds.includes("CONSTR_CHECK") ||
      kinds.includes("CONSTR_NOTNULL");
    return { ...typeOf(nameIn(domainname), "domain", this.#home), base, isConstrained };
  }

  #keyOf({ schema, name }: RelationName): string {
    return JSON.stringify([schema ?? this.#home, name]);
  }
}

function typeOf({ schema, name }: RelationName, kind: TypeFacts["kind"], home: string): TypeFacts {
  return {
    schema: schema ?? home,
    name,
    isArray: false,
    kind,
    base: undefined,
    baseModifier: -1,
    isConstrained: false,
    expression: undefined,
  };
}

/** What a name means, or what the type is, may be something else from here on. */
function isDoubtful(tree: Node): boolean {
  return (
    "DropStmt" in tree ||
    "RenameStmt" in tree ||
    "AlterObjectSchemaStmt" in tree ||
    "AlterDomainStmt" in tree ||
    "DropOwnedStmt" in tree ||
    "DoStmt" in tree ||
    "CallStmt" in tree ||
    "SelectStmt" in tree ||
    "TransactionStmt" in tree ||
    "CreateExtensionStmt" in tree ||
    ("VariableSetStmt" in tree && tree.VariableSetStmt.name !== "lock_timeout")
  );
}
