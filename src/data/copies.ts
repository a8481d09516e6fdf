/**
 * Data that is more than JSON: dates, maps, class instances, typed arrays, circles. A recipe is given a deep copy of it, for
 * such values can be changed in place and nothing could take that back.
 */
import { isPlainObject } from '../base/key'
import { kindOf } from '../base/kinds'

/**
 * Whether immer can draft all of it: lists and plain objects, without circles. `known` are parts that were found to be so: a
 * list of ten thousand rows is looked through at each change of it as a whole.
 */
export function isDraftable(value: unknown, known: WeakSet<object>, above: object[] = []): boolean {
  if (typeof value !== 'object' || value === null || known.has(value)) return true
  if ((!Array.isArray(value) && !isPlainObject(value)) || above.includes(value)) return false
  above.push(value)
  for (const name in value) if (!isDraftable((value as Record<string, unknown>)[name], known, above)) return false
  above.pop()
  known.add(value)
  return true
}

/** What has been copied: the copies by their originals. */
export type Copies = Map<object, object>

/** A deep copy. What cannot be copied (a function, a file) is handed on as it is. */
export function copyDeep(value: unknown, copies: Copies): unknown {
  if (typeof value !== 'object' || value === null) return value
  const done = copies.get(value)
  if (done !== undefined) return done
  const copy = begin(value)
  copies.set(value, copy)
  if (copy === value) return value
  if (isMap(value)) for (const [name, part] of value) (copy as Map<unknown, unknown>).set(name, copyDeep(part, copies))
  else if (isSet(value)) for (const part of value) (copy as Set<unknown>).add(copyDeep(part, copies))
  else if (hasFields(value)) for (const name of Reflect.ownKeys(value)) copyField(value, copy, name, copies)
  return copy
}

function copyField(value: object, copy: object, name: string | symbol, copies: Copies): void {
  const field = Reflect.getOwnPropertyDescriptor(value, name)
  if (field === undefined || (name === 'length' && Array.isArray(value))) return
  if (!('value' in field)) Object.defineProperty(copy, name, { ...field, configurable: true })
  else
    Object.defineProperty(copy, name, {
      ...{ value: copyDeep(field.value, copies), enumerable: field.enumerable === true },
      ...{ writable: true, configurable: true },
    })
}

/** An empty copy, or a whole one of what has no parts of its own; the value itself where it cannot be copied. */
function begin(value: object): object {
  if (Array.isArray(value)) return new Array(value.length)
  switch (kindOf(value)) {
    case 'Object':
    case 'Error':
      return Object.create(Object.getPrototypeOf(value))
    case 'Map':
      return new Map()
    case 'Set':
      return new Set()
    case 'Date':
      return new Date((value as Date).getTime())
    case 'URL':
      return new URL(String(value))
    case 'ArrayBuffer':
      return (value as ArrayBuffer).slice(0)
    case 'DataView': {
      const { buffer, byteOffset, byteLength } = value as DataView
      return new DataView(buffer.slice(byteOffset, byteOffset + byteLength))
    }
    default:
      return ArrayBuffer.isView(value) ? (value as Uint8Array).slice() : value
  }
}

/**
 * `next` with every part that equals `previous` replaced by it. `copies` are ours, so they are changed in place; a value that
 * a recipe brought is left as it is.
 */
export function shareCopy(
  previous: unknown,
  next: unknown,
  copies: ReadonlySet<object>,
  above: object[] = [],
): unknown {
  if (Object.is(previous, next) || typeof next !== 'object' || next === null) return next
  if (typeof previous !== 'object' || previous === null || !copies.has(next) || above.includes(next)) return next
  if (kindOf(previous) !== kindOf(next) || Object.getPrototypeOf(previous) !== Object.getPrototypeOf(next)) return next
  above.push(next)
  const isSame = shareParts(previous, next, (a, b) => shareCopy(a, b, copies, above))
  above.pop()
  return isSame ? previous : next
}

function shareParts(previous: object, next: object, share: (a: unknown, b: unknown) => unknown): boolean {
  if (isMap(previous) && isMap(next)) {
    let same = previous.size === next.size
    for (const [name, part] of next) {
      const shared = share(previous.get(name), part)
      next.set(name, shared)
      same &&= previous.has(name) && Object.is(shared, previous.get(name))
    }
    return same
  }
  if (isSet(previous) && isSet(next)) {
    const [before, after] = [[...previous], [...next]]
    const shared = after.map((part, at) => share(before[at], part))
    next.clear()
    for (const part of shared) next.add(part)
    return before.length === after.length && shared.every((part, at) => Object.is(part, before[at]))
  }
  if (!hasFields(next)) return sameBytes(previous, next)
  const [before, after] = [previous as Record<PropertyKey, unknown>, next as Record<PropertyKey, unknown>]
  const names = Reflect.ownKeys(next)
  // As where immer drafts: it would be no part of the list for whoever compares lists.
  if (Array.isArray(next) && named(next) > named(previous as unknown[]))
    throw new TypeError('A recipe gave a list a property by name: a list has members only.')
  let same = names.length === Reflect.ownKeys(previous).length
  for (const name of names) {
    if (!('value' in (Reflect.getOwnPropertyDescriptor(next, name) ?? {}))) continue
    const shared = share(before[name], after[name])
    if (!Object.is(shared, after[name])) after[name] = shared
    same &&= Object.hasOwn(previous, name) && Object.is(shared, before[name])
  }
  return same
}

/** How many properties a list has beside its members and its length. */
function named(list: readonly unknown[]): number {
  return Math.max(0, Reflect.ownKeys(list).length - 1 - list.length)
}

function sameBytes(a: object, b: object): boolean {
  if (kindOf(a) === 'Date') return (a as Date).getTime() === (b as Date).getTime()
  if (kindOf(a) === 'URL') return String(a) === String(b)
  const [x, y] = [bytesOf(a), bytesOf(b)]
  return x.length === y.length && x.every((byte, at) => byte === y[at])
}

function bytesOf(value: object): Uint8Array {
  if (!ArrayBuffer.isView(value)) return new Uint8Array(value as ArrayBuffer)
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

const isMap = (value: object): value is Map<unknown, unknown> => kindOf(value) === 'Map'
const isSet = (value: object): value is Set<unknown> => kindOf(value) === 'Set'
const hasFields = (value: object): boolean => Array.isArray(value) || /^(Object|Error)$/.test(kindOf(value))

/** Freezes all of it that can be frozen; what is frozen already is taken to be so in depth. */
export function freezeDeep(value: unknown): void {
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const part = waiting.pop()
    if (typeof part !== 'object' || part === null || Object.isFrozen(part) || !hasFields(part)) continue
    Object.freeze(part)
    for (const name of Reflect.ownKeys(part)) {
      const field = Reflect.getOwnPropertyDescriptor(part, name)
      if (field !== undefined && 'value' in field) waiting.push(field.value)
    }
  }
}
