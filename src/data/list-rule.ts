/** What an application declares of a list. */

/**
 * How the server makes a list. Both functions are pure and cheap, and read only the row, its owner and what stands in the
 * query's key: then rows move in and out of the view by themselves, and changes that cannot matter cost no read. A list
 * without a rule is read again when a row of its kind changes. Compare numbers and code points, not by locale.
 */
export interface ListRule<TRow, TOwner = unknown> {
  /**
   * Whether a row is in the list. `owner` is what holds it: the nearest object around it, or all of the data.
   * @defaultValue all rows are
   */
  where?: ((row: TRow, owner: TOwner) => boolean) | undefined
  /**
   * The order of two rows: negative, 0 or positive. A row is put after its equals.
   * @defaultValue a change of a row does not move it, and a new one comes last
   */
  orderBy?: ((a: TRow, b: TRow) => number) | undefined
}
