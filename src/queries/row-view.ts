/** One row as it is shown, without the lists that have it: no list is copied, and none is folded, for who watches rows. */
import type { RowId } from '../base/messages'
import { rowName } from '../base/rows'
import type { Entity, Located } from '../data/entities'
import { find } from '../data/entities'
import type { Op, RowOp } from '../data/recipes'
import { foldAlone } from '../data/row-steps'
import { isOfRow, rowNameOf } from '../data/verbs'
import type { Layer } from '../evidence/evidence'
import type { Cell } from './cell'
import type { Core } from './core'
import { newestRow } from './rows'
import { isShown } from './view'

/**
 * The newest row that a base has, with the pending changes that this base lacks. A row that no base has is as some view shows
 * it; where there is none either, it is what pending changes make. `undefined`: there is none.
 */
export function viewOfRow(core: Core, entity: Entity<never>, id: RowId): unknown {
  const name = rowName(entity.type, id)
  const chain = core.chainOf(name)
  const newest = newestRow(core, entity.type, id)
  if (newest === undefined) return rowWithoutBase(core, entity, id, chain)
  const { cell, row } = newest
  // Recipes for the whole data may change any row of it, and only the fold of all tells how.
  if (isChangedWhole(cell)) return rowInView(core.viewOf(cell), entity, id)
  const shown = chain.filter((layer) => {
    const placement = core.touchedBy(layer).get(cell)
    return placement !== undefined && isShown(cell, placement)
  })
  return foldOps(core, row, shown, name)
}

function rowWithoutBase(core: Core, entity: Entity<never>, id: RowId, chain: readonly Layer[]): unknown {
  const cells = new Set(chain.flatMap((layer) => [...core.touchedBy(layer).keys()]))
  const views = [...cells].map(core.viewOf).filter(({ data }) => data !== undefined)
  for (const view of views) {
    const row = rowInView(view, entity, id)
    if (row !== undefined) return row
  }
  const live = views.length === 0 ? chain.filter((layer) => layer.live) : []
  return foldOps(core, undefined, live, rowName(entity.type, id))
}

function isChangedWhole(cell: Cell): boolean {
  return cell.notPlain > 0 && cell.placements.some((each) => isShown(cell, each) && !each.ops.every(isOfRow))
}

function rowInView(view: Located, { type }: Entity<never>, id: RowId): unknown {
  const place = find(view, type, id).at(-1)
  return place === undefined ? undefined : view.lists[place.list]?.rows[place.at]
}

/** A recipe that throws is skipped; who folds the list reports it. */
function foldOps(core: Core, start: unknown, layers: readonly Layer[], name: string): unknown {
  const isMeant = (op: Op): op is Op & RowOp => isOfRow(op) && rowNameOf(op) === name
  return layers.reduce((row, { ops }) => {
    try {
      return foldAlone(row, ops.filter(isMeant), core.drafts)
    } catch {
      return row
    }
  }, start)
}
