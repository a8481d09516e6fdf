/**
 * View = fold(base, layers). Runs recorded changes over a query's data, in order. The input is never changed; what no
 * change touches keeps its reference; an input that nothing changes is returned itself. Lists are copied once per fold.
 */
import { isEqual } from '../base/equal'
import type { Drafts } from './drafts'
import type { Located, Place, RowList } from './entities'
import { find, locate, setIn, shifted } from './entities'
import { hasDeclared, placeRows, staysIn } from './lists'
import type { Moved } from './moved'
import { listAt, positionIn } from './positions'
import type { InsertPosition, Op, RowOp } from './recipes'
import type { Origins } from './row-steps'
import { changed, step, stepsBefore } from './row-steps'
import { isDeclared } from './rules'
import { isSameList } from './share'
import { bringsRow, isOfRow, rowNameOf } from './verbs'

interface Work {
  located: Located
  /** Lists that this fold owns and may change in place. */
  owned: Map<number, unknown[]>
  /** Rows that this fold appended, by kind and id: positions of other rows are as they were. */
  appended: Map<string, Place>
  /** Positions have moved: rows must be found again. */
  structural: boolean
  /** Rows of declared lists that have changed, by kind and id: they are put where they belong at the end. */
  moved: Map<string, Moved>
  /** Changes of such rows so far. */
  number: number
}

/** A change in a fold. `isReplay`: base has it, and it counts only for rows that base lacks. */
export type Step = Op & { readonly isReplay?: boolean }

/**
 * Folds `ops` over `start`. Throws what a recipe throws, and what a rule of a list does; `start` is then still good.
 * `origins`: of rows that `start` lacks.
 */
export function fold(start: Located, ops: readonly Step[], drafts: Drafts, origins?: Origins): Located {
  let work = workOn(start)
  for (const op of ops) work = foldOne(work, op, drafts, origins)
  return settle(work)
}

function foldOne(work: Work, op: Step, drafts: Drafts, origins: Origins | undefined): Work {
  switch (op.kind) {
    case 'set': {
      const { data, shape, open } = settle(work)
      return begin(locate(isEqual(data, op.data) ? data : op.data, shape, open), work)
    }
    case 'update': {
      const located = settle(work)
      return located.data === undefined ? work : begin(relocate(located, drafts.produce(located.data, op.recipe)), work)
    }
    default:
      if (work.structural) finish(work)
      if (work.located.data === undefined) return work
      if (hasDeclared(work.located, op.entity.type)) moveRow(work, op, drafts, origins)
      if (op.isReplay !== true) applyRow(work, op, drafts)
      return work
  }
}

function workOn(located: Located): Work {
  return { located, owned: new Map(), appended: new Map(), structural: false, moved: new Map(), number: 0 }
}

function begin(located: Located, before: Work): Work {
  return located === before.located && before.owned.size === 0 ? before : workOn(located)
}

function relocate(located: Located, data: unknown): Located {
  return Object.is(located.data, data) ? located : locate(data, located.shape, located.open)
}

/** The data as it stands, each changed row in its place; what this fold owns is written into it. */
function settle(work: Work): Located {
  const { moved } = work
  if (moved.size > 0) {
    finish(work)
    work.moved = new Map()
    const { located } = work
    const rowsOf = (list: number): readonly unknown[] => work.owned.get(list) ?? located.lists[list]?.rows ?? []
    const shifts = placeRows({ located, rowsOf, own: (list) => own(work, list) }, moved.values())
    if (shifts.drift > 0) {
      // What was put where it stood is no change.
      for (const [list, rows] of work.owned) if (isSameList(rows, located.lists[list]?.rows)) work.owned.delete(list)
      if (work.owned.size > 0) finish(work).index = shifted(located.index, shifts)
    }
  }
  return finish(work)
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
  if (structural) work.located = locate(data, located.shape, located.open)
  else work.located = { ...located, data, lists, index: appended.size === 0 ? located.index : undefined }
  work.owned = new Map()
  work.appended = new Map()
  work.structural = false
  return work.located
}

