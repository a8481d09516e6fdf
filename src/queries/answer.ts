/** What a mutation's answer says, as server data: rows that `apply` writes, or whole queries that it sets. */

import type { Cursor } from '../base/cursor'
import { compareCursors, laterCursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import { canonical } from '../base/key'
import { isSameId, rowName } from '../base/rows'
import type { Located } from '../data/entities'
import { find } from '../data/entities'
import { fold } from '../data/fold'
import type { Op } from '../data/recipes'
import { opsFor } from '../data/recipes'
import type { Layer } from '../evidence/evidence'
import { isCovered, isOlder } from '../evidence/evidence'
import { accept, markStale } from './base'
import type { QueryRecord } from './cell'
import type { Versions } from './push'
import { knownVersion } from './push'
import type { Core } from './transition'
import { candidates } from './transition'

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
export function applyAnswer(core: Core, versions: Versions, layer: Layer, answer: Answer): void {
  if (answer.ops.length === 0) return
  for (const record of candidates(core, answer.ops)) {
    const ops = opsFor(withPlaces(answer.ops, layer, record), record.query, record.shape)
    if (ops.length === 0 || record.base === undefined) continue
    if (answer.contains && isCovered(layer, record.base) && record.base.at !== undefined) continue
    // Without cursors only the success of a first attempt says when its data was read.
    if (answer.cursor === undefined && layer.resent) markStale(core, record)
    else tryAnswer(core, record, ops, layer, answer, versions)
  }
}

/** A recipe of the answer that throws may not keep the outcome from being known. */
function tryAnswer(core: Core, record: QueryRecord, ...args: [readonly Op[], Layer, Answer, Versions]): void {
  try {
    acceptAnswer(core, record, ...args)
  } catch (cause) {
    const { mutationKey } = args[1]
    const { queryKey } = record.query
    core.report(
      new SyncError(
        'recipe',
        `"apply" of mutation ${canonical(mutationKey)} threw on query ${canonical(queryKey)}, which is read again instead.`,
        { cause, queryKey, mutationKey },
      ),
    )
    markStale(core, record, args[2].cursor)
  }
}

function acceptAnswer(
  core: Core,
  record: QueryRecord,
  ops: readonly Op[],
  layer: Layer,
  answer: Answer,
  versions: Versions,
): void {
  const base = record.base
  if (base === undefined) return
  const whole = ops.some((op) => op.kind === 'set' || op.kind === 'update')
  const rows = whole
    ? undefined
    : new Set(ops.flatMap((op) => ('entity' in op ? [rowName(op.entity.type, op.id)] : [])))
  const named = answer.named
  const known = named === undefined ? [] : [...named.reflects]
  const own = answer.contains ? { own: layer.id } : undefined
  const start = layer.firstSendTick
  if (whole) {
    const data = fold(record.baseLocated, ops, core.drafts).data
    const asked = named?.asked
    accept(core, record, {
      kind: 'answer',
      data,
      at: answer.cursor,
      start,
      has: new Set([...known, ...(answer.contains ? [layer.id] : [])]),
      asked,
      ...own,
    })
    return
  }
  if (isBehind(record, answer.cursor)) return
  const located = fold(
    record.baseLocated,
    ops.filter((op) => !isOutdated(record.baseLocated, op, versions)),
    core.drafts,
  )
  if (!ops.some((op) => isIn(located, op))) return // these rows are not of this query
  const { data } = located
  const incoming = {
    kind: 'answer' as const,
    data,
    at: base.at,
    rowsAt: answer.cursor,
    floor: laterCursor(base.floor, answer.cursor),
    // With positions the row stands on the base as it is now; without, order of requests decides.
    start: answer.cursor === undefined ? start : Math.max(start, base.start),
    has: new Set([...base.has, ...known, ...(answer.contains ? [layer.id] : [])]),
    asked: named?.asked,
    rows,
    on: base,
    ...own,
  }
  if (answer.cursor === undefined && base.at !== undefined) {
    markStale(core, record)
    return
  }
  if (isOlder(incoming, base)) {
    markStale(core, record, answer.cursor)
    return
  }
  accept(core, record, incoming)
}

function isIn(located: Located, op: Op): boolean {
  return op.kind === 'remove' || ('entity' in op && find(located, op.entity.type, op.id).length > 0)
}

/** Base is already past the answer: it knows more than these rows. */
function isBehind(record: QueryRecord, cursor: Cursor | undefined): boolean {
  const at = record.base?.at
  return cursor !== undefined && at !== undefined && (compareCursors(cursor, at) ?? 1) <= 0
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
function withPlaces(ops: readonly Op[], layer: Layer, record: QueryRecord): readonly Op[] {
  return ops.flatMap((op): Op[] => {
    if (op.kind !== 'upsert' || op.hash !== undefined) return [op]
    const places = layer.ops.filter(
      (made) =>
        (made.kind === 'insert' || made.kind === 'upsert') &&
        made.hash === record.query.queryHash &&
        made.entity.type === op.entity.type &&
        isSameId(made.id, op.id),
    )
    const made = places[0]
    return made === undefined || !('at' in made) ? [op] : [{ ...op, hash: record.query.queryHash, at: made.at }]
  })
}
