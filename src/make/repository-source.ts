import type { Field } from "./field.ts";
import type { EntityNames } from "./names.ts";

/** The repository of an entity: its queries as named functions, with a list for each thing it belongs to. */
export function repositorySource(names: EntityNames, fields: readonly Field[], schemaImport: string): string {
  const { plural, type } = names;
  const door = plural;
  const lists = fields.filter((field) => field.type.kind === "ref").map((field) => listBy(names, field));
  return `import type { Database } from "plinth";
import type { CreateInput, UpdateInput } from "plinth/schema";
import * as schema from "${schemaImport}";

export type New${type} = CreateInput<typeof schema.${plural}>;
export type ${type}Changes = UpdateInput<typeof schema.${plural}>;

/** The queries of ${names.table}, on any database of this schema: the application's, or a test's. */
export function ${names.singular}RepositoryOn(db: Database<typeof schema>) {
  const ${door} = db.repository(schema.${plural});
  return Object.freeze({
    create: (${names.singular}: New${type}) => ${door}.create(${names.singular}),
    find: (id: string) => ${door}.find(id),
    update: (id: string, changes: ${type}Changes) => ${door}.update(id, changes),
    delete: (id: string) => ${door}.delete(id),
    list: (page: { readonly page?: number; readonly limit?: number } = {}) => ${door}.list(page),
${lists.join("")}  });
}
`;
}

/** \`listByProjectId(projectId)\`, on the index of the foreign key. */
function listBy({ plural }: EntityNames, { key }: Field): string {
  const name = `listBy${key.charAt(0).toUpperCase()}${key.slice(1)}`;
  const column = `typeof schema.${plural}.$inferSelect["${key}"]`;
  return `    ${name}: (${key}: ${column}, page: { readonly page?: number; readonly limit?: number } = {}) =>
      ${plural}.list({ ...page, where: { ${key} } }),
`;
}
