/** What a mutation's answer says, as server data: rows that `apply` writes, or whole queries that it sets. */

import type { Cursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import { canonical } from '../base/key'
import { rowName } from '../base/rows'
import type { Drafts } from '../data/drafts'
import type { Located } from '../data/entities'
import { find } from '../data/entities'
import { fold } from '../data/fold'
import { fitOf, hasDeclared, hasUndeclared } from '../data/lists'
import type { Op, RowOp } from '../data/recipes'
import { opsFor } from '../data/recipes'
import { belongs, isRuleFault } from '../data/rules'
import { bringsRow, isOfOneOf, isOfRow, leavesPlace, partOf, rowNameOf, rowsNamedBy } from '../data/verbs'
import type { Versions } from '../data/versions'
import { knownVersion } from '../data/versions'
import type { Layer } from '../evidence/evidence'
import { isCovered } from '../evidence/evidence'
import { isAt, isOvertakenByRows, isPlaced, isRowPast } from '../evidence/order'
import { accept } from './accept'
import { findAnew } from './base'
import type { Cell, Placement } from './cell'
import type { Core } from './core'
import { cellsFor } from './layers'
import { isByHand } from './placements'
import { markStale } from './reading'
import { distrust } from './trust'

export interface Answer {
  /** What `apply` recorded. */
  ops: readonly Op[]
  cursor: Cursor | undefined
  /** Other mutations that the answer says its data contains; `undefined`: it does not say. */
  named: { asked: ReadonlySet<string>; reflects: ReadonlySet<string> } | undefined
  /** A conflict's answer does not contain the mutation. */
  contains: boolean
}

/**
 * Writes the answer into the bases it concerns, each by `accept`. Runs inside the transition that confirms the mutation.
 * Returns the queries in which its rows have no place: they must be read.
 */
export function applyAnswer(core: Core, layer: Layer, answer: Answer): ReadonlySet<Cell> {
  const unplaced = new Set<Cell>()
  if (answer.ops.length === 0) return unplaced
  for (const cell of cellsFor(core, answer.ops)) {
    const ops = opsFor(answer.ops, cell.query, cell.shape)
    if (ops.length === 0 || cell.base === undefined) continue
    if (answer.contains && isCovered(layer, cell.base) && cell.base.at !== undefined) continue
    // Where positions do not, only the success of a first attempt says when its data was read.
    if (layer.resent && !isPlaced(cell.base, answer.cursor)) markStale(core, cell, answer.cursor)
    else if (!tryAnswer(core, cell, ops, { ...answer, layer })) unplaced.add(cell)
  }
  return unplaced
}

/** What an answer says, and whose it is. */
interface AnswerOf extends Answer {
  readonly layer: Layer
}

/**
 * `false`: its rows have no place in the query. A recipe of the answer that throws may not keep the outcome from being known.
 */
function tryAnswer(core: Core, cell: Cell, ops: readonly Op[], answer: AnswerOf): boolean {
  try {
    const placement = core.touchedBy(answer.layer).get(cell)
    const isMoved = answer.contains && placement !== undefined && isByHand(placement)
    if (
      isMoved ||
      isPartial(cell, placement, ops, answer) ||
      followsMove(cell, ops, answer.layer) ||
      ops.some((op) => !hasPlace(core, cell, op))
    ) {
      core.aids?.unplaced(cell.query)
      return false
    }
    acceptAnswer(core, cell, ops, answer)
  } catch (cause) {
    if (isRuleFault(cause)) {
      core.touch(cell)
      distrust(core, cell, cause)
      findAnew(cell)
      return false
    }
    const { mutationKey } = answer.layer
    const { queryKey } = cell.query
    const said = `"apply" of mutation ${canonical(mutationKey)} threw on query ${canonical(queryKey)}, which is read again instead.`
    core.report(new SyncError('recipe', said, { cause, queryKey, mutationKey }))
    markStale(core, cell, answer.cursor)
  }
  return true
}

/** Whether the write has changed other rows of the query, too: the answer says nothing of those, and base lacks them. */
function isPartial(
  { baseLocated }: Cell,
  placement: Placement | undefined,
  ops: readonly Op[],
  { contains }: Answer,
): boolean {
  if (!contains || placement === undefined || !ops.every(isOfRow)) return false
  const said = new Set(rowsNamedBy(ops))
  return placement.ops.some((op) => {
    if (!isOfRow(op) || isOfOneOf(op, said)) return false
    return bringsRow(op) || find(baseLocated, op.entity.type, op.id).length > 0
  })
}

/**
 * Whether an earlier write has moved or taken out one of the rows, and base lacks that: the row that the answer brings does not
 * say where it stands now.
 */
function followsMove({ placements, base }: Cell, ops: readonly Op[], { pos }: Layer): boolean {
  const rows = new Set(rowsNamedBy(ops))
  return placements.some(
    ({ layer, ops: earlier }) =>
      layer.pos < pos &&
      layer.outcome === 'confirmed' &&
      !isCovered(layer, base) &&
      earlier.some((op) => leavesPlace(op) && isOfOneOf(op, rows)),
  )
}

/** Whether it moves no rows of base; which query has a row, and where, is the application's word if it names the key. */
function hasPlace({ drafts }: Core, { baseLocated }: Cell, op: Op): boolean {
  if (!isOfRow(op)) return true
  const { entity, id, hash } = op
  if (hash !== undefined && 'row' in op)
    return baseLocated.lists.some((list) => list.entity.type === entity.type && belongs(list, op.row))
  const place = find(baseLocated, entity.type, id).at(-1)
  const there = place === undefined ? undefined : baseLocated.lists[place.list]?.rows[place.at]
  if (there === undefined && op.kind === 'row') return true
  if (there === undefined && op.kind === 'remove') return !hasUndeclared(baseLocated, entity.type)
  if (op.kind === 'move') return false
  return fitOf(baseLocated, entity, id, afterOf(op, there, drafts)) !== 'unplaceable'
}

function afterOf(op: Exclude<RowOp, { kind: 'move' }>, there: unknown, drafts: Drafts): unknown {
  switch (op.kind) {
    case 'remove':
      return undefined
    case 'row':
      return drafts.produce(there, op.recipe)
    case 'insert':
      return there ?? op.row
    default:
      return op.row
  }
}

function acceptAnswer(core: Core, cell: Cell, ops: readonly Op[], answer: AnswerOf): void {
  const base = cell.base
  if (base === undefined) return
  const { layer, cursor, named } = answer
  const said = {
    kind: 'answer' as const,
    answeredAt: cursor,
    floor: cursor,
    has: new Set(answer.contains ? [layer.id] : []),
    reflects: named?.reflects,
    asked: named?.asked,
    ...(answer.contains ? { own: layer.id } : undefined),
  }
  if (ops.some((op) => partOf(op) === 'all')) {
    const { data } = fold(cell.baseLocated, ops, core.drafts)
    // A position is a base's only where reads have one: data that no read can be compared with would lock them out.
    const at = base.at === undefined ? undefined : cursor
    accept(core, cell, { ...said, data, at, start: layer.firstSendTick })
    return
  }
  if (isAt(base, cursor)) return // it knows more than these rows
  if (cursor === undefined && base.at !== undefined) {
    markStale(core, cell)
    return
  }
  const { baseLocated } = cell
  const isUnknown = ops.some((op) => partOf(op) === 'part')
  if (isUnknown && isOvertakenByRows(base, cursor)) {
    markStale(core, cell, cursor)
    return
  }
  const isNews = (op: Op): boolean =>
    !isOutdated(baseLocated, op, core.versions) && !(isOfRow(op) && isRowPast(base, rowNameOf(op), cursor))
  const located = fold(baseLocated, ops.filter(isNews), core.drafts)
  // These rows are not of this query; a list with a rule says of what it lacks that it is none of its own.
  if (isUnknown ? Object.is(located.data, base.data) : !ops.some((op) => isIn(located, op))) return
  const rows = isUnknown ? changedRows(baseLocated, located) : new Set(rowsNamedBy(ops))
  accept(core, cell, {
    ...said,
    data: located.data,
    at: base.at,
    part: isUnknown ? 'unknown' : rows,
    rows,
    // With positions the row stands on the base as it is now; without, order of requests decides.
    start: cursor === undefined ? layer.firstSendTick : Math.max(layer.firstSendTick, base.start),
    on: base,
  })
}

function changedRows(before: Located, after: Located): ReadonlySet<string> {
  const known = new Set(before.lists.flatMap(({ rows }) => rows))
  const names = after.lists.flatMap(({ entity, rows }) =>
    rows.filter((row) => !known.has(row)).map((row) => rowName(entity.type, entity.idOf(row))),
  )
  return new Set(names)
}

function isIn(located: Located, op: Op): boolean {
  if (op.kind === 'remove') return true
  return isOfRow(op) && (hasDeclared(located, op.entity.type) || find(located, op.entity.type, op.id).length > 0)
}

function isOutdated(located: Located, op: Op, versions: Versions): boolean {
  if (op.kind !== 'upsert') return false
  const at = find(located, op.entity.type, op.id)[0]
  const row = at === undefined ? undefined : located.lists[at.list]?.rows[at.at]
  if (typeof row !== 'object' || row === null) return false
  const current = knownVersion(op.entity, row, versions)
  const next = op.entity.versionOf(op.row)
  return typeof current === 'number' && typeof next === 'number' && current > next
}
