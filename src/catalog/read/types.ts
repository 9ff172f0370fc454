import type { DomainCheck, DomainObject, EnumObject, RangeObject } from "../model.ts";
import type { Base, Ground } from "./ground.ts";
import type { Row } from "./row.ts";

type TypeObject = EnumObject | DomainObject | RangeObject;

/** Enums, domains and ranges. */
export function typeObjects(ground: Ground): readonly TypeObject[] {
  const checks = readChecks(ground);
  const ranges = new Map(ground.answers.rows("ranges").map((row) => [row.text("oid"), row]));
  return ground.answers.rows("types").flatMap((row): readonly TypeObject[] => {
    const space = ground.identities.spaces.get(row.text("space"));
    const base = ground.base("pg_type", row, space, "usage");
    if (base === undefined) return [];
    switch (row.text("kind")) {
      case "e":
        return [{ kind: "enum", ...base, values: row.list("labels") }];
      case "d":
        return [domainOf(base, row, checks.get(row.text("oid")) ?? [])];
      default: {
        const name = `${space?.prefix ?? ""}${row.text("quoted")}`;
        return rangeOf(base, name, ranges.get(row.text("oid")));
      }
    }
  });
}

function domainOf(base: Base, row: Row, checks: readonly DomainCheck[]): DomainObject {
  return {
    kind: "domain",
    ...base,
    type: row.text("base"),
    collation: row.optional("collation"),
    default: row.optional("default"),
    notNull: row.flag("not_null"),
    checks,
  };
}

function readChecks({ answers }: Ground): ReadonlyMap<string, readonly DomainCheck[]> {
  const checks = new Map<string, DomainCheck[]>();
  for (const row of answers.rows("constraints")) {
    if (row.text("domain") === "0" || row.text("type") !== "c") continue;
    const known = checks.get(row.text("domain")) ?? [];
    checks.set(row.text("domain"), known);
    known.push({
      name: row.text("name"),
      definition: row.text("definition").replace(/ NOT VALID$/, ""),
      isValid: row.flag("is_valid"),
    });
  }
  for (const list of checks.values()) list.sort((left, right) => (left.name < right.name ? -1 : 1));
  return checks;
}

function rangeOf(base: Base, name: string, row: Row | undefined): readonly RangeObject[] {
  if (row === undefined) return [];
  const options = [
    ["subtype", row.text("subtype")],
    ["subtype_opclass", row.optional("operator_class")],
    ["collation", row.optional("collation")],
    ["canonical", row.optional("canonical")],
    ["subtype_diff", row.optional("difference")],
    ["multirange_type_name", row.text("multirange_name")],
  ].flatMap(([option, value]) => (value === undefined ? [] : [`${option} = ${value}`]));
  return [
    { kind: "range type", ...base, definition: `CREATE TYPE ${name} AS RANGE (${options.join(", ")})` },
  ];
}