function moveRow(work: Work, op: RowOp & Step, drafts: Drafts, origins: Origins | undefined): void {
  const name = rowNameOf(op)
  let moved = work.moved.get(name)
  if (moved === undefined) {
    const { entity, id } = op
    const before = rowAt(work.located, find(work.located, entity.type, id).at(-1))
    const origin = origins?.get(name)
    moved = {
      entity,
      id,
      before,
      row: before ?? origin?.row,
      steps: before === undefined ? stepsBefore(origin, drafts) : [],
    }
    work.moved.set(name, moved)
  }
  if (op.isReplay && moved.before !== undefined) return
  const before = moved.row
  moved.row = step(before, op, drafts)
  if (op.isReplay === true) return
  const at = 'at' in op ? op.at : undefined
  moved.steps.push({
    before,
    after: moved.row,
    number: work.number++,
    at,
    isMove: op.kind === 'move',
    brings: bringsRow(op),
  })
}

function rowAt({ lists }: Located, place: Place | undefined): unknown {
  return place === undefined ? undefined : lists[place.list]?.rows[place.at]
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
      const target = view.lists[list] as RowList
      const start = base.lists[list]?.rows[origin.at]
      const next = foldRow(start, ops, drafts)
      if (isDeclared(target) && !(staysIn(target, start, target.rows[at]) && staysIn(target, start, next)))
        return undefined
      let rows = owned.get(list)
      if (rows === undefined) {
        rows = [...target.rows]
        owned.set(list, rows)
      }
      rows[at] = next
    }
  }
  return finish({ ...workOn(view), owned })
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
  const found = added === undefined ? find(work.located, op.entity.type, op.id) : [added]
  const places = found.filter(({ list }) => work.located.lists[list]?.rule === undefined)
  if (op.kind === 'remove') remove(work, places)
  else if (op.kind === 'move') move(work, op, places)
  else if (places.length > 0) {
    for (const { list, at } of places) {
      const row = (work.owned.get(list) ?? work.located.lists[list]?.rows)?.[at]
      const next = changed(row, op, drafts)
      if (!Object.is(row, next)) own(work, list)[at] = next
    }
  } else if ((op.kind === 'insert' || op.kind === 'upsert') && op.hash !== undefined) insert(work, op, op.at ?? 'end')
}

function remove(work: Work, places: ReadonlyArray<{ list: number; at: number }>): void {
  // From the end, so that earlier positions stay true.
  for (const { list, at } of [...places].sort((a, b) => b.at - a.at)) {
    if (work.located.lists[list]?.single) own(work, list)[at] = undefined
    else own(work, list).splice(at, 1)
    work.structural = true
  }
}

/** To another place of its list. */
function move(work: Work, op: RowOp & { kind: 'move' }, [place, ...others]: readonly Place[]): void {
  if (place === undefined || others.length > 0 || work.located.lists[place.list]?.single) return
  const before = work.located.lists[place.list]?.rows
  const rows = own(work, place.list)
  const [row] = rows.splice(place.at, 1)
  const { at } = op
  const anchor = typeof at === 'object' ? String('before' in at ? at.before : at.after) : undefined
  const found = rows.findIndex((each) => String(op.entity.idOf(each)) === anchor)
  const spot = typeof at === 'object' && found < 0 ? place.at : positionIn(at, rows.length, 0, found)
  rows.splice(spot, 0, row)
  if (isSameList(rows, before)) work.owned.delete(place.list)
  else work.structural = true
}

function insert(work: Work, op: RowOp & { kind: 'insert' | 'upsert' }, where: InsertPosition): void {
  if (typeof where !== 'string' && work.appended.size > 0) finish(work) // they count, and may be the anchor
  const lists = work.located.lists
  const isTarget = ({ entity, single, rule }: RowList): boolean =>
    entity.type === op.entity.type && !single && rule === undefined
  const candidates = lists.flatMap((list, at) => (isTarget(list) ? [at] : []))
  const anchor =
    typeof where === 'object'
      ? find(work.located, op.entity.type, 'before' in where ? where.before : where.after)[0]
      : undefined
  const target =
    anchor?.list ??
    (where === 'start' || typeof where === 'number' ? listAt(lists, candidates, where) : candidates.at(-1))
  if (target === undefined) return
  const rows = own(work, target)
  const before = candidates
    .filter((list) => list < target)
    .reduce((sum, list) => sum + (lists[list]?.rows.length ?? 0), 0)
  const at = positionIn(where, rows.length, before, anchor?.at)
  if (at === rows.length) work.appended.set(rowNameOf(op), { list: target, at })
  else work.structural = true
  if (at === rows.length) rows.push(op.row)
  else rows.splice(at, 0, op.row)
}
