// A list that says how it is made (`where`, `orderBy`), beside the same list without a rule: what a row costs that stays,
// leaves, enters or moves. Each write is refused before the next one, so that all begin with the same list.
import { createQueryStore, createSyncClient, defineMutation, entity, queryOptions } from 'tidemark'
import { limitArray } from '../harness/limits.ts'
import { alternate } from '../harness/measure.ts'
import type { Row, Server } from '../harness/server.ts'
import { createServer } from '../harness/server.ts'
import type { Benchmark, Contender } from '../harness/types.ts'

const rowEntity = entity<Row>('row')
const isOpen = ({ done }: Row) => !done
const byRank = (a: Row, b: Row) => a.rank - b.rank

interface Case {
  readonly name: string
  readonly isDeclared: boolean
  /** What the write makes of the row in the middle, or the row that it brings. */
  change(middle: Row, n: number): Row
  /** Whether the list shows it. */
  isShown(list: readonly Row[], changed: Row, size: number): boolean
}

const CASES: readonly Case[] = [
  {
    name: 'plain list',
    isDeclared: false,
    change: (row, n) => ({ ...row, n }),
    isShown: (list, { n }, size) => list[size >> 1]?.n === n,
  },
  {
    name: 'in place',
    isDeclared: true,
    change: (row, n) => ({ ...row, n }),
    isShown: (list, { n }, size) => list[size >> 1]?.n === n,
  },
  {
    name: 'leaves',
    isDeclared: true,
    change: (row) => ({ ...row, done: true }),
    isShown: (list, _row, size) => list.length === size - 1,
  },
  {
    name: 'enters',
    isDeclared: true,
    change: (row, n) => ({ ...row, id: `new ${n}`, rank: row.rank + 0.5 }),
    isShown: (list, { id }, size) => list.length === size + 1 && list[(size >> 1) + 1]?.id === id,
  },
  {
    name: 'moves',
    isDeclared: true,
    change: (row) => ({ ...row, rank: -1 }),
    isShown: (list, { id }, size) => list.length === size && list[0]?.id === id,
  },
]

function contenderOf({ name, isDeclared, change, isShown }: Case, size: number): Contender {
  const server: Server = createServer(size)
  const rows = queryOptions({
    queryKey: ['rows'],
    queryFn: () => server.read(),
    rows: isDeclared ? [rowEntity, (all) => all, { where: isOpen, orderBy: byRank }] : [rowEntity, (all) => all],
    staleTime: Number.POSITIVE_INFINITY,
    enabled: false,
  })
  const put = defineMutation({
    mutationKey: ['rows', 'put'],
    mutationFn: ({ id, n }: Row) => server.send({ id, n }),
    optimistic: (view, row) => view.upsert(rowEntity, row),
    scope: ({ id }) => ({ id }),
  })
  const sync = createSyncClient({ mutations: [put] })
  sync.start()
  sync.queryClient.setQueryDefaults(rows.queryKey, rows as never)
  sync.queryClient.setQueryData(rows.queryKey, server.rows.slice())
  let list: readonly Row[] = []
  createQueryStore(sync, rows).subscribe(({ data }) => {
    list = data ?? []
  })
  const middle = server.rows[size >> 1] as Row
  let wrong = 0
  let last = middle
  return {
    name,
    most: 40,
    run(n) {
      last = change(middle, n)
      sync.mutate(put, last)
    },
    async after() {
      if (!isShown(list, last, size)) wrong++
      await server.refuseAll()
    },
    check() {
      if (wrong > 0) return `${wrong} times not shown where it belongs`
      return list.length === size && list[size >> 1]?.n === 0 ? undefined : 'it was not taken back'
    },
    close: () => void sync.close({ outbox: 'discard' }),
  }
}

export const declaredList: Benchmark = {
  name: 'declared-list',
  title: 'An optimistic write of a row in a list with `where` and `orderBy`, beside the same list without a rule',
  of: 'rows',
  sizes: [1_000, 10_000, 100_000],
  measure: (size) => alternate([...CASES.map((each) => contenderOf(each, size)), limitArray(size)]),
}
