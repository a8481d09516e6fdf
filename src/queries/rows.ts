/** Rows as bases have them, whichever query it is. */
import type { RowId, Version } from '../base/messages'
import type { Located } from '../data/entities'
import { find } from '../data/entities'
import { isOfRow, rowNameOf } from '../data/verbs'
import { knownVersion } from '../data/versions'
import type { Base } from '../evidence/evidence'
import { isCovered } from '../evidence/evidence'
import type { Cell } from './cell'
import type { Core } from './core'

/** The newest copy of a row that some base has; of equally new ones that of a detail, which is whole. */
export function rowOf(core: Core, type: string, id: RowId): unknown {
  return newestRow(core, type, id)?.row
}

/** {@link rowOf}, with the query that has it. */
export function newestRow(core: Core, type: string, id: RowId): RowIn | undefined {
  let best: RowIn | undefined
  for (const each of rowsIn(core, type, id)) {
    const isNewer = isBelow(best?.version, each.version)
    const isEqual = best?.version === each.version || !isBelow(each.version, best?.version)
    if (best === undefined || isNewer || (isEqual && isBetter(each, best))) best = each
  }
  return best
}

/** Of two copies whose versions do not tell: that of a detail, or that of the base that was taken later. */
function isBetter(one: RowIn, other: RowIn): boolean {
  if (one.single !== other.single) return one.single
  return (one.cell.base?.accepted ?? 0) > (other.cell.base?.accepted ?? 0)
}

interface RowIn {
  readonly cell: Cell
  readonly row: unknown
  readonly version: Version | undefined
  readonly single: boolean
}

/** A row at this very version. */
export function rowAt(core: Core, type: string, id: RowId, version: Version): unknown {
  for (const each of rowsIn(core, type, id)) if (each.version === version) return each.row
  return undefined
}

/**
 * A read took rows out of a base that changes which it lacks are made on: those start from the rows as they stood there, if
 * they know no newer ones. `before`: what the read replaces.
 */
export function keepLost(core: Core, cell: Cell, before: Located, base: Base | undefined): void {
  if (cell.baseLocated.shape?.plain === undefined) return
  const seen = new Set<string>()
  for (const { layer, ops } of cell.placements) {
    if (!layer.live || isCovered(layer, base)) continue
    for (const op of ops) {
      if (!isOfRow(op) || seen.has(rowNameOf(op))) continue
      const name = rowNameOf(op)
      seen.add(name)
      const { entity, id } = op
      const place = find(before, entity.type, id).at(-1)
      if (place === undefined || newestRow(core, entity.type, id) !== undefined) continue
      const row = before.lists[place.list]?.rows[place.at]
      const known = layer.copies.get(name)?.row
      const [now, then] = [knownVersion(entity, row, core.versions), versionOf(core, entity, known)]
      const isKnown = typeof now === 'number' && typeof then === 'number' && then >= now
      if (!isKnown) core.startFrom(layer, name, { row, isAnew: true })
    }
  }
}

function versionOf({ versions }: Core, kind: Located['lists'][number]['entity'], row: unknown): Version | undefined {
  return row === undefined ? undefined : knownVersion(kind, row, versions)
}

function* rowsIn({ holders, versions }: Core, type: string, id: RowId): Iterable<RowIn> {
  for (const cell of holders(type, id)) {
    const { baseLocated } = cell
    for (const place of find(baseLocated, type, id)) {
      const list = baseLocated.lists[place.list]
      const row = list?.rows[place.at]
      if (list !== undefined)
        yield { cell, row, version: knownVersion(list.entity, row, versions), single: list.single }
    }
  }
}

function isBelow(a: Version | undefined, b: Version | undefined): boolean {
  return typeof a === 'number' && typeof b === 'number' && a < b
}
