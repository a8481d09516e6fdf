/** Query keys as paths: canonical text of a part, so that prefixes can be indexed. Matches TanStack's hash of a key. */

export type QueryKey = readonly unknown[]

/** Canonical JSON of a value: object keys sorted, as TanStack's `hashKey` writes it. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      isPlainObject(part)
        ? Object.keys(part)
            .sort()
            .reduce<Record<string, unknown>>((sorted, name) => {
              sorted[name] = part[name]
              return sorted
            }, {})
        : part,
    ) ?? 'undefined'
  )
}

/** A name for a mutation on the wire: its key's parts joined by `/` (`['todos', 'add']` is `todos/add`). */
export function wireName(mutationKey: readonly unknown[]): string {
  return mutationKey.map((part) => (typeof part === 'string' ? part : canonical(part))).join('/')
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
