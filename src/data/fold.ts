/**
 * View = fold(base, layers). Runs recorded changes over a query's data, in order. The input is never changed; what no
 * change touches keeps its reference; an input that nothing changes is returned itself. Lists are copied once per fold.
 */
import { Immer } from 'immer'
import { isEqual } from '../base/equal'
import { usageError } from '../base/errors'
import { ignoreRejection, isThenable } from '../base/kinds'
import type { Copies } from './copies'
import { copyDeep, isDraftable, shareCopy } from './copies'
import type { Located, Place, RowList } from './entities'
import { find, locate, setIn } from './entities'
import type { InsertPosition, Op, RowOp } from './recipes'
import { isOfRow, rowNameOf } from './verbs'

/** Runs one recipe on data and gives the new data; the same reference when nothing changed. */
export interface Drafts {
  produce(data: unknown, recipe: (draft: never) => unknown): unknown
}

/**
 * Private, without freezing: copying a frozen array of 10 000 costs 50 times as much as a plain one. With `onImpure`
 * (in development) each recipe runs twice, and is told of when it gives two results.
 */
export function createDrafts(onImpure?: (recipe: (draft: never) => unknown) => void): Drafts {
  const immer = new Immer({ autoFreeze: false })
  const known = new WeakSet<object>()
  const produce: Drafts['produce'] = (data, recipe) => {
    const next = isDraftable(data, known)
      ? immer.produce(data, recipe as (draft: unknown) => unknown)
      : onCopy(data, recipe)
    if (!isThenable(next)) return next
    ignoreRejection(next)
    throw usageError(
      'A recipe returned a promise: change the draft at once, asynchronous work belongs in "mutationFn".',
    )
  }
  if (onImpure === undefined) return { produce }
  return {
    produce(data, recipe) {
      const once = produce(data, recipe)
      if (isDraftable(data, known) && !isEqual(once, produce(data, recipe))) onImpure(recipe)
      return once
    },
  }
}

/** The recipe on a deep copy; what it leaves alone is what it was. */
function onCopy(data: unknown, recipe: (draft: never) => unknown): unknown {
  const copies: Copies = new Map()
  const copy = copyDeep(data, copies)
  const next = recipe(copy as never) ?? copy
  return shareCopy(data, next, new Set(copies.values()))
}

interface Work {
  located: Located
  /** Lists that this fold owns and may change in place. */
  owned: Map<number, unknown[]>
  /** Rows that this fold appended, by kind and id: positions of other rows are as they were. */
  appended: Map<string, Place>
  /** Positions have moved: rows must be found again. */
  structural: boolean
}

/** Folds `ops` over `start`. Throws what a recipe throws; `start` is then still good. */
export function fold(start: Located, ops: readonly Op[], drafts: Drafts): Located {
  let work = workOn(start)
  for (const op of ops) work = foldOne(work, op, drafts)
  return finish(work)
}

function foldOne(work: Work, op: Op, drafts: Drafts): Work {
  switch (op.kind) {
    case 'set': {
      const data = current(work)
      return begin(locate(isEqual(data, op.data) ? data : op.data, work.located.shape), work)
    }
    case 'update': {
      const data = current(work)
      return data === undefined ? work : begin(relocate(finish(work), drafts.produce(data, op.recipe)), work)
    }
    default:
      if (work.structural) finish(work)
      if (work.located.data !== undefined) applyRow(work, op, drafts)
      return work
  }
}

function workOn(located: Located): Work {
  return { located, owned: new Map(), appended: new Map(), structural: false }
}

function begin(located: Located, before: Work): Work {
  return located === before.located && before.owned.size === 0 ? before : workOn(located)
}

function relocate(located: Located, data: unknown): Located {
  return Object.is(located.data, data) ? located : locate(data, located.shape)
}

/** The data as it stands; what this fold owns is written into it. */
function current(work: Work): unknown {
  return work.owned.size === 0 ? work.located.data : finish(work).data
}

function finish(work: Work): Located {
  const { located, owned, structural, appended } = work
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
  else work.located = { data, shape: located.shape, lists, index: appended.size === 0 ? located.index : undefined }
  work.owned = new Map()
  work.appended = new Map()
  work.structural = false
  return work.located
}

