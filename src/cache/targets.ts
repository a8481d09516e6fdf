/**
 * Indexes from what a push names to the queries that it concerns: key prefixes, topics, kinds of rows. One event costs
 * what it touches, not the number of cached queries.
 */
import { partialMatchKey } from '@tanstack/query-core'
import type { QueryKey } from '../base/key'
import { canonical, isPlainObject } from '../base/key'
import type { RowId } from '../base/messages'
import type { QueryRecord } from './record'

export interface Targets {
  /** Adds the record, or moves it to where its options now say. */
  add(record: QueryRecord): void
  remove(record: QueryRecord): void
  byKey(prefix: QueryKey, exact?: boolean): Iterable<QueryRecord>
  byTopic(topic: string): Iterable<QueryRecord>
  /** Queries with rows of this kind: all of them, whether they hold a certain row or not. */
  byType(type: string): Iterable<QueryRecord>
  /** Queries that a change of this row concerns: those that hold it, and those whose list it may belong to. */
  forRow(type: string, id: RowId): Iterable<QueryRecord>
  /** The rows of a query have changed. */
  moved(record: QueryRecord): void
  /** All topics of cached queries. */
  topics(): string[]
}

interface Node {
  children: Map<string, { part: unknown; node: Node }>
  here: Set<QueryRecord>
}

export function createTargets(): Targets {
  const root: Node = { children: new Map(), here: new Set() }
  const topics = new Map<string, Set<QueryRecord>>()
  const types = new Map<string, Set<QueryRecord>>()
  const placed = new WeakMap<QueryRecord, { topics: readonly string[]; types: readonly string[] }>()

  function nodeOf(key: QueryKey): Node {
    let node = root
    for (const part of key) {
      const name = canonical(part)
      let child = node.children.get(name)
      if (child === undefined) {
        child = { part, node: { children: new Map(), here: new Set() } }
        node.children.set(name, child)
      }
      node = child.node
    }
    return node
  }

  function* below(node: Node): Generator<QueryRecord> {
    yield* node.here
    for (const child of node.children.values()) yield* below(child.node)
  }

  // TanStack matches an object in a key partially, so a prefix with an object may match several children.
  function* matching(node: Node, prefix: QueryKey, depth: number): Generator<QueryRecord> {
    if (depth === prefix.length) return yield* below(node)
    const part = prefix[depth]
    const exact = node.children.get(canonical(part))
    if (exact !== undefined) yield* matching(exact.node, prefix, depth + 1)
    if (!isPlainObject(part) && !Array.isArray(part)) return
    for (const child of node.children.values()) {
      if (child !== exact && partialMatchKey([child.part], [part])) yield* matching(child.node, prefix, depth + 1)
    }
  }

  function prune(key: QueryKey, record: QueryRecord): void {
    const path: Array<{ parent: Node; name: string }> = []
    let node = root
    for (const part of key) {
      const name = canonical(part)
      const child = node.children.get(name)
      if (child === undefined) return
      path.push({ parent: node, name })
      node = child.node
    }
    node.here.delete(record)
    for (const { parent, name } of path.reverse()) {
      const child = parent.children.get(name)?.node
      if (child === undefined || child.here.size > 0 || child.children.size > 0) return
      parent.children.delete(name)
    }
  }

  const targets: Targets = {
    add(record) {
      unlist(topics, types, placed.get(record), record)
      nodeOf(record.query.queryKey).here.add(record)
      const lists = { topics: record.topics, types: [...new Set(record.shape?.pairs.map(([kind]) => kind.type))] }
      placed.set(record, lists)
      for (const topic of lists.topics) enlist(topics, topic, record)
      for (const type of lists.types) enlist(types, type, record)
    },
    remove(record) {
      unlist(topics, types, placed.get(record), record)
      placed.delete(record)
      prune(record.query.queryKey, record)
    },
    byKey: (prefix, exact) =>
      exact
        ? [...matching(root, prefix, 0)].filter(
            ({ query }) => query.queryKey.length === prefix.length && canonical(query.queryKey) === canonical(prefix),
          )
        : matching(root, prefix, 0),
    byTopic: (topic) => topics.get(topic) ?? [],
    byType: (type) => types.get(type) ?? [],
    forRow: (type) => types.get(type) ?? [],
    moved: () => {},
    topics: () => [...topics.keys()],
  }
  return targets
}

function enlist(index: Map<string, Set<QueryRecord>>, name: string, record: QueryRecord): void {
  const set = index.get(name)
  if (set === undefined) index.set(name, new Set([record]))
  else set.add(record)
}

function unlist(
  topics: Map<string, Set<QueryRecord>>,
  types: Map<string, Set<QueryRecord>>,
  lists: { topics: readonly string[]; types: readonly string[] } | undefined,
  record: QueryRecord,
): void {
  for (const [index, names] of [
    [topics, lists?.topics ?? []],
    [types, lists?.types ?? []],
  ] as const) {
    for (const name of names) {
      const set = index.get(name)
      set?.delete(record)
      if (set?.size === 0) index.delete(name)
    }
  }
}
