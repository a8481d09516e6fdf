/** The layers that some query may still lack: which queries they touch, when base has them, when they are reflected and gone. */
import { SyncError } from '../base/errors'
import { canonical } from '../base/key'
import type { Op } from '../data/recipes'
import { isRuleFault } from '../data/rules'
import { isOfRow, rowNameOf, rowsNamedBy } from '../data/verbs'
import type { Layer } from '../evidence/evidence'
import { isCovered, isPast } from '../evidence/evidence'
import { isOrAfter } from '../evidence/order'
import { expectEcho, fence, findAnew, raiseFloor } from './base'
import type { Cell, Placement } from './cell'
import { isReading, isWatched } from './cell'
import type { Core, Layers } from './core'
import { matters, placementOf, rowsOf } from './placements'
import { distrust } from './trust'
import type { FoldDeps } from './view'
import { attach, detach, detachAll, foldAnew, leaveUnfolded, refold } from './view'

/** So many confirmed mutations are kept for queries that nobody watches. */
const KEPT = 100

/** What is known of the layers. */
interface Known {
  /** Ordered by `pos`. */
  readonly layers: Layer[]
  readonly touched: Map<Layer, Map<Cell, Placement>>
  /** Confirmed, and lacking somewhere. */
  readonly confirmed: Set<Layer>
  readonly reflected: WeakSet<Layer>
  /** Those that are not reflected before these queries have been read. */
  readonly unread: Map<Layer, { cells: Set<Cell>; how: 'read' | 'told' }>
  /** Recipes that threw: each is reported once. */
  readonly thrown: WeakSet<Placement>
  /** By the rows that they change, in order. */
  readonly byRow: Map<string, Layer[]>
}

/** `core` is asked when something happens: it is being made. */
export function createLayers(core: Core, evict: (cell: Cell) => void): Layers {
  const known: Known = {
    ...{ layers: [], touched: new Map(), confirmed: new Set() },
    ...{ reflected: new WeakSet(), unread: new Map(), thrown: new WeakSet() },
    byRow: new Map(),
  }
  const { layers, touched, confirmed, unread } = known
  return {
    layers,
    touchedBy: (layer) => touched.get(layer) ?? NONE,
    settle(cell) {
      takeCovered(core, known, cell)
      if (cell.query.observers.length === 0) return leaveUnfolded(cell)
      const { data } = cell.view
      foldCell(core, known, cell)
      return !Object.is(data, cell.view.data)
    },
    viewOf(cell) {
      if (cell.isBehind) foldCell(core, known, cell)
      return cell.view
    },
    checkLayers: () => checkLayers(core, known, evict),
    addLayer(layer) {
      core.isAboutOwn()
      let at = layers.length
      while (at > 0 && (layers[at - 1]?.pos ?? 0) > layer.pos) at--
      layers.splice(at, 0, layer)
      listRows(core, known, layer)
      if (layer.outcome === 'confirmed') confirmed.add(layer)
      for (const cell of cellsFor(core, layer.ops)) place(core, known, cell, layer)
    },
    removeLayer(layer) {
      core.isAboutOwn()
      const at = layers.indexOf(layer)
      if (at >= 0) layers.splice(at, 1)
      unlistRows(core, known, layer)
      confirmed.delete(layer)
      for (const [cell, placement] of touched.get(layer) ?? NONE) {
        core.touch(cell, rowsOf(placement))
        detach(cell, placement)
      }
      touched.delete(layer)
    },
    attachAll(cell) {
      core.touch(cell)
      unlink(known, cell)
      for (const layer of layers) place(core, known, cell, layer)
    },
    forget(cell) {
      core.rowsMoved(cell)
      unlink(known, cell)
    },
    confirmed(layer) {
      core.isAboutOwn()
      confirmed.add(layer)
      core.sawOwn(layer.confirmedAt)
    },
    chainOf: (name) => known.byRow.get(name) ?? [],
    copyOf: (name) => (known.byRow.get(name) ?? []).map(({ copies }) => copies.get(name)?.row).find(isThere),
    startFrom(layer, name, copy) {
      core.listener?.onCopy(layer, name, copy)
      for (const cell of (touched.get(layer) ?? NONE).keys()) foldAgain(core, cell, name)
    },
    bereave(name) {
      for (const layer of known.byRow.get(name) ?? [])
        if (layer.copies.has(name)) core.startFrom(layer, name, { row: undefined, isAnew: false })
    },
    awaitReads(layer, cells, how) {
      const awaited = new Set(cells)
      if (awaited.size > 0) unread.set(layer, { cells: awaited, how })
      else unread.delete(layer)
    },
  }
}

