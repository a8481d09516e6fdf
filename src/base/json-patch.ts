/**
 * JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) on data that is never changed: what a patch does not touch is
 * shared with the result. Patches are untrusted input: holes and excess are refused, whole. They read and write own members
 * only, so that a row's field may be called `constructor`, and no name leads to a prototype; `__proto__` is refused.
 */

import { isEqual } from './equal'
import { SyncError } from './errors'
import { isPlainObject } from './key'
import type { JsonPatchOperation } from './messages'

/** Segments of a pointer, levels of a merge patch. */
const MAX_DEPTH = 32
const MAX_OPERATIONS = 10_000
/** Values that all `copy` operations of a patch may copy together: copies of copies grow without bound. */
const MAX_COPIED = 100_000
const INDEX = /^(?:0|[1-9][0-9]*)$/

/** The document being patched. `own`: containers that this patch has made and may change in place. */
interface Draft {
  root: unknown
  own: Set<unknown>
  copied: number
}
type Container = unknown[] | Record<string, unknown>

/**
 * Applies the operations in order, all or none: throws a `protocol` error when one cannot be applied or a `test` fails.
 * Returns the same reference when nothing has changed. At most 10 000 operations, pointers of at most 32 segments.
 */
export function applyPatch(document: unknown, operations: readonly JsonPatchOperation[]): unknown {
  if (operations.length > MAX_OPERATIONS) throw refused(`has more than ${MAX_OPERATIONS} operations`)
  const draft: Draft = { root: document, own: new Set(), copied: 0 }
  for (const operation of operations) applyOperation(draft, operation)
  return draft.root
}

/**
 * Merges an RFC 7396 patch: `null` removes a member, objects merge, everything else replaces. Throws a `protocol` error
 * for a member `__proto__` and for more than 32 levels. Returns the same reference when nothing has changed.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, 0)
}

function merge(target: unknown, patch: unknown, depth: number): unknown {
  if (!isPlainObject(patch)) return patch
  if (depth >= MAX_DEPTH) throw refused(`goes deeper than ${MAX_DEPTH} levels`)
  const isObject = isPlainObject(target)
  const result: Record<string, unknown> = isObject ? { ...target } : {}
  let changed = !isObject
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue
    if (name === '__proto__') throw refused(`names "${name}"`)
    const had = Object.hasOwn(result, name)
    if (value === null) {
      delete result[name]
      changed ||= had
      continue
    }
    const before = had ? result[name] : undefined
    result[name] = merge(before, value, depth + 1)
    changed ||= !had || !Object.is(before, result[name])
  }
  return changed ? result : target
}

function applyOperation(draft: Draft, operation: JsonPatchOperation): void {
  const path = parsePointer(operation.path)
  switch (operation.op) {
    case 'add':
      add(draft, path, givenValue(operation))
      break
    case 'remove':
      remove(draft, path)
      break
    case 'replace':
      replace(draft, path, givenValue(operation))
      break
    case 'move':
      move(draft, givenSource(operation), path)
      break
    case 'copy':
      copy(draft, givenSource(operation), path)
      break
    case 'test':
      if (!isEqual(read(draft.root, path), givenValue(operation))) throw refused(`tests "${operation.path}" in vain`)
      break
    default:
      throw refused(`has an operation "${String((operation as { op: unknown }).op)}"`)
  }
}

function add(draft: Draft, path: readonly string[], value: unknown): void {
  const name = path.at(-1)
  if (name === undefined) {
    draft.root = value
    return
  }
  const container = open(draft, path)
  if (!Array.isArray(container)) container[name] = value
  else container.splice(name === '-' ? container.length : indexOf(container, name, container.length), 0, value)
}

function remove(draft: Draft, path: readonly string[]): unknown {
  const name = path.at(-1)
  if (name === undefined) throw refused('removes the whole document')
  const value = read(draft.root, path)
  const container = open(draft, path)
  if (Array.isArray(container)) container.splice(Number(name), 1)
  else delete container[name]
  return value
}

function replace(draft: Draft, path: readonly string[], value: unknown): void {
  const name = path.at(-1)
  if (Object.is(read(draft.root, path), value)) return
  if (name === undefined) {
    draft.root = value
    return
  }
  const container = open(draft, path)
  if (Array.isArray(container)) container[Number(name)] = value
  else container[name] = value
}

function move(draft: Draft, from: readonly string[], path: readonly string[]): void {
  const isPrefix = from.every((name, i) => name === path[i])
  if (isPrefix && from.length < path.length) throw refused('moves a value into itself')
  if (isPrefix) read(draft.root, from)
  else add(draft, path, remove(draft, from))
}

function copy(draft: Draft, from: readonly string[], path: readonly string[]): void {
  const value = read(draft.root, from)
  draft.copied += countValues(value, MAX_COPIED - draft.copied)
  if (draft.copied > MAX_COPIED) throw refused('copies too much')
  // The value now stands in two places, so nothing in it may be changed in place.
  draft.own.clear()
  add(draft, path, value)
}

/** The container of the last segment, made this patch's own along the way. */
function open(draft: Draft, path: readonly string[]): Container {
  let container = own(draft, draft.root)
  draft.root = container
  for (const name of path.slice(0, -1)) {
    const child = own(draft, step(container, name))
    if (Array.isArray(container)) container[Number(name)] = child
    else container[name] = child
    container = child
  }
  return container
}

function own(draft: Draft, value: unknown): Container {
  if (!isContainer(value)) throw refused('goes into a value that has no members')
  if (draft.own.has(value)) return value
  const copied: Container = Array.isArray(value) ? [...value] : { ...value }
  draft.own.add(copied)
  return copied
}

function read(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const name of path) {
    if (!isContainer(value)) throw refused('goes into a value that has no members')
    value = step(value, name)
  }
  return value
}

/** The member of a container; it must exist. */
function step(container: Container, name: string): unknown {
  if (Array.isArray(container)) return container[indexOf(container, name, container.length - 1)]
  if (!Object.hasOwn(container, name)) throw refused(`names "${name}", which is not there`)
  return container[name]
}

function indexOf(list: readonly unknown[], name: string, last: number): number {
  const index = INDEX.test(name) ? Number(name) : -1
  if (index < 0 || index > last) throw refused(`names place "${name}" of a list of ${list.length}`)
  return index
}

/** RFC 6901: `/` parts, `~1` is `/`, `~0` is `~`. */
function parsePointer(pointer: string): string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) throw refused(`has no pointer in "${pointer}"`)
  const path = pointer.slice(1).split('/')
  if (path.length > MAX_DEPTH) throw refused(`goes deeper than ${MAX_DEPTH} levels`)
  const names = path.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (names.includes('__proto__')) throw refused('names "__proto__"')
  return names
}

function givenValue(operation: JsonPatchOperation): unknown {
  if (!Object.hasOwn(operation, 'value')) throw refused(`has an operation "${operation.op}" without a value`)
  return operation.value
}

function givenSource(operation: JsonPatchOperation): string[] {
  if (operation.from === undefined) throw refused(`has an operation "${operation.op}" without a source`)
  return parsePointer(operation.from)
}

/** How many values there are, counted no further than just past `limit`. */
function countValues(value: unknown, limit: number): number {
  let count = 1
  if (!isContainer(value)) return count
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    if (count > limit) return count
    count += countValues(member, limit - count)
  }
  return count
}

function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || isPlainObject(value)
}

function refused(why: string): SyncError {
  return new SyncError('protocol', `A patch ${why}; it is not applied.`)
}
