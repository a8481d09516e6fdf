/** What a mutation's answer says, as server data: rows that `apply` writes, or whole queries that it sets. */

import type { Cursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import { canonical } from '../base/key'
import { isSameId, rowName } from '../base/rows'
import type { Located } from '../data/entities'
import { find } from '../data/entities'
import { fold } from '../data/fold'
import type { Op } from '../data/recipes'
import { opsFor } from '../data/recipes'
import { isOfRow, partOf, rowNameOf, rowsNamedBy } from '../data/verbs'
import type { Versions } from '../data/versions'
import { knownVersion } from '../data/versions'
import type { Layer } from '../evidence/evidence'
import { isCovered } from '../evidence/evidence'
import { isAt, isOvertakenByRows, isPlaced, isRowPast } from '../evidence/order'
import { accept } from './accept'
import type { Cell } from './cell'
import type { Core } from './core'
import { cellsFor } from './layers'
import { markStale } from './reading'

export interface Answer {
  /** What `apply` recorded. */
  ops: readonly Op[]
  cursor: Cursor | undefined
  /** Other mutations that the answer says its data contains; `undefined`: it does not say. */
  named: { asked: ReadonlySet<string>; reflects: ReadonlySet<string> } | undefined
  /** A conflict's answer does not contain the mutation. */
  contains: boolean
}

/** Writes the answer into the bases it concerns, each by `accept`. Runs inside the transition that confirms the mutation. */
export function applyAnswer(core: Core, layer: Layer, answer: Answer): void {
  if (answer.ops.length === 0) return
  for (const cell of cellsFor(core, answer.ops)) {
    const ops = opsFor(withPlaces(answer.ops, layer, cell), cell.query, cell.shape)
    if (ops.length === 0 || cell.base === undefined) continue
    if (answer.contains && isCovered(layer, cell.base) && cell.base.at !== undefined) continue
    // Where positions do not, only the success of a first attempt says when its data was read.
    if (layer.resent && !isPlaced(cell.base, answer.cursor)) markStale(core, cell, answer.cursor)
    else tryAnswer(core, cell, ops, { ...answer, layer })
  }
}

/** What an answer says, and whose it is. */
interface AnswerOf extends Answer {
  readonly layer: Layer
}

/** A recipe of the answer that throws may not keep the outcome from being known. */
function tryAnswer(core: Core, cell: Cell, ops: readonly Op[], answer: AnswerOf): void {
  try {
    acceptAnswer(core, cell, ops, answer)
  } catch (cause) {
    const { mutationKey } = answer.layer
    const { queryKey } = cell.query
    const said = `"apply" of mutation ${canonical(mutationKey)} threw on query ${canonical(queryKey)}, which is read again instead.`
    core.report(new SyncError('recipe', said, { cause, queryKey, mutationKey }))
    markStale(core, cell, answer.cursor)
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
  // These rows are not of this query.
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
  return op.kind === 'remove' || (isOfRow(op) && find(located, op.entity.type, op.id).length > 0)
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

/** A row that the mutation inserted optimistically, the answer puts at the same place. */
function withPlaces(ops: readonly Op[], layer: Layer, cell: Cell): readonly Op[] {
  return ops.flatMap((op): Op[] => {
    if (op.kind !== 'upsert' || op.hash !== undefined) return [op]
    const places = layer.ops.filter(
      (made) =>
        (made.kind === 'insert' || made.kind === 'upsert') &&
        made.hash === cell.query.queryHash &&
        made.entity.type === op.entity.type &&
        isSameId(made.id, op.id),
    )
    const made = places[0]
    return made === undefined || !('at' in made) ? [op] : [{ ...op, hash: cell.query.queryHash, at: made.at }]
  })
}