function place(core: Core, { touched }: Known, cell: Cell, layer: Layer): void {
  const placement = placementOf(cell, layer)
  if (placement === undefined) return
  core.touch(cell, rowsOf(placement))
  attach(cell, placement)
  const cells = touched.get(layer)
  if (cells === undefined) touched.set(layer, new Map([[cell, placement]]))
  else cells.set(cell, placement)
}

function unlink({ touched }: Known, cell: Cell): void {
  for (const { layer } of cell.placements) touched.get(layer)?.delete(cell)
  detachAll(cell)
}

/** Takes the layers out of the query that base has, or would show the same without. */
function takeCovered(core: Core, { confirmed, touched }: Known, cell: Cell): void {
  const { base } = cell
  const inPlace = inOrder(confirmed)
  /** Of each scope the newest mutation that all of base is from after: it is from after those before it. */
  const past = new Map<string, number>()
  for (const layer of inPlace) if (base !== undefined && isPast(base, layer)) past.set(layer.scope, layer.pos)
  for (const layer of inPlace) {
    const placement = touched.get(layer)?.get(cell)
    const isBefore = layer.pos < (past.get(layer.scope) ?? -1)
    if (placement === undefined || !(isBefore || mayLeave(core, cell, placement))) continue
    core.rowsMoved(rowsOf(placement) ?? cell)
    core.isAboutOwn() // an echo or a read that brings an own write ends its optimism
    detach(cell, placement)
    touched.get(layer)?.delete(cell)
    fence(cell, layer)
    if (base === undefined) continue
    // Without a position of base, or of a mutation that nothing says base contains, events from before it are not put onto base.
    if (base.at === undefined) raiseFloor(core, cell, layer.confirmedAt)
    if (base.at === undefined || (layer.confirmedAt === undefined && !isCovered(layer, base)))
      expectEcho(cell, placement)
  }
}

function foldCell(core: Core, { thrown }: Known, cell: Cell): void {
  const deps: FoldDeps = {
    drafts: core.drafts,
    chainOf: core.chainOf,
    onThrow(placement, cause) {
      if (!thrown.has(placement)) core.report(thrownBy(cell, placement, cause))
      thrown.add(placement)
    },
  }
  try {
    refold(cell, deps)
  } catch (fault) {
    if (!isRuleFault(fault)) throw fault
    distrust(core, cell, fault)
    findAnew(cell)
    refold(cell, deps)
  }
}

function foldAgain(core: Core, cell: Cell, name: string): void {
  core.touch(cell, [name])
  foldAnew(cell)
}

const isThere = (row: unknown): boolean => row !== undefined

/** The layer is one of those that change these rows. */
function listRows(core: Core, { byRow }: Known, layer: Layer): void {
  const names = new Set(rowsNamedBy(layer.ops))
  core.rowsMoved(names)
  for (const name of names) {
    const chain = [...(byRow.get(name) ?? []), layer]
    byRow.set(
      name,
      chain.sort((a, b) => a.pos - b.pos),
    )
  }
}

function unlistRows(core: Core, { byRow }: Known, layer: Layer): void {
  const names = new Set(rowsNamedBy(layer.ops))
  core.rowsMoved(names)
  for (const name of names) {
    const chain = (byRow.get(name) ?? []).filter((each) => each !== layer)
    if (chain.length > 0) byRow.set(name, chain)
    else byRow.delete(name)
  }
}

