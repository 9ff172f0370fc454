import type { HistoryPage, RowVersion } from "../../repository/index.ts";
import type { AnyEntity, EntityDescription } from "../../schema/index.ts";
import type { CommandContext, CommandResult } from "../action.ts";
import { openProject } from "../open-project.ts";

/** The flags of `history show`. */
export interface ShowFlags {
  readonly limit: number;
  readonly after?: string;
  readonly tenant?: string;
}

/** One row's changes, as its repository gives them. */
export async function showRow(
  context: CommandContext,
  table: string,
  id: string,
  { limit, after, tenant }: ShowFlags,
): Promise<CommandResult> {
  const project = await openProject(context);
  const schema = await project.loadSchema();
  const { entity, description } = await findEntity(schema, table);
  await requireTenant(description, tenant);
  const { createDatabase } = await import("../../database.ts");
  const { url, directUrl, session } = project.readDatabase();
  const database = await createDatabase({
    schema,
    directory: project.directory,
    url,
    directUrl,
    pool: { max: 1, min: 0, instances: 1 },
    session: { ...session, applicationName: "plinth history" },
  });
  try {
    const repository: object = database.repository(entity);
    const read = () => readHistory(repository, keyOf(description, id), { limit, after: after ?? null });
    const page = await (tenant === undefined ? read() : database.as({ tenantId: tenant }, read));
    const { data, meta } = page;
    const { nextCursor, knownSince, isPruned } = meta;
    const versions = data.map(asJson);
    const text = data.length === 0 ? nothing(meta) : data.map(textOf).join("\n") + below(meta);
    return { data: { table: description.name, versions, nextCursor, knownSince, isPruned }, text };
  } finally {
    await database.close();
  }
}

/** Rows of two tenants may have one id. */
async function requireTenant({ name, tenant }: EntityDescription, given: string | undefined): Promise<void> {
  if ((tenant === undefined) === (given === undefined)) return;
  const { InputError } = await import("../../errors/index.ts");
  const message =
    tenant === undefined
      ? `"${name}" has no tenant, so its rows are nobody's`
      : `"${name}" has a tenant: say whose row it is, with --tenant <${tenant.key}>`;
  throw new InputError("INVALID_QUERY", [{ path: "tenant", message }]);
}

type AnyPage = HistoryPage<AnyEntity>;

type Meta = AnyPage["meta"];

function nothing({ knownSince, isPruned }: Meta): string {
  if (knownSince === null) return "nothing was recorded of this row\n";
  return `nothing was recorded of this row since ${isPruned ? "the history was pruned up to" : "the history began at"} ${knownSince}\n`;
}

/** What there is below the last change that is shown. */
function below({ nextCursor, knownSince, isPruned }: Meta): string {
  if (nextCursor !== null) return `more: --after ${nextCursor}\n`;
  return isPruned ? `\nwhat was before ${knownSince} was pruned\n` : "";
}

/** The entity is only known at run time, so the compiler cannot know that its repository has the method. */
async function readHistory(repository: object, key: unknown, options: object): Promise<AnyPage> {
  const { history } = repository as { history(key: unknown, options: object): PromiseLike<AnyPage> };
  return history(key, options);
}

async function findEntity(
  schema: Readonly<Record<string, unknown>>,
  table: string,
): Promise<{ readonly entity: AnyEntity; readonly description: EntityDescription }> {
  const { describeTable, isEntity } = await import("../../schema/index.ts");
  const { InputError, unknownName } = await import("../../errors/index.ts");
  const all = Object.values(schema)
    .filter(isEntity)
    .map((entity) => ({ entity, description: describeTable(entity) }));
  const known = all.filter(({ description }) => description.history !== undefined);
  const found = known.find(({ description }) => description.name === table);
  if (found !== undefined) return found;
  const names = known.map(({ description }) => description.name);
  const isThere = all.some(({ description }) => description.name === table);
  const message = isThere ? `"${table}" keeps no history` : unknownName("table with a history", table, names);
  throw new InputError("INVALID_QUERY", [{ path: "table", message }]);
}

/** A key as a repository takes it, from what was typed. */
function keyOf({ rowKey: columns }: EntityDescription, id: string): unknown {
  const [only] = columns;
  if (columns.length === 1 && only !== undefined) return valueOfKey(only.kind, id);
  const given = parsed(id);
  return Object.fromEntries(
    columns.map(({ key, kind }) => {
      const value = Object.hasOwn(given, key) ? given[key] : undefined;
      return [key, value === undefined ? undefined : valueOfKey(kind, String(value))];
    }),
  );
}

function valueOfKey(kind: string, text: string): unknown {
  switch (kind) {
    case "integer":
    case "float":
      return Number(text);
    case "bigint":
    case "safe-bigint":
      return /^-?\d+$/.test(text) ? BigInt(text) : text;
    case "instant":
      return new Date(text);
    case "boolean":
      return text === "true";
    default:
      return text;
  }
}

function parsed(id: string): Readonly<Record<string, unknown>> {
  try {
    const given: unknown = JSON.parse(id);
    return typeof given === "object" && given !== null ? { ...given } : {};
  } catch {
    return {};
  }
}

/** `2026-11-21T10:00:00.000Z  update  by u7 (app), because: release` and what differs, a line each. */
function textOf(version: RowVersion<AnyEntity>): string {
  const { at, operation, actor, changes, concealed } = version;
  const { userId, role, tenantId, requestId, reason } = actor;
  const facts = [
    userId === null ? `by role ${role}` : `by ${userId} (role ${role})`,
    ...(tenantId === null ? [] : [`tenant ${tenantId}`]),
    ...(requestId === null ? [] : [`request ${requestId}`]),
    ...(reason === null ? [] : [`because: ${reason}`]),
  ];
  const entries: readonly (readonly [string, unknown])[] = Object.entries(changes);
  const lines = [
    `${at.toISOString()}  ${operation}  version ${version.version}  ${facts.join(", ")}`,
    ...entries.map(([key, change]) => `  ${key}: ${changeText(change)}`),
    ...concealed.map((key) => `  ${key}: changed (not recorded)`),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

function changeText(change: unknown): string {
  const { from, to } = change as { readonly from: unknown; readonly to: unknown };
  return `${valueText(from)} -> ${valueText(to)}`;
}

function valueText(value: unknown): string {
  return JSON.stringify(value, jsonValue) ?? "null";
}

function asJson(version: RowVersion<AnyEntity>): unknown {
  return JSON.parse(JSON.stringify(version, jsonValue));
}

function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** What users typed may hold control characters that a terminal obeys. */
function printable(line: string): string {
  return line.replaceAll(
    /[\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
