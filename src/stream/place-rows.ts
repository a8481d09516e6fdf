/** Pushed changes of rows, put into the data of a query: only where no row comes, goes or moves by them. */
import { SyncError, sentence } from '../base/errors'
import { applyPatch, mergePatch } from '../base/json-patch'
import { messageOf } from '../base/kinds'
import type { RowChange } from '../base/messages'
import { isSameId, rowName } from '../base/rows'
import type { Entity, Located } from '../data/entities'
import { find } from '../data/entities'
import { fold } from '../data/fold'
import { fitOf, hasUndeclared } from '../data/lists'
import type { Op } from '../data/recipes'
import { isRuleFault } from '../data/rules'
import { isAtLeast, knownVersion } from '../data/versions'
import { findAnew } from '../queries/base'
import type { Cell } from '../queries/cell'
import type { Core } from '../queries/core'
import { rowAt } from '../queries/rows'
import { distrust } from '../queries/trust'

/** {@link place}; where a rule fails, it is off from now on, and nothing of the kind has a place. */
export function tryPlace(core: Core, cell: Cell, start: Located, news: News): unknown {
  try {
    return place(core, cell, start, news)
  } catch (fault) {
    if (!isRuleFault(fault)) throw fault
    core.touch(cell)
    distrust(core, cell, fault)
    findAnew(cell)
    return undefined
  }
}

/** The data with all changes in it, or `undefined` if one of them has no place there. */
function place(core: Core, cell: Cell, start: Located, { changes, before }: News): unknown {
  let located = start
  for (const change of changes) {
    const { type, id } = change
    const lists = located.lists.filter((list) => list.entity.type === type)
    const kind = lists[0]?.entity
    if (kind === undefined) {
      if (isNewHere(cell, change)) return undefined // where no row was found there may be one now
      continue
    }
    const isList = lists.some(({ single }) => !single)
    const at = find(located, type, id).at(-1)
    if (at === undefined && (change.op === 'del' ? !hasUndeclared(located, type) : !isList)) continue
    if (located.shape?.infinite && find(located, type, id).length > 1) return undefined // pages of two positions
    const there = at === undefined ? before.get(change) : located.lists[at.list]?.rows[at.at]
    const op = rowOp(core, cell, { kind, row: there, isIn: at !== undefined }, change)
    if (op === 'known') continue
    const fit = op === undefined ? 'unplaceable' : fitOf(located, kind, id, op.kind === 'upsert' ? op.row : undefined)
    if (op === undefined || fit === 'unplaceable') {
      core.aids?.unplaced(cell.query)
      return undefined
    }
    if (fit === 'in place') located = fold(located, [op], core.drafts)
  }
  return located.data
}

/** A whole row of a kind that the query should have, and has not. */
function isNewHere({ shape }: Cell, { type, op }: RowChange): boolean {
  return op === 'put' && shape?.pairs.some(([kind]) => kind.type === type) === true
}

/** By change, the whole row that it is made on: of that very version, in whatever base it was before the event. */
export type RowsBefore = ReadonlyMap<RowChange, unknown>

interface News {
  readonly changes: readonly RowChange[]
  readonly before: RowsBefore
}

/** What queries that lack a row need to know whether it belongs to them now. Asked before any of them has changed. */
export function rowsBefore(core: Core, changes: readonly RowChange[]): RowsBefore {
  const before = new Map<RowChange, unknown>()
  /** What earlier changes of the event have made of a row. */
  const made = new Map<string, unknown>()
  for (const change of changes) {
    const name = rowName(change.type, change.id)
    if (change.op === 'put') made.set(name, change.value)
    if (change.op !== 'merge') continue
    const row = made.get(name) ?? rowAt(core, change.type, change.id, change.base)
    if (row === undefined) continue
    before.set(change, row)
    const next = mergePatch(row, change.value)
    if (typeof next === 'object' && next !== null) core.versions.set(next, change.version)
    made.set(name, next)
  }
  return before
}

interface There {
  readonly kind: Entity
  readonly row: unknown
  /** It stands in the query's data. */
  readonly isIn: boolean
}

export function rowOp(
  core: Core,
  cell: Cell,
  { kind, row, isIn }: There,
  change: RowChange,
): (Op & { kind: 'remove' | 'upsert' }) | 'known' | undefined {
  const current = row === undefined ? undefined : knownVersion(kind, row, core.versions)
  if (isIn && isAtLeast(current, change.version)) return 'known'
  const base = { entity: kind, id: change.id } as const
  if (change.op === 'del') return { ...base, kind: 'remove' }
  const whole = change.op === 'put' ? change.value : current === change.base ? undefined : change.row
  const isWhole = change.op === 'put' || whole !== undefined
  if (!isWhole && current !== change.base) return undefined
  try {
    const next = isWhole ? whole : change.op === 'merge' ? mergePatch(row, change.value) : applyPatch(row, change.value)
    const id = kind.idOf(next as never)
    if (!isSameId(id, change.id)) throw new TypeError(`its row says that its id is ${id}`)
    if (typeof next === 'object' && next !== null) core.versions.set(next, change.version)
    return { ...base, kind: 'upsert', row: next, at: 'end' }
  } catch (cause) {
    const { queryKey } = cell.query
    core.report(
      new SyncError(
        'protocol',
        sentence(
          `A pushed change of ${change.type} ${change.id} could not be applied, so its queries are read again: ${messageOf(cause)}`,
        ),
        { cause, queryKey },
      ),
    )
    return undefined
  }
}
