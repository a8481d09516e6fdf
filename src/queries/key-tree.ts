/**
 * The cached queries by key, part by part, so that a prefix finds what is below it. Equal parts have one name, the hash that
 * TanStack makes of a key.
 */
import { partialMatchKey } from '@tanstack/query-core'
import type { QueryKey } from '../base/key'
import { canonical, isPlainObject } from '../base/key'
import type { Cell } from './cell'

export interface KeyTree {
  readonly children: Map<string, { part: unknown; node: KeyTree }>
  readonly here: Set<Cell>
}

export function createKeyTree(): KeyTree {
  return { children: new Map(), here: new Set() }
}

/** The place of a key; it is made if there is none. */
export function placeOfKey(root: KeyTree, key: QueryKey): KeyTree {
  let node = root
  for (const part of key) {
    const name = canonical(part)
    let child = node.children.get(name)
    if (child === undefined) {
      child = { part, node: createKeyTree() }
      node.children.set(name, child)
    }
    node = child.node
  }
  return node
}

/** What is below a prefix. TanStack matches an object in a key partially, so a prefix with one may match several children. */
export function* matching(node: KeyTree, prefix: QueryKey, depth = 0): Generator<Cell> {
  if (depth === prefix.length) return yield* below(node)
  const part = prefix[depth]
  const exact = node.children.get(canonical(part))
  if (exact !== undefined) yield* matching(exact.node, prefix, depth + 1)
  if (!isPlainObject(part) && !Array.isArray(part)) return
  for (const child of node.children.values()) {
    if (child !== exact && partialMatchKey([child.part], [part])) yield* matching(child.node, prefix, depth + 1)
  }
}

function* below(node: KeyTree): Generator<Cell> {
  yield* node.here
  for (const child of node.children.values()) yield* below(child.node)
}

/** Takes a query out, and what of the path to it leads nowhere then. */
export function prune(node: KeyTree, cell: Cell, depth = 0): void {
  const { queryKey } = cell.query
  if (depth === queryKey.length) return void node.here.delete(cell)
  const name = canonical(queryKey[depth])
  const child = node.children.get(name)?.node
  if (child === undefined) return
  prune(child, cell, depth + 1)
  if (child.here.size === 0 && child.children.size === 0) node.children.delete(name)
}
