import type { ExtensionObject, SchemaObject } from "../model.ts";
import { changedAttributes } from "./attributes.ts";
import { altering, dropping, making } from "./build.ts";
import type { Ground } from "./ground.ts";
import { literal, sqlName } from "./names.ts";
import { RANK, type Step } from "./step.ts";

export function createSchema(ground: Ground, schema: SchemaObject): readonly Step[] {
  return [making(ground, schema, RANK.schema, [`create schema ${sqlName(schema.name)}`])];
}

export function dropSchema(schema: SchemaObject): readonly Step[] {
  return [dropping(schema, RANK.dropSchema, [`drop schema ${sqlName(schema.name)}`])];
}

/**
 * Its version is left to the server, as servers do not have the same ones. A database has an extension once, whoever
 * needs it first: another copy of the application in another schema may have brought it already.
 */
export function createExtension(ground: Ground, extension: ExtensionObject): readonly Step[] {
  const place = extension.home === undefined ? "" : ` with schema ${sqlName(extension.home)}`;
  const statement = `create extension if not exists ${sqlName(extension.name)}${place}`;
  return [making(ground, extension, RANK.extension, [statement])];
}

export function alterExtension(ground: Ground, from: ExtensionObject, to: ExtensionObject): readonly Step[] {
  const target = `alter extension ${sqlName(to.name)}`;
  const home = to.home ?? ground.to.catalog.home;
  const statements = [
    ...(from.home === to.home ? [] : [`${target} set schema ${sqlName(home)}`]),
    ...(from.version === to.version ? [] : [`${target} update to ${literal(to.version)}`]),
  ];
  return [
    altering(from, to, RANK.extension, statements),
    { rank: RANK.attributes, statements: changedAttributes(ground, from, to) },
  ];
}

export function dropExtension(extension: ExtensionObject): readonly Step[] {
  return [dropping(extension, RANK.dropExtension, [`drop extension ${sqlName(extension.name)}`])];
}
