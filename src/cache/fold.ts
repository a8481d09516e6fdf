/**
 * View = fold(base, layers). Runs recorded changes over a query's data, in order. The input is never changed; what no
 * change touches keeps its reference; an input that nothing changes is returned itself. Lists are copied once per fold.
 */
import { Immer } from 'immer'
import type { Located, RowList } from './entities'
import { find, locate, setIn } from './entities'
import type { InsertPosition, Op, RowOp } from './recipes'
import { isEqual } from './share'

// Private, without freezing: copying a frozen array of 10 000 costs 50 times as much as a plain one.
export const createDrafts = (): Immer => new Immer({ autoFreeze: false })

interface Work {
  located: Located
  /** Lists that this fold owns and may change in place. */
  owned: Map<number, unknown[]>
  structural: boolean
}

/** Folds `ops` over `start`. Throws what a recipe throws; `start` is then still good. */
export function fold(start: Located, ops: readonly Op[], drafts: Immer): Located {
  let work: Work = { located: start, owned: new Map(), structural: false }
  for (const op of ops) {
    if (op.kind === 'set')
      work = begin(locate(isEqual(current(work), op.data) ? current(work) : op.data, start.shape), work)
    else if (op.kind === 'update') {
      const data = current(work)
      if (data === undefined) continue
      work = begin(relocate(finish(work), drafts.produce(data, op.recipe as (draft: unknown) => unknown)), work)
    } else if (current(work) !== undefined) applyRow(work, op, drafts)
  }
  return finish(work)
}

function begin(located: Located, before: Work): Work {
  return located === before.located && before.owned.size === 0
    ? before
    : { located, owned: new Map(), structural: false }
}

function relocate(located: Located, data: unknown): Located {
  return Object.is(located.data, data) ? located : locate(data, located.shape)
}

/** The data as it stands; what this fold owns is written into it. */
function current(work: Work): unknown {
  return work.owned.size === 0 ? work.located.data : finish(work).data
}

function finish(work: Work): Located {
  const { located, owned, structural } = work
  if (owned.size === 0) return located
  let data = located.data
  const lists = located.lists.map((list, at) => {
    const rows = owned.get(at)
    if (rows === undefined) return list
    const value = list.single ? rows[0] : rows
    data = list.path.length === 0 ? value : setIn(data, list.path, value)
    return { ...list, rows }
  })
  if (structural) work.located = locate(data, located.shape)
  else work.located = { data, shape: located.shape, lists, index: located.index }
  work.owned = new Map()
  work.structural = false
  return work.located
}

function own(work: Work, at: number): unknown[] {
  let rows = work.owned.get(at)
  if (rows === undefined) {
    rows = [...(work.located.lists[at]?.rows ?? [])]
    work.owned.set(at, rows)
  }
  return rows
}

function applyRow(work: Work, op: RowOp & Op, drafts: Immer): void {
  if (work.structural) finish(work) // positions have moved: find rows again
  const places = find(work.located, op.entity.type, op.id)
  if (op.kind === 'remove') return remove(work, places)
  if (places.length === 0) {
    if (op.kind === 'insert' || (op.kind === 'upsert' && op.hash !== undefined)) insert(work, op)
    return
  }
  if (op.kind === 'insert') return
  for (const { list, at } of places) {
    const row = (work.owned.get(list) ?? work.located.lists[list]?.rows)?.[at]
    const next =
      op.kind === 'upsert' ? (isEqual(row, op.row) ? row : op.row) : runRow(op.results, row, op.recipe, drafts)
    if (!Object.is(row, next)) own(work, list)[at] = next
  }
}

/** A pure recipe on the same row gives the same result, so it runs once per row object. */
function runRow(
  results: WeakMap<object, unknown>,
  row: unknown,
  recipe: (draft: never) => unknown,
  drafts: Immer,
): unknown {
  if (typeof row !== 'object' || row === null) return drafts.produce(row, recipe as (draft: unknown) => unknown)
  if (results.has(row)) return results.get(row)
  const next: unknown = drafts.produce(row as unknown, recipe as (draft: unknown) => unknown)
  results.set(row, next)
  return next
}

function remove(work: Work, places: ReadonlyArray<{ list: number; at: number }>): void {
  // From the end, so that earlier positions stay true.
  for (const { list, at } of [...places].sort((a, b) => b.at - a.at)) {
    if (work.located.lists[list]?.single) own(work, list)[at] = undefined
    else own(work, list).splice(at, 1)
    work.structural = true
  }
}

function insert(work: Work, op: RowOp & { kind: 'insert' | 'upsert' }): void {
  const lists = work.located.lists
  const candidates = lists.flatMap((list, at) => (list.entity.type === op.entity.type && !list.single ? [at] : []))
  const anchor =
    typeof op.at === 'object'
      ? find(work.located, op.entity.type, 'before' in op.at ? op.at.before : op.at.after)[0]
      : undefined
  const target =
    anchor?.list ??
    (op.at === 'start' || typeof op.at === 'number' ? listAt(lists, candidates, op.at) : candidates.at(-1))
  if (target === undefined) return
  const rows = own(work, target)
  rows.splice(positionIn(lists, candidates, target, rows.length, op.at, anchor?.at), 0, op.row)
  work.structural = true
}

/** The list in which the position `at`, counted over all lists of the query (pages), lies. */
function listAt(lists: readonly RowList[], candidates: readonly number[], at: 'start' | number): number | undefined {
  if (at === 'start') return candidates[0]
  let before = 0
  for (const candidate of candidates) {
    before += lists[candidate]?.rows.length ?? 0
    if (at <= before) return candidate
  }
  return candidates.at(-1)
}

function positionIn(
  lists: readonly RowList[],
  candidates: readonly number[],
  target: number,
  length: number,
  at: InsertPosition,
  anchor: number | undefined,
): number {
  if (at === 'start') return 0
  if (typeof at === 'number') {
    let before = 0
    for (const candidate of candidates) if (candidate < target) before += lists[candidate]?.rows.length ?? 0
    return Math.min(Math.max(0, at - before), length)
  }
  if (typeof at === 'object' && anchor !== undefined) return 'before' in at ? anchor : anchor + 1
  return length
}
