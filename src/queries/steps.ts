/**
 * The changes that a query's view is folded of, in order. A row that base lacks (another query had it) starts from the copy
 * that its first change took, and has all changes since: those that base contains, too, for the copy does not.
 */
import { find } from '../data/entities'
import type { Origins, Step } from '../data/fold'
import { hasDeclared } from '../data/lists'
import type { RowOp } from '../data/recipes'
import { isOfRow, rowNameOf } from '../data/verbs'
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
  const origins = new Map<string, unknown>()
  const known = new Set(shown.map(({ layer }) => layer))
  for (const [name, { chain, from }] of absent) {
    const since = chain.filter(({ pos }) => pos >= from)
    origins.set(name, since[0]?.copies.get(name)?.row)
    for (const layer of since) if (!known.has(layer)) parts.push({ pos: layer.pos, ops: replayOf(cell, layer, name) })
  }
  return { steps: parts.sort((a, b) => a.pos - b.pos).flatMap(({ ops }) => ops), origins }
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
      const first = anew ?? chain.find(({ copies }) => copies.get(name)?.row !== undefined) ?? chain[0]
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
