/** A layer in one query: what it changes there, and what that says of data that arrives. Changes nothing. */

import type { Drafts } from '../data/drafts'
import type { Located } from '../data/entities'
import { find } from '../data/entities'
import { fold } from '../data/fold'
import { hasUndeclared } from '../data/lists'
import type { Op } from '../data/recipes'
import { opsFor } from '../data/recipes'
import { isOfOneOf, isOfRow, rowsNamedBy, staysInPlace } from '../data/verbs'
import type { Layer, Share } from '../evidence/evidence'
import { isCovered } from '../evidence/evidence'
import type { Cell, Placement } from './cell'
import type { Core } from './core'
import { stepsOf } from './steps'

/** The layer in this query; `undefined` when it does not touch it. */
export function placementOf(cell: Cell, layer: Layer): Placement | undefined {
  const ops = opsFor(layer.ops, cell.query, cell.shape).filter((op) => !isElsewhere(cell, op))
  const isPlain = ops.every(staysInPlace)
  return ops.length === 0 ? undefined : { layer, ops, isPlain }
}

/** Whether the query is the detail of another row. */
function isElsewhere({ baseLocated, base }: Cell, op: Op): boolean {
  if (base === undefined || op.hash !== undefined || !isOfRow(op)) return false
  const { entity, id } = op
  const lists = baseLocated.lists.filter((list) => list.entity.type === entity.type)
  return lists.length > 0 && lists.every((list) => list.single) && find(baseLocated, entity.type, id).length === 0
}

/**
 * Whether running the layer's recipes on their own result over `data` changes nothing: then it does not matter whether
 * `data` contains the mutation. What an author declared overrules the trial. `data` is located once for all layers.
 */
export function isRepeatable({ ops }: Placement, data: () => Located, drafts: Drafts): boolean {
  const tried = ops.filter((op) => op.repeatable === undefined)
  if (ops.some((op) => op.repeatable === false)) return false
  if (tried.length === 0) return true
  try {
    const once = fold(data(), tried, drafts)
    return Object.is(fold(once, tried, drafts).data, once.data)
  } catch {
    return true // a recipe that throws is skipped: it has no effect on this data
  }
}

/**
 * Whether base may be another with the layer's mutation in it: its recipes change what the query shows, or a row of a kind
 * that it lists, and where to only the server knows (or the author, who has said what is to be read).
 */
export function matters(core: Core, cell: Cell, placement: Placement): boolean {
  if (cell.base === undefined || standsOnOthers(cell, placement)) return true
  if (!placement.layer.namesReads && isOfLists(cell, placement)) return true
  try {
    const { steps, origins } = stepsOf(cell, [placement], core.chainOf)
    return !Object.is(fold(cell.baseLocated, steps, core.drafts, origins).data, cell.base.data)
  } catch {
    return false
  }
}

/** Whether it orders rows by hand: no change of a row says where that is, only a read does. */
export function isByHand({ ops }: Placement): boolean {
  return ops.some(({ kind }) => kind === 'move')
}

/**
 * Whether it changes rows of a kind that the query lists, in it or not, or the row that the query is; a row that it lacks cannot
 * be taken out of it. A query without rows of a kind that it should have may have one that is made.
 */
function isOfLists({ baseLocated, shape }: Cell, { ops }: Placement): boolean {
  return ops.some((op) => {
    if (!isOfRow(op)) return false
    const { type } = op.entity
    const lists = baseLocated.lists.filter(({ entity }) => entity.type === type)
    if (lists.length === 0) return 'row' in op && shape?.pairs.some(([kind]) => kind.type === type) === true
    const isThere = find(baseLocated, type, op.id).length > 0
    return isThere || (op.kind === 'remove' ? hasUndeclared(baseLocated, type) : lists.some(({ single }) => !single))
  })
}

/** Whether an earlier change that base lacks is of the same rows: then base alone does not tell what this one changes. */
function standsOnOthers({ placements, base }: Cell, placement: Placement): boolean {
  const { layer } = placement
  const rows = rowsOf(placement)
  return placements.some(
    (other) =>
      other.layer.live &&
      other.layer.pos < layer.pos &&
      !isCovered(other.layer, base) &&
      (rows === undefined || concernsRows(other, rows)),
  )
}

/** How much of what the layer changes in the query these rows are. */
export function shareOf({ ops }: Placement, rows: ReadonlySet<string>): Share {
  const isIn = ops.map((op) => isOfOneOf(op, rows))
  if (isIn.every(Boolean)) return 'all'
  return isIn.some(Boolean) || !ops.every(isOfRow) ? 'some' : 'none'
}

/** Whether the layer changes one of these rows of the query (all of it, if it has a recipe for the whole data). */
export function concernsRows({ ops }: Placement, rows: ReadonlySet<string>): boolean {
  return ops.some((op) => !isOfRow(op) || isOfOneOf(op, rows))
}

/** The rows that it changes; `undefined`: it changes more than rows. */
export function rowsOf({ ops }: Placement): ReadonlySet<string> | undefined {
  return ops.every(isOfRow) ? new Set(rowsNamedBy(ops)) : undefined
}
