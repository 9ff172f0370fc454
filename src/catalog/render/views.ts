import type { TriggerDescription, ViewDescription } from "../../schema/index.ts";
import { quoteIdentifier, quoteLiteral } from "../../sql/index.ts";
import type { Names } from "./names.ts";
import type { Part } from "./part.ts";
import { indexPart } from "./tables.ts";

/** A view, or a materialized view with its indexes. */
export function viewParts(view: ViewDescription, names: Names): readonly Part[] {
  const { kind, name, needs, query, checkOption, using, tablespace } = view;
  const quoted = quoteIdentifier(name);
  const options = view.options.length === 0 ? "" : ` with (${view.options.join(", ")})`;
  const method = using === undefined ? "" : ` using ${quoteIdentifier(using)}`;
  const place = tablespace === undefined ? "" : ` tablespace ${quoteIdentifier(tablespace)}`;
  const check = checkOption === undefined ? "" : `\nwith ${checkOption} check option`;
  const empty = view.withData ? "" : "\nwith no data";
  const create = `create ${kind} ${quoted}${method}${options}${place} as\n${query}${check}${empty}`;
  return [
    {
      ids: [`relation ${name}`, `type ${name}`],
      rank: "view",
      up: [create],
      down: [`drop ${kind} ${quoted}`],
      needs,
      text: create,
    },
    ...view.indexes.map((index) => indexPart(name, index, names, "view index")),
  ];
}

export function triggerPart(trigger: TriggerDescription): Part {
  const name = quoteIdentifier(trigger.name);
  const table = quoteIdentifier(trigger.table);
  const columns = trigger.columns.map(quoteIdentifier).join(", ");
  const events = trigger.events.map((event) =>
    event === "update" && columns !== "" ? `update of ${columns}` : event,
  );
  const words = [
    `${trigger.timing} ${events.join(" or ")} on ${table}`,
    ...(trigger.deferrable === undefined ? [] : [`deferrable initially ${trigger.deferrable}`]),
    ...transitionTables(trigger),
    `for each ${trigger.isForEachRow ? "row" : "statement"}`,
    ...(trigger.condition === undefined ? [] : [`when (${trigger.condition})`]),
    `execute function ${quoteIdentifier(trigger.execute)}(${trigger.arguments.map(quoteLiteral).join(", ")})`,
  ];
  const kind = trigger.deferrable === undefined ? "trigger" : "constraint trigger";
  const create = `create ${kind} ${name} ${words.join("\n  ")}`;
  return {
    ids: [`trigger ${trigger.table}.${trigger.name}`],
    rank: "trigger",
    up: [create],
    down: [`drop trigger ${name} on ${table}`],
    needs: trigger.needs,
    text: trigger.condition ?? "",
    owner: `relation ${trigger.table}`,
  };
}

function transitionTables({ oldRows, newRows }: TriggerDescription): readonly string[] {
  const words = [
    ...(oldRows === undefined ? [] : [`old table as ${quoteIdentifier(oldRows)}`]),
    ...(newRows === undefined ? [] : [`new table as ${quoteIdentifier(newRows)}`]),
  ];
  return words.length === 0 ? [] : [`referencing ${words.join(" ")}`];
}
