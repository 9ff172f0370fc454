import type {
  CatalogColumn,
  CatalogObject,
  DomainObject,
  Grant,
  PolicyObject,
  SequenceObject,
  SequenceOptions,
  TableObject,
} from "../model.ts";

/** What an object is, in the server's words as far as it has any: what a comparison compares, and a reader reads. */
export function describeObject(object: CatalogObject): string {
  switch (object.kind) {
    case "schema":
      return "schema";
    case "extension":
      return words(`version ${object.version}`, object.home && `schema ${object.home}`);
    case "enum":
      return object.values.map((value) => `'${value.replaceAll("'", "''")}'`).join(", ");
    case "domain":
      return domainText(object);
    case "composite type":
      return object.attributes
        .map(({ name, type, collation }) => words(name, type, collation && `collate ${collation}`))
        .join(", ");
    case "sequence":
      return sequenceText(object);
    case "table":
      return tableText(object);
    case "constraint":
      return words(
        object.definition,
        !object.isEnforced && "NOT ENFORCED",
        // A constraint that is not enforced was never checked.
        object.isEnforced && !object.isValid && "NOT VALID",
        object.isSuspended && "(its triggers are disabled)",
      );
    case "index":
      return words(object.definition, !object.isValid && "(invalid)");
    case "view":
    case "materialized view":
      return words(withOptions(object.options), `as ${object.query.trim()}`);
    case "trigger":
      return words(object.definition, ENABLED[object.enabled]);
    case "policy":
      return policyText(object);
    default:
      return object.definition;
  }
}

const ENABLED = {
  origin: undefined,
  disabled: "(disabled)",
  replica: "(enabled on replicas only)",
  always: "(always enabled)",
} as const;

/** Without its name: columns are compared by name, wherever they stand. */
export function describeColumn(column: CatalogColumn): string {
  const { type, collation, notNull, isNotNullValid, identity, generated, storage, compression, statistics } =
    column;
  return words(
    type,
    collation && `collate ${collation}`,
    notNull && (isNotNullValid ? "not null" : "not null not valid"),
    identity && `generated ${identity.mode} as identity${identityText(identity.options)}`,
    generated && `generated always as (${generated.expression}) ${generated.mode}`,
    column.default !== undefined && `default ${column.default}`,
    storage && `storage ${storage}`,
    compression && `compression ${compression}`,
    statistics !== undefined && `statistics ${statistics}`,
  );
}

export function describeGrant({ privileges, grantable }: Grant): string {
  return words(
    privileges.join(", "),
    grantable.length > 0 &&
      `with grant option${grantable.length === privileges.length ? "" : ` for ${grantable.join(", ")}`}`,
  );
}

function tableText(table: TableObject): string {
  const { partitionKey, partitionOf, inherits, replicaIdentity } = table;
  return words(
    table.isUnlogged && "unlogged",
    partitionKey === undefined ? "table" : `partitioned table by ${partitionKey}`,
    partitionOf && `partition of ${partitionOf.parent.replace(/^table /, "")} ${partitionOf.bound}`,
    inherits.length > 0 && `inherits ${inherits.map((id) => id.replace(/^table /, "")).join(", ")}`,
    withOptions(table.options),
    table.rowSecurity && "row level security",
    table.forceRowSecurity && "forced",
    replicaIdentity !== "default" && `replica identity ${replicaIdentity}`,
  );
}

function withOptions(options: readonly string[]): string | undefined {
  return options.length === 0 ? undefined : `with (${options.join(", ")})`;
}

function domainText(domain: DomainObject): string {
  return words(
    domain.type,
    domain.collation && `collate ${domain.collation}`,
    domain.notNull && "not null",
    domain.default !== undefined && `default ${domain.default}`,
    // Their names do not count: the server makes most of them up.
    ...domain.checks
      .map(({ definition, isValid }) => (isValid ? definition : `${definition} NOT VALID`))
      .sort(),
  );
}

function policyText({ command, isPermissive, roles, using, check }: PolicyObject): string {
  return words(
    isPermissive ? "permissive" : "restrictive",
    `for ${command} to ${roles.join(", ")}`,
    using !== undefined && `using (${using})`,
    check !== undefined && `with check (${check})`,
  );
}

function sequenceText({ isUnlogged, options, ownedBy }: SequenceObject): string {
  return words(
    isUnlogged && "unlogged",
    `${options.type}${optionsText(options)}`,
    ownedBy && `owned by ${ownedBy.replace(/^column /, "")}`,
  );
}

function identityText(options: SequenceOptions): string {
  const text = optionsText(options);
  return text === "" ? "" : ` (${text.trim()})`;
}

const MAXIMA: Readonly<Record<string, string>> = {
  smallint: "32767",
  integer: "2147483647",
  bigint: "9223372036854775807",
};

/** What follows from the type of an ascending sequence is not worth saying. */
function optionsText(options: SequenceOptions): string {
  const { start, increment, minimum, maximum, cache, cycles } = options;
  const text = words(
    increment !== "1" && `increment ${increment}`,
    minimum !== "1" && `minvalue ${minimum}`,
    maximum !== MAXIMA[options.type] && `maxvalue ${maximum}`,
    start !== "1" && `start ${start}`,
    cache !== "1" && `cache ${cache}`,
    cycles && "cycle",
  );
  return text === "" ? "" : ` ${text}`;
}

function words(...parts: readonly (string | false | undefined)[]): string {
  return parts.filter((part) => part !== false && part !== undefined && part !== "").join(" ");
}
