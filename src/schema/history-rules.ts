/** How an entity's history is kept. */
export interface HistoryRules<K extends string = string> {
  /**
   * Properties whose values are never recorded, only that they changed. Secret columns are among them by themselves.
   * @default the secret columns
   */
  readonly except?: readonly K[];
}
