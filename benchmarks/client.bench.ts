// What a write, a rollback, a refresh and a push cost, as ratios to what no immutable list can beat: a copy of its
// pointers, one changed row and one call. All measured in one process, in alternating blocks; the median of the blocks.
import { performance } from 'node:perf_hooks'
import { createQueryStore, createSyncClient, defineMutation, entity, QueryClient, queryOptions } from 'tidemark'
import { test } from 'vitest'

interface Row {
  id: string
  n: number
}
const row = entity<Row>('row')
const never = () => new Promise<never>(() => {})
const quiet = { development: false, fetch: never }
const rowsQuery = queryOptions({
  queryKey: ['rows'],
  queryFn: (): Promise<Row[]> => never(),
  rows: [row, (rows) => rows, { where: () => true }],
})
const change = defineMutation({
  mutationKey: ['change'],
  mutationFn: (_: { id: string; n: number }) => never(),
  optimistic: (view, { id, n }) =>
    view.row(row, id).update((draft) => {
      draft.n = n
    }),
  scope: ({ id }) => ({ id }),
})

const makeRows = (count: number): Row[] => Array.from({ length: count }, (_, at) => ({ id: `r${at}`, n: 0 }))

function makeClient(count: number) {
  const sync = createSyncClient({ queryClient: new QueryClient(), mutations: [change], platform: quiet })
  sync.queryClient.setQueryDefaults(['rows'], rowsQuery as never)
  sync.queryClient.setQueryData(['rows'], makeRows(count) as never)
  let seen: unknown
  createQueryStore(sync, rowsQuery).subscribe(({ data }) => {
    seen = data
  })
  sync.mutate(change, { id: 'r0', n: -1 })
  return { sync, seen: () => seen }
}

/** Microseconds per run of each, the median over blocks that take turns. */
function compare(blocks: number, runs: number, named: Record<string, (n: number) => void>): Record<string, number> {
  const times = Object.fromEntries(Object.keys(named).map((name) => [name, [] as number[]]))
  let n = 0
  for (let block = 0; block < blocks; block++) {
    for (const [name, run] of Object.entries(named)) {
      const start = performance.now()
      for (let each = 0; each < runs; each++) run(++n)
      times[name]?.push(((performance.now() - start) * 1000) / runs)
    }
  }
  return Object.fromEntries(
    Object.entries(times).map(([name, list]) => [name, list.sort((a, b) => a - b)[list.length >> 1] ?? 0]),
  )
}

function report(title: string, limit: number, ours: number, note = ''): void {
  console.info(
    `${title}: ${ours.toFixed(1)} µs, limit ${limit.toFixed(1)} µs, ratio ${(ours / limit).toFixed(1)}${note}`,
  )
}

function limitArray(count: number): (n: number) => void {
  let rows = makeRows(count)
  const call = (next: Row[]) => {
    rows = next
  }
  return (n) => {
    const next = rows.slice()
    next[n % count] = { ...(rows[n % count] as Row), n }
    call(next)
  }
}

test('an optimistic update and its rollback', () => {
  for (const count of [2_000, 10_000, 100_000]) {
    const { sync } = makeClient(count)
    let handle = sync.mutate(change, { id: 'r1', n: 0 })
    const result = compare(15, 40, {
      limit: limitArray(count),
      update: (n) => {
        handle = sync.mutate(change, { id: `r${n % count}`, n })
        times.push(handle)
      },
      rollback: () => times.shift()?.cancel(),
    })
    report(`update 1 of ${count}`, result['limit'] ?? 0, result['update'] ?? 0)
    report(`roll back 1 of ${count}`, result['limit'] ?? 0, result['rollback'] ?? 0)
  }
})
const times: Array<{ cancel(): boolean }> = []

test('a refresh under pending changes', () => {
  for (const pending of [100, 1_000]) {
    const { sync } = makeClient(2_000)
    for (let at = 0; at < pending; at++) sync.mutate(change, { id: `r${at}`, n: at + 1 })
    const fresh = Array.from({ length: 100 }, () => makeRows(2_000))
    let at = 0
    const result = compare(20, 2, {
      limit: () => {
        const copy = (fresh[0] ?? []).slice()
        for (let each = 0; each < pending; each++) copy[each] = { ...(copy[each] as Row), n: each + 1 }
      },
      refresh: () => sync.queryClient.setQueryData(['rows'], fresh[at++ % 100] as never),
    })
    report(`refresh of 2000 rows with ${pending} pending`, result['limit'] ?? 0, result['refresh'] ?? 0)
  }
})

test('the queue', () => {
  for (const count of [1_000, 10_000]) {
    const { sync } = makeClient(10)
    const start = performance.now()
    for (let n = 0; n < count; n++) sync.mutate(change, { id: `r${n % 10}`, n })
    console.info(`${count} mutations recorded: ${(((performance.now() - start) * 1000) / count).toFixed(1)} µs each`)
  }
})
