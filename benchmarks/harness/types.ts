// The words of the benchmarks. A row of the table is a benchmark, measured at three sizes; who is measured in it is a
// contender, and the same work is done by all contenders of a row.

/** One who does the work of a row. */
export interface Contender {
  readonly name: string
  /** The work, once. It has ended when this returns or resolves: the subscriber has been called with the value. */
  run(n: number): void | Promise<void>
  /** Puts things back between two runs; not measured. Contenders with it are measured run by run, others by block. */
  after?(n: number): void | Promise<void>
  /** What is wrong with the end result, in a few words. Looked at when all is measured. */
  check?(): string | undefined | Promise<string | undefined>
  close?(): void
  /** How many times the work is done in one `run`; the figure is for one. @defaultValue 1 */
  readonly times?: number
  /** Runs in a block at most. */
  readonly most?: number
  /** Figures beside the time, asked when all is measured: how often somebody was called. */
  counts?(): Record<string, number>
}

/** What one contender needed at one size. */
export interface Figure {
  readonly row: string
  readonly size: number
  readonly contender: string
  readonly value: number
  readonly unit: Unit
  /** The contender ended with something else than what the work asks for: the figure is no speed. */
  readonly wrong?: string
}

export type Unit = 'µs' | 'B' | 'calls'

/** A row of the table. */
export interface Benchmark {
  readonly name: string
  /** What is measured, in a sentence. */
  readonly title: string
  /** What a size counts: 'rows', 'queries'. */
  readonly of: string
  readonly sizes: readonly number[]
  /** Measures one size, in a process of its own. */
  measure(size: number): Promise<readonly Omit<Figure, 'row' | 'size'>[]>
}
