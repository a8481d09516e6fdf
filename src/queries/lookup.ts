/**
 * Indexes from what a push names to the queries that it concerns: key prefixes, topics, kinds of rows. One event costs
 * what it touches, not the number of cached queries.
 */
import type { QueryKey } from '../base/key'
import { canonical } from '../base/key'
import type { RowId } from '../base/messages'
import { rowName } from '../base/rows'
import type { Cell } from './cell'
import { createKeyTree, matching, placeOfKey, prune } from './key-tree'

export interface Lookup {
  /** Adds the cell, or moves it to where its options now say. */
  add(cell: Cell): void
  remove(cell: Cell): void
  byKey(prefix: QueryKey, exact?: boolean): Iterable<Cell>
  byTopic(topic: string): Iterable<Cell>
  /** Queries that a change of this row concerns: those that hold it, and those whose list it may belong to. */
  forRow(type: string, id: RowId): Iterable<Cell>
  /** The rows of a query's base have changed. `true`: it is, and was not, the detail of these rows. */
  moved(cell: Cell): boolean
  /** All topics of cached queries. */
  topics(): string[]
}

/** `onTopics` is called when the set of topics has changed. */
export function createLookup(onTopics: () => void): Lookup {
  const root = createKeyTree()
  /** `topic …`, `kind …` (a list that any row of the kind may belong to), `row … …` (a detail of that row). */
  const index = new Map<string, Set<Cell>>()
  const placed = new WeakMap<Cell, readonly string[]>()
  const topics = new Map<string, number>()

  function place(cell: Cell, names: readonly string[]): void {
    const before = placed.get(cell) ?? []
    for (const name of before) unlist(index, name, cell)
    for (const name of names) enlist(index, name, cell)
    const added = names.filter((name) => count(topics, name, 1))
    const dropped = before.filter((name) => count(topics, name, -1))
    placed.set(cell, names)
    if (added.length !== dropped.length || added.some((name) => !dropped.includes(name))) onTopics()
  }

  return {
    add(cell) {
      placeOfKey(root, cell.query.queryKey).here.add(cell)
      place(cell, namesOf(cell))
    },
    remove(cell) {
      place(cell, [])
      placed.delete(cell)
      prune(root, cell)
    },
    moved(cell) {
      const names = namesOf(cell)
      const before = placed.get(cell)
      if (before === undefined || (before.length === names.length && before.every((name, at) => name === names[at])))
        return false
      place(cell, names)
      return true
    },
    byKey: (prefix, exact) =>
      exact
        ? [...matching(root, prefix)].filter(
            ({ query }) => query.queryKey.length === prefix.length && canonical(query.queryKey) === canonical(prefix),
          )
        : matching(root, prefix),
    byTopic: (topic) => index.get(`topic ${topic}`) ?? [],
    forRow: (type, id) => [...(index.get(`kind ${type}`) ?? []), ...(index.get(`row ${rowName(type, id)}`) ?? [])],
    topics: () => [...topics.keys()],
  }
}

/** Where a query is found. One that has not loaded may hold any row. */
function namesOf({ topics, shape, base, baseLocated }: Cell): string[] {
  const names = topics.map((topic) => `topic ${topic}`)
  for (const type of new Set(shape?.pairs.map(([kind]) => kind.type))) {
    const lists = baseLocated.lists.filter((list) => list.entity.type === type)
    const single = base !== undefined && lists.length > 0 && lists.every((list) => list.single)
    if (!single) names.push(`kind ${type}`)
    else for (const { entity, rows } of lists) names.push(`row ${rowName(type, entity.idOf(rows[0]))}`)
  }
  return names
}

/** `true`: the topic came or went. */
function count(topics: Map<string, number>, name: string, by: 1 | -1): boolean {
  if (!name.startsWith('topic ')) return false
  const topic = name.slice('topic '.length)
  const left = (topics.get(topic) ?? 0) + by
  if (left > 0) topics.set(topic, left)
  else topics.delete(topic)
  return by === 1 ? left === 1 : left === 0
}

function enlist(index: Map<string, Set<Cell>>, name: string, cell: Cell): void {
  const set = index.get(name)
  if (set === undefined) index.set(name, new Set([cell]))
  else set.add(cell)
}

function unlist(index: Map<string, Set<Cell>>, name: string, cell: Cell): void {
  const set = index.get(name)
  set?.delete(cell)
  if (set?.size === 0) index.delete(name)
}
