/**
 * One or more statements that belong together, and what they need of the others. Ids are those of the catalogs;
 * those of `from` and of `to` live apart, as an object that is dropped and made again has the same id in both.
 */
export interface Step {
  /** Where it would stand if nothing depended on anything; see `RANK`. */
  readonly rank: number;
  readonly statements: readonly string[];
  /** Ids of `from` that are gone after it. Whatever lets go of one of them comes before. */
  readonly drops?: readonly string[] | undefined;
  /** Ids of `from` that it lets go of, or makes use of for the last time. */
  readonly frees?: readonly string[] | undefined;
  /** Ids of `to` that are there after it. Whatever needs one of them comes after. */
  readonly makes?: readonly string[] | undefined;
  /** Ids of `to` that it needs. */
  readonly needs?: readonly string[] | undefined;
  /** Ids of `to` that it should come after, unless that goes round in a circle. */
  readonly prefers?: readonly string[] | undefined;
  /** Names nobody holds any more after it, and names it takes. */
  readonly givesUp?: readonly string[] | undefined;
  readonly takes?: readonly string[] | undefined;
}

/** The usual order of a migration: what is in the way goes, then everything grows, and what is not needed goes last. */
export const RANK = {
  rename: 0,
  // A new value can be used once its transaction has ended: at the start nothing is taken apart yet.
  enumValue: 1,
  clearIndex: 2,
  dropTrigger: 10,
  dropPolicy: 11,
  dropRule: 12,
  dropView: 13,
  dropForeignKey: 14,
  dropConstraint: 15,
  dropStatistics: 16,
  dropIndex: 17,
  dropRoutine: 18,
  detach: 19,
  schema: 20,
  extension: 21,
  retire: 22,
  other: 23,
  type: 24,
  sequence: 25,
  table: 30,
  column: 32,
  retype: 33,
  alterColumn: 34,
  copy: 35,
  attach: 36,
  alterTable: 37,
  own: 38,
  constraint: 40,
  index: 41,
  foreignKey: 42,
  statistics: 43,
  routine: 50,
  view: 51,
  trigger: 55,
  rule: 56,
  policy: 57,
  rowSecurity: 58,
  attributes: 60,
  fill: 70,
  guard: 71,
  concurrentIndex: 72,
  usingIndex: 73,
  validate: 75,
  notNull: 76,
  swapIndex: 78,
  dropDefault: 80,
  dropColumn: 81,
  dropTable: 82,
  dropSequence: 83,
  dropType: 84,
  dropOther: 85,
  dropExtension: 86,
  dropSchema: 87,
} as const;
