/**
 * From base and layers to the view, at the price of what has changed: layers that were appended cost those layers, rows
 * whose layers leave cost those rows, a new base costs all layers (a recipe runs once per row object). The result is
 * always that of a fold from scratch.
 */
import type { Located } from '../data/entities'
import type { Drafts } from '../data/fold'
import { fold, refoldRows } from '../data/fold'
import type { Op } from '../data/recipes'
import { share } from '../data/share'
import { isCovered } from '../evidence/evidence'
import type { Attached, QueryRecord } from './cell'
import { concernsRows } from './cell'

type OnThrow = (attached: Attached, error: unknown) => void

/** Folds what is live and not covered over base. A layer that throws is skipped and told of. */
export function refold(record: QueryRecord, drafts: Drafts, onThrow: OnThrow): void {
  const { unfolded } = record
  record.unfolded = { appended: [], removed: [], all: false }
  const data = record.base?.data
  const whole = unfolded.all || record.skipped || !record.optimistic || !Object.is(record.foldedBase, data)
  const kept = whole ? undefined : keptView(record, unfolded, drafts)
  let skipped = false
  const before = record.view
  const view = foldLayers(
    kept ?? record.baseLocated,
    (kept === undefined ? record.attached : unfolded.appended).filter((attached) => isShown(record, attached)),
    drafts,
    (attached, error) => {
      skipped = true
      onThrow(attached, error)
    },
  )
  // A base that now contains what was folded over the old one shows nothing new. A query that shares in a way of its own
  // (`structuralSharing`) has done so on the way in.
  record.view = kept === undefined && record.share === undefined && isSame(before, view) ? before : view
  record.skipped = skipped
  record.foldedBase = data
}

function isSame(before: Located, view: Located): boolean {
  return before.shape === view.shape && Object.is(share(before.data, view.data), before.data)
}

function isShown(record: QueryRecord, { layer }: Attached): boolean {
  return record.optimistic && layer.live && !isCovered(layer, record.base)
}

/** The view without the layers that have left, where only their rows have to be folded anew. */
function keptView(
  record: QueryRecord,
  { removed, appended }: QueryRecord['unfolded'],
  drafts: Drafts,
): Located | undefined {
  if (removed.length === 0) return record.view
  if (record.notPlain > 0 || removed.some((attached) => !attached.isPlain)) return undefined
  const gone = removed.flatMap(({ ops }) => ops)
  const rows = new Set(gone.flatMap((op) => ('entity' in op ? [`${op.entity.type} ${op.id}`] : [])))
  const left: Op[] = []
  for (let at = 0; at < record.attached.length - appended.length; at++) {
    const attached = record.attached[at]
    if (attached !== undefined && concernsRows(attached, rows) && isShown(record, attached)) left.push(...attached.ops)
  }
  try {
    return refoldRows(record.baseLocated, record.view, gone, left, drafts)
  } catch {
    return undefined
  }
}

/** All at once; when one throws, one by one, so that only that one is skipped. */
function foldLayers(start: Located, layers: readonly Attached[], drafts: Drafts, onThrow: OnThrow): Located {
  if (layers.length === 0) return start
  try {
    return fold(start, layers.length === 1 ? (layers[0]?.ops ?? []) : layers.flatMap(({ ops }) => ops), drafts)
  } catch {
    let located = start
    for (const attached of layers) {
      try {
        located = fold(located, attached.ops, drafts)
      } catch (error) {
        onThrow(attached, error)
      }
    }
    return located
  }
}
