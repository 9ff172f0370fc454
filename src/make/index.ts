// New files of a project
export { type MadeEntity, type MakeEntityOptions, makeEntity } from "./make-entity.ts";
export { type MakeSeedOptions, makeSeed } from "./make-seed.ts";
