import type { OtherObject } from "../model.ts";
import type { Question } from "./answers.ts";

/** Which statement asks for which kind of what is not taken apart. */
export const OTHERS = [
  ["collations", "collation"],
  ["operators", "operator"],
  ["operatorClasses", "operator class"],
  ["casts", "cast"],
  ["dictionaries", "text search dictionary"],
  ["configurations", "text search configuration"],
  ["eventTriggers", "event trigger"],
  ["publications", "publication"],
  ["foreignServers", "foreign server"],
  ["foreignTables", "foreign table"],
] as const satisfies readonly (readonly [Question, OtherObject["kind"]])[];
