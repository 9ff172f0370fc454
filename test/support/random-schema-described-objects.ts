import type {
  ObjectDescription,
  PolicyDescription,
  RoutineDescription,
  SchemaDescription,
} from "../../src/schema/index.ts";
import { type Entity, withEntity } from "./random-schema-described.ts";
import { type DescribedDraw, edited } from "./random-schema-described-draw.ts";
import { pick } from "./random-schema-draw.ts";

function withObjects(schema: SchemaDescription, ...added: readonly ObjectDescription[]): SchemaDescription {
  return { ...schema, objects: [...schema.objects, ...added] };
}

/** What every declared object has, of the schema's own name. */
function base(schema: SchemaDescription, name: string, serial: number) {
  return { schema: schema.schemas[0] ?? "", name, comment: undefined, needs: [], order: 1_000 + serial };
}

function routine(
  schema: SchemaDescription,
  name: string,
  serial: number,
  rest: Pick<RoutineDescription, "returns" | "body">,
): RoutineDescription {
  return {
    ...base(schema, name, serial),
    kind: "function",
    arguments: [],
    language: "plpgsql",
    volatility: "volatile",
    parallel: "unsafe",
    isStrict: false,
    isLeakproof: false,
    isDefiner: false,
    hasOwnPath: false,
    cost: undefined,
    rows: undefined,
    ...rest,
  };
}

/** The policies of a description, in both places where they stand. */
function withPolicies(
  schema: SchemaDescription,
  entity: Entity,
  policies: readonly PolicyDescription[],
): SchemaDescription {
  return withEntity(schema, entity, { ...entity, policies });
}

