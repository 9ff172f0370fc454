import {
  type RoutinePlan,
  type SchemaPlan,
  type TablePlan,
  type TriggerPlan,
  tableOf,
} from "./random-schema.ts";
import { COLUMN_EDITS } from "./random-schema-column-edits.ts";
import { type Draw, type Edit, edited, pick, withTable } from "./random-schema-draw.ts";

/** One random edit, of a kind that fits the schema. */
export function randomEdit(plan: SchemaPlan, random: () => number, serial: number): Edit {
  for (;;) {
    const draw = EDITS[Math.floor(random() * EDITS.length)];
    const edit = draw?.(plan, random, serial);
    if (edit !== undefined) return edit;
  }
}

/** Edits of everything that is no column. */
const OBJECT_EDITS: readonly Draw[] = [
  (plan, random, serial) => {
    const table = tableOf(random, `fresh_${serial}`, 9, 0);
    return edited(`add table ${table.name}`, { ...plan, tables: [...plan.tables, table] });
  },
  (plan, random) => {
    const isFree = (table: TablePlan): boolean =>
      !plan.tables.some((one) => one.foreignKeys.some((key) => key.target === table.name)) &&
      !plan.views.some((view) => view.table === table.name) &&
      !plan.triggers.some((trigger) => trigger.table === table.name) &&
      !plan.grants.some((grant) => grant.table === table.name);
    const table = pick(random, plan.tables.filter(isFree));
    if (table === undefined) return undefined;
    return edited(`drop table ${table.name}`, {
      ...plan,
      tables: plan.tables.filter((one) => one !== table),
    });
  },
  (plan, random, serial) => {
    const isFree = (table: TablePlan): boolean =>
      table.partitions === undefined &&
      !table.softDelete &&
      !table.timestamps &&
      !plan.tables.some((one) => one.foreignKeys.some((key) => key.target === table.name)) &&
      !plan.views.some((view) => view.table === table.name) &&
      !plan.triggers.some((trigger) => trigger.table === table.name) &&
      !plan.grants.some((grant) => grant.table === table.name);
    const table = pick(random, plan.tables.filter(isFree));
    if (table === undefined) return undefined;
    const name = `moved_${serial}`;
    return edited(`rename table ${table.name}`, withTable(plan, table, { ...table, name }), [
      { kind: "table", from: table.name, to: name },
    ]);
  },
  (plan, random, serial) => {
    const type = pick(random, plan.enums);
    if (type === undefined) return undefined;
    const at = Math.floor(random() * (type.values.length + 1));
    const values = [...type.values.slice(0, at), `value_${serial}`, ...type.values.slice(at)];
    return edited(`add value to ${type.name}`, {
      ...plan,
      enums: plan.enums.map((one) => (one === type ? { ...type, values } : one)),
    });
  },
  (plan, random, serial) => {
    const type = pick(random, plan.enums);
    const last = type?.values.at(-1);
    if (type === undefined || last === undefined || last === "open") return undefined;
    const values = [...type.values.slice(0, -1), `named_${serial}`];
    const rename = { kind: "enum value", of: type.name, from: last, to: `named_${serial}` } as const;
    return edited(
      `rename value of ${type.name}`,
      { ...plan, enums: plan.enums.map((one) => (one === type ? { ...type, values } : one)) },
      [rename],
    );
  },
  (plan, random, serial) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.partitions === undefined),
    );
    if (table === undefined) return undefined;
    const kind = random() < 0.5 ? "view" : "materialized view";
    const view = {
      name: `view_${serial}`,
      kind,
      table: table.name,
      columns: ["id", "title"],
      indexed: kind === "materialized view",
    } as const;
    return edited(`add ${kind} on ${table.name}`, { ...plan, views: [...plan.views, view] });
  },
  (plan, random) => {
    const view = pick(random, plan.views);
    if (view === undefined) return undefined;
    return edited(`drop ${view.kind} ${view.name}`, {
      ...plan,
      views: plan.views.filter((one) => one !== view),
    });
  },
  (plan, random) => {
    const view = pick(
      random,
      plan.views.filter((one) => !one.indexed),
    );
    const table = plan.tables.find((one) => one.name === view?.table);
    const column = table?.columns.find((one) => !view?.columns.includes(one.name));
    if (view === undefined || column === undefined) return undefined;
    const columns = random() < 0.5 ? [...view.columns, column.name] : [column.name, ...view.columns];
    return edited(`change columns of ${view.name}`, {
      ...plan,
      views: plan.views.map((one) => (one === view ? { ...view, columns } : one)),
    });
  },
  (plan, random, serial) => {
    const routine = pick(random, plan.routines);
    if (routine === undefined) return undefined;
    return edited(`change body of ${routine.name}`, {
      ...plan,
      routines: plan.routines.map((one) => (one === routine ? { ...routine, body: serial } : one)),
    });
  },
  (plan, random) => {
    const routine = pick(
      random,
      plan.routines.filter((one) => one.kind === "function"),
    );
    if (routine === undefined) return undefined;
    const returns = routine.returns === "integer" ? "text" : "integer";
    return edited(`change result of ${routine.name}`, {
      ...plan,
      routines: plan.routines.map((one) => (one === routine ? { ...routine, returns } : one)),
    });
  },
  (plan, random, serial) => {
    const routine: RoutinePlan = {
      name: `routine_${serial}`,
      kind: random() < 0.5 ? "function" : "procedure",
      body: serial,
      arguments: ["integer"],
      returns: "integer",
    };
    return edited(`add ${routine.kind} ${routine.name}`, { ...plan, routines: [...plan.routines, routine] });
  },
  (plan, random) => {
    const routine = pick(random, plan.routines);
    if (routine === undefined || plan.routines.length < 2) return undefined;
    return edited(`drop ${routine.kind} ${routine.name}`, {
      ...plan,
      routines: plan.routines.filter((one) => one !== routine),
    });
  },
  (plan, random, serial) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.partitions === undefined),
    );
    if (table === undefined) return undefined;
    const trigger: TriggerPlan = {
      name: `watch_${serial}`,
      table: table.name,
      event: pick(random, ["insert", "update", "delete"] as const) ?? "insert",
    };
    return edited(`add trigger on ${table.name}`, { ...plan, triggers: [...plan.triggers, trigger] });
  },
  (plan, random) => {
    const trigger = pick(random, plan.triggers);
    if (trigger === undefined) return undefined;
    return edited(`drop trigger ${trigger.name}`, {
      ...plan,
      triggers: plan.triggers.filter((one) => one !== trigger),
    });
  },
  (plan, random) => {
    const table = pick(random, plan.tables);
    const privilege = pick(random, ["select", "insert", "update", "delete"] as const);
    if (table === undefined || privilege === undefined) return undefined;
    const isThere = plan.grants.some((one) => one.table === table.name && one.privilege === privilege);
    if (isThere) return undefined;
    return edited(`grant ${privilege} on ${table.name}`, {
      ...plan,
      grants: [...plan.grants, { table: table.name, to: "plinth_reporter", privilege }],
    });
  },
  (plan, random) => {
    const grant = pick(random, plan.grants);
    if (grant === undefined) return undefined;
    return edited(`revoke ${grant.privilege} on ${grant.table}`, {
      ...plan,
      grants: plan.grants.filter((one) => one !== grant),
    });
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.partitions !== undefined),
    );
    if (table?.partitions === undefined) return undefined;
    return edited(
      `add partition to ${table.name}`,
      withTable(plan, table, { ...table, partitions: table.partitions + 1 }),
    );
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter(
        (one) => one.partitions === undefined && !plan.views.some((view) => view.table === one.name),
      ),
    );
    if (table === undefined) return undefined;
    return edited(
      `${table.softDelete ? "end" : "begin"} soft delete of ${table.name}`,
      withTable(plan, table, { ...table, softDelete: !table.softDelete }),
    );
  },
  (plan, random, serial) => {
    const table = pick(random, plan.tables);
    const command = pick(random, ["all", "select", "update", "delete"] as const);
    if (table === undefined || command === undefined) return undefined;
    const policy = { name: `policy_${serial}`, command, minimum: serial };
    return edited(
      `add policy for ${command} on ${table.name}`,
      withTable(plan, table, { ...table, policies: [...table.policies, policy] }),
    );
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.policies.length > 0),
    );
    if (table === undefined) return undefined;
    return edited(
      `drop policy of ${table.name}`,
      withTable(plan, table, { ...table, policies: table.policies.slice(1) }),
    );
  },
  (plan, random, serial) => {
    const table = pick(
      random,
      plan.tables.filter((one) => one.policies.length > 0),
    );
    if (table === undefined) return undefined;
    const policies = table.policies.map((policy) => ({ ...policy, minimum: serial + 100 }));
    return edited(`change policies of ${table.name}`, withTable(plan, table, { ...table, policies }));
  },
  (plan, random) => {
    const domain = pick(random, plan.domains);
    if (domain === undefined) return undefined;
    const minimum = domain.minimum === 1 ? 2 : 1;
    return edited(`change domain ${domain.name} to ${minimum}`, {
      ...plan,
      domains: plan.domains.map((one) => (one === domain ? { ...domain, minimum } : one)),
    });
  },
  (plan, random, serial) => {
    const composite = pick(random, plan.composites);
    if (composite === undefined) return undefined;
    const fields = [...composite.fields, `part_${serial}`];
    return edited(`add attribute to ${composite.name}`, {
      ...plan,
      composites: plan.composites.map((one) => (one === composite ? { ...composite, fields } : one)),
    });
  },
  (plan, random) => {
    const type = pick(
      random,
      plan.enums.filter(({ values }) => values.length > 2),
    );
    const value = type?.values.at(-1);
    if (type === undefined || value === undefined || value === "open") return undefined;
    const values = type.values.filter((one) => one !== value);
    return edited(`drop value ${value} of ${type.name}`, {
      ...plan,
      enums: plan.enums.map((one) => (one === type ? { ...type, values } : one)),
    });
  },
  (plan, random, serial) => {
    const table = pick(random, plan.tables);
    if (table === undefined) return undefined;
    const comment = table.comment === undefined ? `Table ${serial}` : undefined;
    return edited(`comment on ${table.name}`, withTable(plan, table, { ...table, comment }));
  },
  (plan, random) => {
    const table = pick(
      random,
      plan.tables.filter(
        (one) => one.timestamps === false && !plan.views.some((view) => view.table === one.name),
      ),
    );
    if (table === undefined) return undefined;
    return edited(`add timestamps to ${table.name}`, withTable(plan, table, { ...table, timestamps: true }));
  },
  (plan, random) => {
    const sequence = pick(random, plan.sequences);
    if (sequence === undefined) return undefined;
    const next = { ...sequence, increment: sequence.increment + 1 };
    return edited(`change increment of ${sequence.name}`, {
      ...plan,
      sequences: plan.sequences.map((one) => (one === sequence ? next : one)),
    });
  },
  (plan) => {
    const extensions = plan.extensions.includes("citext") ? ["pg_trgm"] : [...plan.extensions, "citext"];
    return edited(extensions.length > plan.extensions.length ? "add extension" : "drop extension", {
      ...plan,
      extensions,
    });
  },
];

const EDITS: readonly Draw[] = [...COLUMN_EDITS, ...OBJECT_EDITS];
