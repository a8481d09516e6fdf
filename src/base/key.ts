/** Query keys as paths: canonical text of a part, so that prefixes can be indexed. Matches TanStack's hash of a key. */

export type QueryKey = readonly unknown[]

/**
 * Canonical JSON of a value: object keys sorted, as TanStack's `hashKey` writes it. Total: keys that an application hashes
 * in a way of its own (`queryKeyHashFn`) may hold what JSON does not take; such values share a name, and are told apart by
 * whoever compares them.
 */
export function canonical(value: unknown): string {
  try {
    return JSON.stringify(value, toCanonical) ?? 'undefined'
  } catch {
    return 'unnamed' // it refers to itself
  }
}

function toCanonical(_: string, part: unknown): unknown {
  if (typeof part === 'bigint') return `${part}n`
  if (!isPlainObject(part)) return part
  return Object.keys(part)
    .sort()
    .reduce<Record<string, unknown>>((sorted, name) => {
      sorted[name] = part[name]
      return sorted
    }, {})
}

/** A name for a mutation on the wire: its key's parts joined by `/` (`['todos', 'add']` is `todos/add`). */
export function wireName(mutationKey: readonly unknown[]): string {
  return mutationKey.map((part) => (typeof part === 'string' ? part : canonical(part))).join('/')
}

/** An object of fields: of this realm's `Object`, of another's (a frame, Jest), or without a prototype. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null || prototype === Object.prototype) return true
  // What stands above another realm's plain objects: nothing is above it, and it has the methods of `Object.prototype`.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}