/** Edits of enums, and of what stands beside the tables. */
export const DESCRIBED_OBJECT_EDITS: readonly DescribedDraw[] = [
  (schema, random, serial) => {
    const type = pick(random, schema.enums);
    if (type === undefined) return undefined;
    const at = Math.floor(random() * (type.values.length + 1));
    const values = [...type.values.slice(0, at), `value ${serial}`, ...type.values.slice(at)];
    const enums = schema.enums.map((one) => (one === type ? { ...type, values } : one));
    return edited(`add value to ${type.name}`, { ...schema, enums });
  },
  (schema, random, serial) => {
    const type = pick(random, schema.enums);
    const last = type?.values.at(-1);
    if (type === undefined || last === undefined || isDefault(schema, last)) return undefined;
    const values = [...type.values.slice(0, -1), `named ${serial}`];
    const enums = schema.enums.map((one) => (one === type ? { ...type, values } : one));
    const rename = { kind: "enum value", of: type.name, from: last, to: `named ${serial}` } as const;
    return { what: `rename value of ${type.name}`, schema: { ...schema, enums }, renames: [rename] };
  },
  (schema, random) => {
    const type = pick(random, schema.enums);
    const last = type?.values.at(-1);
    const isKept = last === undefined || (type?.values.length ?? 0) < 3 || isDefault(schema, last);
    if (type === undefined || isKept) return undefined;
    const values = type.values.slice(0, -1);
    const enums = schema.enums.map((one) => (one === type ? { ...type, values } : one));
    return edited(`drop value ${last} of ${type.name}`, { ...schema, enums });
  },
  (schema, random, serial) => {
    const entity = pick(random, schema.entities);
    const kind = random() < 0.5 ? "view" : "materialized view";
    if (entity === undefined) return undefined;
    const columns = entity.columns.filter(
      ({ marks }) => marks.role !== "deletedAt" && marks.role !== "deletedBy",
    );
    const chosen = columns.slice(0, 1 + Math.floor(random() * columns.length));
    const list = chosen.map(({ name }) => `"${name}"`).join(", ");
    const view = {
      ...base(schema, `seen_${serial}`, serial),
      kind,
      needs: [`relation ${entity.name}` as const],
      query: `select ${list} from "${entity.name}"`,
      options: [],
      checkOption: undefined,
      using: undefined,
      tablespace: undefined,
      withData: true,
      indexes: [],
      comment: random() < 0.5 ? `Seen ${serial}` : undefined,
    } as const;
    return edited(`add ${kind} on ${entity.name}`, withObjects(schema, view));
  },
  (schema, random, serial) => {
    const entity = pick(random, schema.entities);
    const event = pick(random, ["insert", "update", "delete"]);
    if (entity === undefined || event === undefined) return undefined;
    const watch = routine(schema, `watch_${serial}`, serial, {
      returns: { kind: "trigger" },
      body: `begin perform ${serial}; return null; end`,
    });
    const trigger = {
      ...base(schema, `watching_${serial}`, serial),
      kind: "trigger",
      table: entity.name,
      needs: [`relation ${entity.name}` as const, `routine watch_${serial}` as const],
      timing: "after",
      events: [event],
      columns: [],
      isForEachRow: random() < 0.5,
      condition: undefined,
      execute: `watch_${serial}`,
      arguments: [],
      oldRows: undefined,
      newRows: undefined,
      deferrable: undefined,
    } as const;
    return edited(`add trigger on ${entity.name}`, withObjects(schema, watch, trigger));
  },
  (schema, random, serial) => {
    const routines = schema.objects.flatMap((one) => (one.kind === "function" ? [one] : []));
    const one = pick(random, routines);
    if (one === undefined) return undefined;
    const changed = { ...one, body: `begin perform 'it''s ${serial}'; return null; end` };
    const objects = schema.objects.map((other) => (other === one ? changed : other));
    return edited(`change body of ${one.name}`, { ...schema, objects });
  },
  (schema, random) => {
    const leaves = schema.objects.filter(
      (one) =>
        one.kind === "grant" || schema.objects.every((other) => !other.needs.includes(`routine ${one.name}`)),
    );
    const one = pick(random, leaves);
    if (one === undefined) return undefined;
    const name = one.kind === "grant" ? `on ${one.on.name}` : one.name;
    return edited(`drop ${one.kind} ${name}`, {
      ...schema,
      objects: schema.objects.filter((other) => other !== one),
    });
  },
  (schema, random, serial) => {
    const entity = pick(random, schema.entities);
    const privilege = pick(random, ["select", "insert", "update", "delete"]);
    if (entity === undefined || privilege === undefined) return undefined;
    const isThere = schema.objects.some(
      (one) => one.kind === "grant" && one.on.name === entity.name && one.privileges[0] === privilege,
    );
    if (isThere) return undefined;
    const grant: ObjectDescription = {
      kind: "grant",
      schema: entity.schema,
      order: 1_000 + serial,
      needs: [`relation ${entity.name}`],
      on: { kind: "table", name: entity.name },
      columns: [],
      privileges: [privilege],
      roles: ['"plinth_reporter"'],
      withGrantOption: random() < 0.3,
    };
    return edited(`grant ${privilege} on ${entity.name}`, withObjects(schema, grant));
  },
  (schema, random, serial) => {
    const entity = pick(random, schema.entities);
    const command = pick(random, ["all", "select", "update", "delete"] as const);
    const key = entity?.primaryKey.columns[0];
    if (entity === undefined || command === undefined || key === undefined) return undefined;
    const policy: PolicyDescription = {
      table: entity.name,
      name: `policy_${serial}`,
      isPermissive: random() < 0.8,
      command,
      roles: ["public"],
      using: `"${key.name}" is not null`,
      check: command === "all" || command === "update" ? `"${key.name}"::text <> 'x'` : undefined,
      comment: undefined,
    };
    return edited(
      `add policy for ${command} on ${entity.name}`,
      withPolicies(schema, entity, [...entity.policies, policy]),
    );
  },
  (schema, random) => {
    const entity = pick(
      random,
      schema.entities.filter(({ policies }) => policies.length > 0),
    );
    if (entity === undefined) return undefined;
    return edited(`drop policy of ${entity.name}`, withPolicies(schema, entity, entity.policies.slice(1)));
  },
  (schema, random, serial) => {
    const sequence = schema.objects.find((one) => one.kind === "sequence");
    if (sequence === undefined || random() < 0.5) {
      const name = `numbers_${serial}`;
      return edited(
        `add sequence ${name}`,
        withObjects(schema, { ...base(schema, name, serial), kind: "sequence", options: { increment: "3" } }),
      );
    }
    const changed = { ...sequence, options: { increment: String(serial + 5), cache: "4" } };
    const objects = schema.objects.map((one) => (one === sequence ? changed : one));
    return edited(`change sequence ${sequence.name}`, { ...schema, objects });
  },
];

/** Some column's default names the value. */
function isDefault(schema: SchemaDescription, value: string): boolean {
  return schema.entities.some(({ columns }) =>
    columns.some(({ defaultSql = "" }) => defaultSql.includes(value)),
  );
}
