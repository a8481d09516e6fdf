// The floors: what no list that is replaced, and no store of rows, can do without. `limit-array` copies the pointers of the
// list, copies the rows that changed and makes one call; `limit-row` looks a row up, copies it, puts it back and makes one call.
import type { Row } from './server.ts'
import { makeRows } from './server.ts'
import type { Contender } from './types.ts'

export function limitArray(count: number, changed = 1): Contender {
  let rows = makeRows(count)
  const call = (next: Row[]) => {
    rows = next
  }
  return {
    name: 'limit-array',
    run(n) {
      const next = rows.slice()
      for (let each = 0; each < changed; each++) {
        const at = (n + each) % count
        next[at] = { ...(next[at] as Row), n }
      }
      call(next)
    },
    check: () => (rows.length === count ? undefined : 'the list is not whole'),
  }
}

export function limitRow(count: number): Contender {
  const rows = new Map(makeRows(count).map((row) => [row.id, row]))
  const ids = [...rows.keys()]
  let last: Row | undefined
  const call = (row: Row) => {
    last = row
  }
  return {
    name: 'limit-row',
    run(n) {
      const id = ids[n % count] as string
      const row = { ...(rows.get(id) as Row), n }
      rows.set(id, row)
      call(row)
    },
    check: () => (last === undefined ? 'nobody was called' : undefined),
  }
}
