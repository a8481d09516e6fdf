/**
 * The changes that a query's view is folded of, in order. A row that base lacks (another query had it) starts from the copy
 * that its first change took, and has all changes since: those that base contains, too, for the copy does not.
 */
import { find } from '../data/entities'
import type { Step } from '../data/fold'
import { hasDeclared } from '../data/lists'
import type { Op, RowOp } from '../data/recipes'
import type { Origin, Origins } from '../data/row-steps'
import { bringsRow, isOfOneOf, isOfRow, rowNameOf } from '../data/verbs'
import type { Layer } from '../evidence/evidence'
import type { Cell, Placement } from './cell'

/** The layers that change a row, in order; with those that every base has, while later ones are live. */
export type ChainOf = (name: string) => readonly Layer[]

export interface Steps {
  readonly steps: readonly Step[]
  readonly origins: Origins | undefined
}

/** A row that base lacks. */
interface Absent {
  readonly chain: readonly Layer[]
  /** Its changes count from here on. */
  readonly from: number
}

/** `shown`: the layers that the view has and base lacks. */
export function stepsOf(cell: Cell, shown: readonly Placement[], chainOf: ChainOf): Steps {
  const absent = cell.baseLocated.shape?.plain === undefined ? NONE : absentRows(cell, shown, chainOf)
  if (absent.size === 0) {
    const [only] = shown
    return {
      steps: only !== undefined && shown.length === 1 ? only.ops : shown.flatMap(({ ops }) => ops),
      origins: undefined,
    }
  }
  const isBefore = (op: Step, pos: number): boolean =>
    isOfRow(op) && pos < (absent.get(rowNameOf(op))?.from ?? Number.NEGATIVE_INFINITY)
  const parts = shown.map(({ layer: { pos }, ops }) => ({ pos, ops: ops.filter((op) => !isBefore(op, pos)) as Step[] }))
  const origins = new Map<string, Origin>()
  const known = new Set(shown.map(({ layer }) => layer))
  for (const [name, { chain, from }] of absent) {
    const since = chain.filter(({ pos }) => pos >= from)
    origins.set(name, { row: since[0]?.copies.get(name)?.row, ...earlierOf(shown, name, from) })
    for (const layer of since) if (!known.has(layer)) parts.push({ pos: layer.pos, ops: replayOf(cell, layer, name) })
  }
  return { steps: parts.sort((a, b) => a.pos - b.pos).flatMap(({ ops }) => ops), origins }
}

/** Whether it has something to start from: a copy, or the row that it brings itself. */
function isBeginning({ copies, ops }: Layer, name: string): boolean {
  return copies.get(name)?.row !== undefined || ops.some((op) => bringsRow(op) && isOfOneOf(op, new Set([name])))
}

/** What base lacks and the copy has: it may be what brings the row into the list. */
function earlierOf(shown: readonly Placement[], name: string, from: number): Pick<Origin, 'start' | 'earlier'> {
  const before = shown.filter(({ layer }) => layer.pos < from && isBeginning(layer, name))
  const isMeant = (op: Op): op is Op & RowOp => isOfRow(op) && rowNameOf(op) === name
  return { start: before[0]?.layer.copies.get(name)?.row, earlier: before.flatMap(({ ops }) => ops.filter(isMeant)) }
}

const NONE: ReadonlyMap<string, Absent> = new Map()

function absentRows({ baseLocated }: Cell, shown: readonly Placement[], chainOf: ChainOf): ReadonlyMap<string, Absent> {
  const absent = new Map<string, Absent>()
  for (const { ops } of shown) {
    for (const op of ops) {
      if (!isOfRow(op) || !hasDeclared(baseLocated, op.entity.type)) continue
      const name = rowNameOf(op)
      if (absent.has(name) || find(baseLocated, op.entity.type, op.id).length > 0) continue
      const chain = chainOf(name)
      const anew = chain.filter(({ copies }) => copies.get(name)?.isAnew === true).at(-1)
      const first = anew ?? chain.find((layer) => isBeginning(layer, name)) ?? chain[0]
      absent.set(name, { chain, from: first?.pos ?? 0 })
    }
  }
  return absent
}

function replayOf({ query }: Cell, { ops }: Layer, name: string): Step[] {
  const isReplayed = (op: Step): op is RowOp & Step =>
    isOfRow(op) && rowNameOf(op) === name && (op.hash === undefined || op.hash === query.queryHash)
  return ops.filter(isReplayed).map((op) => ({ ...op, isReplay: true }))
}
