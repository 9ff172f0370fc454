import type {
  ColumnDescription,
  CompositeTypeDescription,
  DomainDescription,
  EnumDescription,
  ExtensionDescription,
  SequenceDescription,
} from "../../schema/index.ts";
import { dollarQuote, quoteIdentifier, quoteLiteral } from "../../sql/index.ts";
import type { Names } from "./names.ts";
import type { Part } from "./part.ts";
import { sequenceWords } from "./tables.ts";

/** There already, in every database, or the server's own. */
const GIVEN_SCHEMAS: readonly string[] = ["public", "pg_catalog"];

/**
 * A database has an extension once, and another copy of the application may have made it: hence `if not exists`.
 * Its way back fails while somebody else's objects use it, and a schema that others use stays.
 */
export function extensionPart({ name, target, version }: ExtensionDescription): Part {
  const extension = quoteIdentifier(name);
  const schema = target === undefined ? "" : ` schema ${quoteIdentifier(target)}`;
  const chosen = version === undefined ? "" : ` version ${quoteLiteral(version)}`;
  const isOwnSchema = target !== undefined && !GIVEN_SCHEMAS.includes(target);
  return {
    ids: [`extension ${name}`],
    rank: "extension",
    up: [
      ...(isOwnSchema ? [`create schema if not exists ${quoteIdentifier(target)}`] : []),
      `create extension if not exists ${extension}${schema}${chosen}`,
    ],
    down: [`drop extension if exists ${extension}`, ...(isOwnSchema ? [dropIfEmpty(target)] : [])],
    needs: [],
  };
}

/** 2BP01 says that something is left in it. */
function dropIfEmpty(schema: string): string {
  const body = `
begin
  drop schema if exists ${quoteIdentifier(schema)};
exception when dependent_objects_still_exist then
  null;
end
`;
  return `do ${dollarQuote(body)}`;
}

export function enumPart({ name, values }: EnumDescription): Part {
  const type = quoteIdentifier(name);
  return {
    ids: [`type ${name}`],
    rank: "enum",
    up: [`create type ${type} as enum (${values.map(quoteLiteral).join(", ")})`],
    down: [`drop type ${type}`],
    needs: [],
  };
}

export function domainPart({ name, base, checks, needs }: DomainDescription, names: Names): Part {
  const lines = [
    `create domain ${quoteIdentifier(name)} as ${names.type(base)}`,
    ...(base.defaultSql === undefined ? [] : [`default ${base.defaultSql}`]),
    ...(base.notNull ? ["not null"] : []),
    ...checks.map((check) => `constraint ${quoteIdentifier(check.name)} check (${check.expression})`),
  ];
  const create = lines.join("\n  ");
  return {
    ids: [`type ${name}`],
    rank: "domain",
    up: [create],
    down: [`drop domain ${quoteIdentifier(name)}`],
    needs,
    text: create,
  };
}

export function compositePart({ name, attributes, needs }: CompositeTypeDescription, names: Names): Part {
  const list = attributes.map((attribute) => attributeLine(attribute, names)).join(", ");
  return {
    ids: [`type ${name}`],
    rank: "composite type",
    up: [`create type ${quoteIdentifier(name)} as (${list})`],
    down: [`drop type ${quoteIdentifier(name)}`],
    needs,
  };
}

/** A name and its type: of an attribute, a column of `returns table`. */
export function attributeLine(column: ColumnDescription, names: Names): string {
  return `${quoteIdentifier(column.name)} ${names.type(column)}`;
}

export function sequencePart({ name, options, needs }: SequenceDescription): Part {
  const sequence = quoteIdentifier(name);
  return {
    ids: [`relation ${name}`],
    rank: "sequence",
    up: [["create sequence", sequence, ...sequenceWords(options)].join(" ")],
    down: [`drop sequence ${sequence}`],
    needs,
  };
}
