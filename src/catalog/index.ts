// A live schema: read and compared
export {
  type Catalog,
  type CatalogDifference,
  type CatalogObject,
  compareCatalogs,
  readCatalog,
} from "./catalog.ts";
// A declared schema as SQL
export { renderSchema, type SchemaSql } from "./render.ts";
