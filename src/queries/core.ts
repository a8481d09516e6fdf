/** What the parts of this room share: the cells, the layers over them, transitions, and where everybody stands. */
import type { QueryKey } from '@tanstack/query-core'
import type { Cursor } from '../base/cursor'
import type { SyncError } from '../base/errors'
import type { RowChange, RowId, Version } from '../base/messages'
import type { Drafts } from '../data/drafts'
import type { Located } from '../data/entities'
import type { HashKey } from '../data/recipes'
import type { Versions } from '../data/versions'
import type { Layer, RowCopy } from '../evidence/evidence'
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'
import type { Cell, Placement, When } from './cell'
import type { Lookup } from './lookup'
import type { Transitions } from './transition'

export interface CoreDeps {
  clock: Clock
  random: Random
  report: (error: SyncError) => void
  /** What is done for developers; a production build has none of it. */
  aids: Aids | undefined
  /** Milliseconds that a read waits for its answer. */
  timeout: number
}

/** What is done for developers alone. */
export interface Aids {
  /** Says something to a developer, once per topic. */
  say(topic: string, message: string): void
  /** So that nobody changes what the server said. */
  freeze(data: unknown): void
  /** A recipe gave two results on the same data. */
  impure(recipe: (draft: never) => unknown): void
  /** News of the query waits for the outcome of the layer's mutation, for nothing says what it contains. */
  waits(query: { readonly queryKey: QueryKey }, layer: Layer): void
  /** The server gives a sign of life so often, in milliseconds. */
  heartbeat(interval: number): void
  /** A mutation of this key is defined in two places. */
  twice(mutationKey: readonly unknown[]): void
  /** The application set data over pending writes. */
  overwrites(query: { readonly queryKey: QueryKey }): void
  /** A changed row has no place in the query, which will be read. */
  unplaced(query: { readonly queryKey: QueryKey }): void
  /** The query was read: its rows before and after. */
  reread(query: { readonly queryKey: QueryKey }, before: Located, after: Located): void
}

/** What the cache brings along. */
export interface CoreParts {
  /** A query's name, as its QueryClient makes it of the key. */
  hashKey: HashKey
  lookup: Lookup
  /** Makes the reads that are wanted. */
  refresh: (cell: Cell, when?: When) => void
  /** Takes a query that nobody watches out of the cache. */
  evict: (cell: Cell) => void
}

/** A row that an event deleted a short while ago. */
export interface Tombstone {
  readonly type: string
  readonly id: RowId
  readonly version: Version
  readonly at: Cursor | undefined
  /** When the event arrived. */
  readonly tick: number
  cancel(): void
}

/** What the owner of the layers (the queue) hears, before the transition's publish: what it changes then is published too. */
export interface LayerListener {
  /** Confirmed, and covered in every watched query that has data. Once per layer. */
  onReflected(layer: Layer): void
  /** No query lacks it any more: its row in the log can go. */
  onGone(layer: Layer): void
  /** The row, as a base had it, that a layer starts from in lists that lack it. */
  onCopy(layer: Layer, name: string, copy: RowCopy): void
  /** Whether writes of the scope are still to be decided. */
  isBusy(scope: string): boolean
  /** After the publish: a read came back or a base was published, so sends that waited for a read may go on. */
  onReadSettled(): void
}

/** The layers that some query may still lack. */
export interface Layers {
  /** Ordered by `pos`; all that some query may still lack. */
  readonly layers: readonly Layer[]
  addLayer(layer: Layer): void
  removeLayer(layer: Layer): void
  /** Looks anew which layers touch the query. */
  attachAll(cell: Cell): void
  /** The query has left the cache. */
  forget(cell: Cell): void
  /** The queries that a layer touches and that may lack it, with its recipes there. */
  touchedBy(layer: Layer): ReadonlyMap<Cell, Placement>
  /** The server has accepted the layer's mutation. */
  confirmed(layer: Layer): void
  /**
   * What the layer's mutation changes without showing it: it is not reflected before they have been read, or, where the stream
   * is to tell (`told`), before it has told.
   */
  awaitReads(layer: Layer, cells: Iterable<Cell>, how: 'read' | 'told'): void
  /** The layers that change a row, in order. */
  chainOf(name: string): readonly Layer[]
  /** The row as the newest layer that changes it found it. */
  copyOf(name: string): unknown
  /** The layer's change is made on this row, where base lacks it: what shows that is folded anew. */
  startFrom(layer: Layer, name: string, copy: RowCopy): void
  /** An event has deleted the row: no layer brings it back into a list. */
  bereave(name: string): void
  /** Looks again whether confirmed layers are reflected or gone. */
  checkLayers(): void
  /**
   * Takes the layers out that base has. `true`: the view is, or may be, another. It is folded at once where somebody watches,
   * and else when it is read.
   */
  settle(cell: Cell): boolean
  /** What the query shows now. */
  viewOf(cell: Cell): Located
}

export interface Core extends CoreDeps, Omit<CoreParts, 'evict'>, Transitions, Layers {
  readonly drafts: Drafts
  readonly cells: Map<string, Cell>
  /** Of rows, as events told them. */
  readonly versions: Versions
  /** The queries that hold rows of a kind, for layers that name no query. */
  holders(type: string, id: RowId): Iterable<Cell>
  /** The rows of a query's base have changed: the index of rows must know. `true`: it is the detail of another row now. */
  moved(cell: Cell): boolean
  /** Deleted a short while ago, by kind and id. */
  readonly tombstones: ReadonlyMap<string, Tombstone>
  /** An event has deleted, or written, this row. */
  bury(change: RowChange, cursor: Cursor | undefined): void
  listener: LayerListener | undefined
  /** Newest position of an own confirmed mutation. */
  readonly ownAt: Cursor | undefined
  /** An own mutation was confirmed at this position. */
  sawOwn(cursor: Cursor | undefined): void
  /** Where the stream stands. */
  readonly streamAt: Cursor | undefined
  sawStream(cursor: Cursor): void
  /** Is told each position that an answer names. */
  told: (cursor: Cursor, isOwn: boolean) => void
  /** Counts requests that leave, and answers and events that arrive. */
  readonly tickNow: number
  tick(): number
  stop(): void
}
