import type { ExtensionObject, RoutineObject, SchemaObject } from "../model.ts";
import type { Ground } from "./ground.ts";
import type { Row } from "./row.ts";

/** Functions, procedures and aggregates. */
export function routineObjects(ground: Ground): readonly RoutineObject[] {
  const aggregates = new Map(
    ground.answers.rows("aggregates").map((row) => [row.text("oid"), row.text("options")]),
  );
  return ground.answers.rows("routines").flatMap((row): readonly RoutineObject[] => {
    const space = ground.identities.spaces.get(row.text("space"));
    const base = ground.base("pg_proc", row, space, "execute");
    if (base === undefined) return [];
    const name = `${space?.prefix ?? ""}${row.text("quoted")}`;
    const options = aggregates.get(row.text("oid"));
    return [
      {
        ...base,
        kind: options === undefined ? kindOf(row) : "aggregate",
        signature: row.text("signature"),
        definition: options === undefined ? definitionOf(row, name) : aggregateText(row, name, options),
        returns: row.text("returns"),
        arguments: row.text("arguments"),
      },
    ];
  });
}

function kindOf(row: Row): "function" | "procedure" {
  return row.text("kind") === "p" ? "procedure" : "function";
}

function definitionOf(row: Row, name: string): string {
  const definition = row.text("definition");
  const start = `CREATE OR REPLACE ${kindOf(row).toUpperCase()} `;
  const rest = definition.slice(start.length + row.text("head").length);
  return `${start}${name}(${rest}`.trimEnd();
}

function aggregateText(row: Row, name: string, options: string): string {
  return `CREATE OR REPLACE AGGREGATE ${name}(${row.text("arguments") || "*"}) (${options})`;
}

export function schemaObjects(ground: Ground): readonly SchemaObject[] {
  return ground.answers.rows("spaces").flatMap((row): readonly SchemaObject[] => {
    const base = ground.base("pg_namespace", row, undefined);
    return base === undefined ? [] : [{ kind: "schema", ...base }];
  });
}

export function extensionObjects(ground: Ground, home: string): readonly ExtensionObject[] {
  return ground.answers.rows("extensions").flatMap((row): readonly ExtensionObject[] => {
    const base = ground.base("pg_extension", row, undefined);
    if (base === undefined) return [];
    const own = row.text("home") === home ? undefined : row.text("home");
    return [{ kind: "extension", ...base, home: own, version: row.text("version") }];
  });
}
