/**
 * From base and layers to the view, at the price of what has changed: layers that were appended cost those layers, rows
 * whose layers leave cost those rows, a new base costs all layers (a recipe runs once per row object). The result is
 * always that of a fold from scratch.
 */

import type { Drafts } from '../data/drafts'
import type { Located } from '../data/entities'
import { fold, refoldRows } from '../data/fold'
import { withoutRepeats } from '../data/pages'
import type { Op } from '../data/recipes'
import { isRuleFault } from '../data/rules'
import { share } from '../data/share'
import { isOfRow, rowNameOf, rowsNamedBy } from '../data/verbs'
import { isCovered } from '../evidence/evidence'
import type { Cell, Owned, Placement, Unfolded, ViewPart } from './cell'
import { concernsRows } from './placements'
import type { ChainOf } from './steps'
import { stepsOf } from './steps'

/** What a fold is given beside the cell. */
export interface FoldDeps {
  readonly drafts: Drafts
  readonly chainOf: ChainOf
  onThrow(placement: Placement, error: unknown): void
}

/** The list of layers is changed in place: there may be thousands, and mostly one comes at the end. */
const own = (cell: Cell): Owned<ViewPart> & { placements: Placement[] } => cell as never

/** Puts a layer among those of the query, in order: nearly always at the end. */
export function attach(cell: Cell, placement: Placement): void {
  const { placements } = cell
  const { pos } = placement.layer
  let at = placements.length
  while (at > 0 && (placements[at - 1]?.layer.pos ?? 0) > pos) at--
  if (at === placements.length) cell.unfolded.appended.push(placement)
  else foldAnew(cell)
  own(cell).placements.splice(at, 0, placement)
  if (!placement.isPlain) own(cell).notPlain++
}

/** Takes a layer out of the query. */
export function detach(cell: Cell, placement: Placement): void {
  const at = cell.placements.indexOf(placement)
  if (at < 0) return
  own(cell).placements.splice(at, 1)
  if (!placement.isPlain) own(cell).notPlain--
  const { appended, removed } = cell.unfolded
  const fresh = appended.indexOf(placement)
  if (fresh >= 0) appended.splice(fresh, 1)
  else removed.push(placement)
}

/** Takes all layers out. */
export function detachAll(cell: Cell): void {
  const owned = own(cell)
  owned.placements = []
  owned.notPlain = 0
  foldAnew(cell)
}

/** Nothing of the view that stands there can be kept. */
export function foldAnew(cell: Cell): void {
  own(cell).unfolded = { ...cell.unfolded, all: true }
}

/** The view is folded when somebody reads it. */
export function leaveUnfolded(cell: Cell): true {
  own(cell).isBehind = true
  return true
}

/** Folds what is live and not covered over base. A layer that throws is skipped and told of. Throws what a list's rule does. */
export function refold(cell: Cell, deps: FoldDeps): void {
  const { unfolded, base, baseLocated, view: before, placements } = cell
  const owned = own(cell)
  owned.isBehind = false // a recipe that reads the view sees the one from before
  const whole = unfolded.all || cell.skipped || !cell.optimistic || !Object.is(cell.foldedBase, base?.data)
  const kept = whole || !isOfFreshRows(cell, unfolded, deps.chainOf) ? undefined : keptView(cell, unfolded, deps.drafts)
  let skipped = false
  const view = foldLayers(
    cell,
    kept ?? withoutRepeats(baseLocated, base?.pagesAt ?? []),
    (kept === undefined ? placements : unfolded.appended).filter((placement) => isShown(cell, placement)),
    {
      ...deps,
      onThrow(placement, error) {
        skipped = true
        deps.onThrow(placement, error)
      },
    },
  )
  owned.unfolded = { appended: [], removed: [], all: false }
  // A base that now contains what was folded over the old one shows nothing new. A query that shares in a way of its own
  // (`structuralSharing`) has done so on the way in.
  const mayBeSame = kept === undefined || unfolded.removed.length > 0
  owned.view = mayBeSame && cell.share === undefined && isSame(before, view) ? before : view
  owned.skipped = skipped
  owned.foldedBase = base?.data
}

function isSame(before: Located, view: Located): boolean {
  return before.shape === view.shape && Object.is(share(before.data, view.data), before.data)
}

/** Whether the query shows the layer and base lacks it. */
export function isShown({ optimistic, base }: Cell, { layer }: Placement): boolean {
  return optimistic && layer.live && !isCovered(layer, base)
}

/** In lists with rules a row has its place by all of its changes: what comes to a row that has changed is folded with those. */
function isOfFreshRows({ baseLocated }: Cell, { appended }: Unfolded, chainOf: ChainOf): boolean {
  if (baseLocated.shape?.plain === undefined) return true
  return appended.every(({ layer, ops }) =>
    ops.every((op) => isOfRow(op) && chainOf(rowNameOf(op)).every((other) => other === layer)),
  )
}

/** The view without the layers that have left, where only their rows have to be folded anew. */
function keptView(cell: Cell, { removed, appended }: Unfolded, drafts: Drafts): Located | undefined {
  if (removed.length === 0) return cell.view
  // With the last one base itself is the view again, to the reference.
  if (!cell.placements.some((placement) => isShown(cell, placement))) return undefined
  if (cell.notPlain > 0 || removed.some(({ isPlain }) => !isPlain)) return undefined
  const gone = removed.flatMap(({ ops }) => ops)
  const rows = new Set(rowsNamedBy(gone))
  const left = cell.placements
    .slice(0, cell.placements.length - appended.length)
    .filter((placement) => concernsRows(placement, rows) && isShown(cell, placement))
    .flatMap(({ ops }): readonly Op[] => ops)
  try {
    return refoldRows({ base: cell.baseLocated, view: cell.view }, gone, left, drafts)
  } catch {
    return undefined
  }
}

/** All at once; when one throws, one by one, so that only that one is skipped. */
function foldLayers(cell: Cell, start: Located, layers: readonly Placement[], deps: FoldDeps): Located {
  if (layers.length === 0) return start
  const { drafts, chainOf, onThrow } = deps
  try {
    const { steps, origins } = stepsOf(cell, layers, chainOf)
    return fold(start, steps, drafts, origins)
  } catch (fault) {
    if (isRuleFault(fault)) throw fault
    let located = start
    for (const placement of layers) {
      try {
        located = fold(located, placement.ops, drafts)
      } catch (error) {
        if (isRuleFault(error)) throw error
        onThrow(placement, error)
      }
    }
    return located
  }
}