/**
 * The view after changes of rows have left: `view` with just those rows folded anew over `base`. `undefined` where a row
 * does not stand in both alike.
 */
export function refoldRows(
  { base, view }: { base: Located; view: Located },
  gone: readonly Op[],
  left: readonly Op[],
  drafts: Drafts,
): Located | undefined {
  const owned = new Map<number, unknown[]>()
  const done = new Set<string>()
  for (const op of gone) {
    if (!isOfRow(op)) return undefined
    const { entity, id } = op
    const name = rowNameOf(op)
    if (done.has(name)) continue
    done.add(name)
    const from = find(base, entity.type, id)
    const to = find(view, entity.type, id)
    if (from.length !== to.length) return undefined
    const ops = left.filter((each) => isOfRow(each) && rowNameOf(each) === name)
    for (const [i, { list, at }] of to.entries()) {
      const origin = from[i]
      if (origin?.list !== list || view.lists[list]?.single) return undefined
      let rows = owned.get(list)
      if (rows === undefined) {
        rows = [...(view.lists[list]?.rows ?? [])]
        owned.set(list, rows)
      }
      rows[at] = foldRow(base.lists[list]?.rows[origin.at], ops, drafts)
    }
  }
  return finish({ located: view, owned, appended: new Map(), structural: false })
}

function foldRow(start: unknown, ops: readonly Op[], drafts: Drafts): unknown {
  return ops.filter(isOfRow).reduce((row, op) => changed(row, op, drafts), start)
}

function own(work: Work, at: number): unknown[] {
  let rows = work.owned.get(at)
  if (rows === undefined) {
    rows = [...(work.located.lists[at]?.rows ?? [])]
    work.owned.set(at, rows)
  }
  return rows
}

function applyRow(work: Work, op: RowOp & Op, drafts: Drafts): void {
  const added = work.appended.size === 0 ? undefined : work.appended.get(rowNameOf(op))
  const places = added === undefined ? find(work.located, op.entity.type, op.id) : [added]
  if (op.kind === 'remove') remove(work, places)
  else if (places.length > 0) {
    for (const { list, at } of places) {
      const row = (work.owned.get(list) ?? work.located.lists[list]?.rows)?.[at]
      const next = changed(row, op, drafts)
      if (!Object.is(row, next)) own(work, list)[at] = next
    }
  } else if (op.kind === 'insert' || (op.kind === 'upsert' && op.hash !== undefined)) insert(work, op)
}

/** What a change makes of a row where it stands. */
function changed(row: unknown, op: RowOp & Op, drafts: Drafts): unknown {
  switch (op.kind) {
    case 'row':
      return runRow(op.results, row, op.recipe, drafts)
    case 'upsert':
      return isEqual(row, op.row) ? row : op.row
    case 'insert': // it is there already
    case 'remove': // takes it out of its list, and changes nothing in it
      return row
    default:
      return op satisfies never
  }
}

/** A pure recipe on the same row gives the same result, so it runs once per row object. */
function runRow(
  results: WeakMap<object, unknown>,
  row: unknown,
  recipe: (draft: never) => unknown,
  drafts: Drafts,
): unknown {
  if (typeof row !== 'object' || row === null) return drafts.produce(row, recipe)
  if (results.has(row)) return results.get(row)
  const next: unknown = drafts.produce(row, recipe)
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
  if (typeof op.at !== 'string' && work.appended.size > 0) finish(work) // they count, and may be the anchor
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
  const before = candidates
    .filter((list) => list < target)
    .reduce((sum, list) => sum + (lists[list]?.rows.length ?? 0), 0)
  const at = positionIn(op.at, rows.length, before, anchor?.at)
  if (at === rows.length) work.appended.set(rowNameOf(op), { list: target, at })
  else work.structural = true
  if (at === rows.length) rows.push(op.row)
  else rows.splice(at, 0, op.row)
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

/** Where in a list of `length` rows; `before`: how many stand in the lists before it, which numbers count too. */
function positionIn(at: InsertPosition, length: number, before: number, anchor: number | undefined): number {
  if (at === 'start') return 0
  if (typeof at === 'number') return Math.min(Math.max(0, at - before), length)
  if (typeof at === 'object' && anchor !== undefined) return 'before' in at ? anchor : anchor + 1
  return length
}
