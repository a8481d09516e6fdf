/** Lists in pages: pages are read one after another, so a row may stand in two of them. */
import type { Located, Place } from './entities'
import { locate, setIn } from './entities'

/**
 * Each row once: of two copies that of the page which was read later. `readAt`: when each page was read, in any unit; pages
 * without a time count as read in their order.
 */
export function withoutRepeats(located: Located, readAt: readonly number[]): Located {
  const repeats = repeatsIn(located, readAt)
  if (repeats.size === 0) return located
  let { data } = located
  for (const [number, places] of repeats) {
    const list = located.lists[number]
    if (list === undefined) continue
    const rows = list.rows.filter((_, at) => !places.has(at))
    data = list.path.length === 0 ? rows : setIn(data, list.path, rows)
  }
  return locate(data, located.shape, located.open)
}

/** Of lists in pages, the places of copies that are not shown. */
function repeatsIn({ lists, shape }: Located, readAt: readonly number[]): ReadonlyMap<number, ReadonlySet<number>> {
  const repeats = new Map<number, Set<number>>()
  if (shape?.infinite !== true) return repeats
  const newest = new Map<string, Place>()
  for (const [number, { rows, single, entity, chain }] of lists.entries()) {
    if (single) continue
    for (const [at, row] of rows.entries()) {
      if (row === undefined || row === null) continue
      const name = `${chain} ${entity.idOf(row)}`
      const known = newest.get(name)
      const isNewer = known === undefined || timeOf(lists[known.list], readAt) <= timeOf(lists[number], readAt)
      const hidden = isNewer ? known : { list: number, at }
      if (isNewer) newest.set(name, { list: number, at })
      if (hidden === undefined) continue
      const places = repeats.get(hidden.list)
      if (places === undefined) repeats.set(hidden.list, new Set([hidden.at]))
      else places.add(hidden.at)
    }
  }
  return repeats
}

/** The second part of a path into pages is the number of the page. */
function timeOf(list: Located['lists'][number] | undefined, readAt: readonly number[]): number {
  return readAt[Number(list?.path[1])] ?? 0
}
