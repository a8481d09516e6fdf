// A client with a list of rows, as each library's documentation would write it: what the rows about optimistic writes ask
// of Tidemark and of every peer alike.
import type { Change, Row, Server } from './server.ts'

export interface Subject {
  /** Shows the change at once and sends it; resolves when the server has accepted or refused it and that is shown. */
  write(change: Change): Promise<unknown>
  /** Reads the list again. */
  refetch?(): unknown
  /** Takes a list that somebody has read. */
  handIn?(rows: Row[]): void
  close(): void
}

export interface SubjectOptions {
  readonly server: Server
  /** The subscriber's callback; with `watch`, it is called with that row alone. */
  readonly show: (shown: readonly Row[] | Row | undefined) => void
  /** Nobody watches the list; one row, of this id, is watched. */
  readonly watch?: string
}

/** Writes that change nothing that is shown: order, sending and outcomes alone. */
export interface Queue {
  /** Resolves when it was accepted. Writes of one scope go one after another, where the library has an order. */
  write(change: Change, scope: string): Promise<unknown>
  close(): void
}

/** Many small queries, each with its own key. */
export interface Queries {
  /** Puts data into the cache, as if it had been read. */
  set(at: number, row: Row): void
  watch(at: number, show: (row: Row) => void): void
  /** Marks one of them as stale; nothing is read. */
  invalidate?(at: number): void
}

export interface Library {
  readonly name: string
  /** Without: the library has nothing that sends writes in order, or at all. */
  queue?(server: Server): Queue
  queries?(count: number): Queries
  /** Makes a client with all rows of the server in it, and one subscriber. */
  open(options: SubjectOptions): Promise<Subject>
  /** A row alone can be subscribed to, without the list. */
  readonly hasRows?: boolean
  /** Rows at most: beyond, its set-up takes minutes. */
  readonly most?: number
  /** Pending writes at most: beyond, it takes minutes. */
  readonly mostPending?: number
}