function checkLayers(core: Core, known: Known, evict: (cell: Cell) => void): void {
  const { layers, confirmed, reflected, touched } = known
  const kept: Layer[] = []
  const over: Layer[] = []
  for (const layer of inOrder(confirmed)) {
    const lacking = lackingIn(known, layer)
    const isAwaited = isUnread(core, known, layer) || lacking.some((cell) => cell.base !== undefined && isWatched(cell))
    if (!isAwaited && !reflected.has(layer)) {
      reflected.add(layer)
      core.listener?.onReflected(layer)
    }
    if (!isAwaited && lacking.length > 0) kept.push(layer)
    if (!isAwaited && lacking.length === 0) over.push(layer)
  }
  // From the last: what nothing later is built on.
  for (const layer of over.reverse()) {
    if (isBuiltOn(core, known, layer)) continue
    confirmed.delete(layer)
    layers.splice(layers.indexOf(layer), 1)
    unlistRows(core, known, layer)
    touched.delete(layer)
    core.listener?.onGone(layer)
  }
  const giveUp = (layer: Layer): void => {
    // Nobody watches what lacks it: rather than kept for ever it leaves, and so does data that would be shown without it.
    const lacking = lackingIn(known, layer)
    if (!lacking.some((cell) => isWatched(cell) || isReading(cell))) lacking.forEach(evict)
  }
  if (kept.length > KEPT) core.afterwards(() => kept.slice(0, -KEPT).forEach(giveUp))
}

/** Whether a later change of one of its rows is live: in lists that lack the row that one is made on top of this one. */
function isBuiltOn({ cells }: Core, { byRow }: Known, { ops, pos }: Layer): boolean {
  return ops.some((op) => {
    if (!isOfRow(op) || byRow.get(rowNameOf(op))?.some((later) => later.pos > pos && later.live) !== true) return false
    return [...cells.values()].some(({ shape }) =>
      shape?.pairs.some(([{ type }, , rule]) => rule !== undefined && type === op.entity.type),
    )
  })
}

function lackingIn({ touched }: Known, layer: Layer): Cell[] {
  return [...(touched.get(layer) ?? NONE).keys()]
}

/** Whether a query that somebody watches has not been read since the layer's mutation made it stale. */
function isUnread(core: Core, { unread }: Known, layer: Layer): boolean {
  const awaited = unread.get(layer)
  if (awaited === undefined) return false
  const { cells, how } = awaited
  const isTold = how === 'told' && isOrAfter(core.streamAt, layer.confirmedAt)
  for (const cell of cells) {
    const { base, staleness, removed } = cell
    const isIdle = removed || base === undefined || !isWatched(cell)
    // What the stream has passed without making it stale is not concerned.
    if (isIdle || isCovered(layer, base) || (isTold && !staleness.isStale)) cells.delete(cell)
  }
  if (cells.size === 0) unread.delete(layer)
  return cells.size > 0
}

const NONE: ReadonlyMap<Cell, Placement> = new Map()

function inOrder(layers: ReadonlySet<Layer>): readonly Layer[] {
  return layers.size < 2 ? [...layers] : [...layers].sort((a, b) => a.pos - b.pos)
}

/** Whether base has it, or would show the same without it. */
function mayLeave(core: Core, cell: Cell, placement: Placement): boolean {
  const { layer } = placement
  const { base } = cell
  if (isCovered(layer, base)) return true
  if (base === undefined || cell.held.length > 0 || matters(core, cell, placement)) return false
  // Without effect on this base: what matters is only that no base from before the mutation comes after it.
  raiseFloor(core, cell, layer.confirmedAt)
  return true
}

function thrownBy({ query: { queryKey } }: Cell, { layer: { mutationKey } }: Placement, cause: unknown): SyncError {
  const said = `A recipe of mutation ${canonical(mutationKey)} threw on query ${canonical(queryKey)} and is skipped there. Make it accept any base, also one without the row.`
  return new SyncError('recipe', said, { cause, queryKey, mutationKey })
}

/** The queries that these changes may touch: those it names, those that match its filters, those with its rows. */
export function cellsFor(core: Pick<Core, 'cells' | 'holders'>, ops: readonly Op[]): Iterable<Cell> {
  const found = new Set<Cell>()
  for (const op of ops) {
    if (op.kind === 'update' && op.filters !== undefined) return core.cells.values()
    const named = op.hash === undefined ? undefined : core.cells.get(op.hash)
    if (named !== undefined) found.add(named)
    if (op.hash === undefined && isOfRow(op)) for (const cell of core.holders(op.entity.type, op.id)) found.add(cell)
  }
  return found
}
