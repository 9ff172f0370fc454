import type { Scope } from "./context.ts";
import type { Reader } from "./read.ts";
import { type Creator, createCreator } from "./write/create.ts";
import { createGraphCreator, type GraphCreator } from "./write/create-graph.ts";
import { createDeleter, type Deleter } from "./write/delete.ts";
import { createUpdater, type Updater } from "./write/update.ts";
import { createEachUpdater, type EachUpdater } from "./write/update-each.ts";
import { createUpserter, type Upserter } from "./write/upsert.ts";

/** Works out the writes of one entity as one caller sees it. */
export interface Writer extends Creator, Updater, EachUpdater, Upserter, Deleter, GraphCreator {}

export function createWriter(scope: Scope, reader: Pick<Reader, "get">): Writer {
  return {
    ...createCreator(scope),
    ...createUpdater(scope, reader),
    ...createEachUpdater(scope),
    ...createUpserter(scope),
    ...createDeleter(scope),
    ...createGraphCreator(scope),
  };
}
