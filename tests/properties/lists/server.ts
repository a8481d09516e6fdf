// A server with a log, of rows in lists of every kind.
import type { RowChange } from '../../../src/base/messages'
import type { Change, Item } from '../../kit/lists'
import { byRankAndId, isOpen, item } from '../../kit/lists'

/** How an event tells of what changed: whole rows, their changes, nothing but that, or one row and that. */
export type Told = 'put' | 'merge' | 'invalidate' | 'both'
export const TOLD: readonly Told[] = ['put', 'put', 'put', 'merge', 'merge', 'invalidate', 'both']

export interface Event {
  position: number
  changes: RowChange[]
  invalidates: boolean
  mutations: string[]
}

/** A list of the server: which rows, in which order. */
export interface ListSpec {
  where(row: Item): boolean
  order(a: Item, b: Item): number
}

const byId = (a: Item, b: Item): number => (a.id < b.id ? -1 : 1)
const all = (): boolean => true
export const LISTS = {
  open: { where: isOpen, order: byRankAndId },
  ranked: { where: all, order: byRankAndId },
  x: { where: (row: Item) => row.group === 'x', order: byRankAndId },
  y: { where: (row: Item) => row.group === 'y', order: byRankAndId },
  ordered: { where: isOpen, order: byId },
  done: { where: (row: Item) => row.done, order: byRankAndId },
} satisfies Record<string, ListSpec>

export function change(row: Item, step: Change): Item {
  if (step.op === 'set') return { ...row, ...step.to }
  return step.op === 'count' ? { ...row, n: row.n + 1 } : row
}

export class Server {
  position = 0
  readonly events: Event[] = []
  /** All rows, at each position. */
  readonly log: Array<ReadonlyMap<string, Item>>
  /** Where each mutation was applied. */
  readonly applied = new Map<string, number>()
  readonly #versions = new Map<string, number>()

  constructor() {
    const rows = [
      item('a'),
      item('b', { group: 'y', rank: 2 }),
      item('c', { done: true, rank: 2 }),
      item('d', { group: 'y', rank: 4 }),
    ]
    for (const { id } of rows) this.#versions.set(id, 1)
    this.log = [new Map(rows.map((row) => [row.id, row]))]
  }

  get rows(): ReadonlyMap<string, Item> {
    return this.log[this.position] as ReadonlyMap<string, Item>
  }

  commit(steps: readonly Change[], told: Told, mutation?: string): void {
    const rows = new Map(this.rows)
    const changes: RowChange[] = []
    for (const step of steps) {
      const id = 'row' in step ? step.row.id : step.id
      const before = rows.get(id)
      const isNew = step.op === 'insert' && before === undefined
      if (step.op === 'move' || (before === undefined && !isNew) || (step.op === 'insert' && !isNew)) continue
      const version = (this.#versions.get(id) ?? 0) + 1
      this.#versions.set(id, version)
      if (step.op === 'remove') {
        rows.delete(id)
        changes.push({ op: 'del', type: 'item', id, version })
        continue
      }
      const after: Item = { ...(before === undefined ? (step as { row: Item }).row : change(before, step)), version }
      rows.set(id, after)
      if (told === 'merge' && before !== undefined) {
        const value = Object.fromEntries(
          Object.entries(after).filter(([name, field]) => before[name as keyof Item] !== field),
        )
        changes.push({ op: 'merge', type: 'item', id, base: before.version, version, value })
      } else changes.push({ op: 'put', type: 'item', id, version, value: after })
    }
    this.position++
    this.log.push(rows)
    if (mutation !== undefined) this.applied.set(mutation, this.position)
    const last = changes.at(-1)?.id
    this.events.push({
      position: this.position,
      changes: told === 'invalidate' ? [] : told === 'both' ? changes.filter(({ id }) => id !== last) : changes,
      invalidates: told === 'invalidate' || told === 'both',
      mutations: mutation === undefined ? [] : [mutation],
    })
  }

  list({ where, order }: ListSpec, position = this.position): Item[] {
    return [...(this.log[position] ?? new Map<string, Item>()).values()].filter(where).sort(order)
  }
}
