/** Keys that are invalidated and match nothing, where a cached query has nearly that key. */
import { canonical } from '../base/key'
import type { Cell } from '../queries/cell'
import { isAlike } from './alike'
import type { Remark } from './fields'

/** `who` begins the sentence. A key that is named beside its like is no mistake: lists and details may be called so. */
export function remarksOnKeys(who: string, keys: ReadonlyArray<readonly unknown[]>, cells: Iterable<Cell>): Remark[] {
  const cached = [...cells].map(({ query }) => query.queryKey)
  const named = new Set(keys.map((key) => canonical(key)))
  return keys.flatMap((key) => {
    const name = canonical(key)
    const beginnings = new Set(cached.map((other) => canonical(other.slice(0, key.length))))
    const meant = beginnings.has(name) ? undefined : [...beginnings].find((other) => isAlike(other, name))
    if (meant === undefined || named.has(meant)) return []
    return [
      { topic: `key ${name}`, text: `${who} the key ${name}, under which nothing is cached; did you mean ${meant}?` },
    ]
  })
}
