// Bytes on the heap, after the garbage is collected: of a cached query, of a client that does nothing, of a write that waits,
// and of a client through whose queue a hundred thousand writes have gone.
import { createQueryStore, createSyncClient, QueryClient, QueryObserver } from 'tidemark'
import { bytesOf, heapUsed, inBytes } from '../harness/heap.ts'
import { allLibraries } from '../harness/libraries.ts'
import type { Row } from '../harness/server.ts'
import { arrived, createServer, idOf, makeRows } from '../harness/server.ts'
import { oneOf, tidemark } from '../harness/tidemark.ts'
import type { Benchmark } from '../harness/types.ts'

type Put = (at: number, row: Row) => void

/** Makes a cache, fills it, and keeps it. */
async function bytesOfEach(count: number, open: () => { put: Put }): Promise<number> {
  const rows = makeRows(count)
  open().put(0, rows[0] as Row) // what is made once is not counted
  return bytesOf(count, () => {
    const cache = open()
    rows.forEach((row, at) => {
      cache.put(at, row)
    })
    return cache
  })
}

const queries = (isWatched: boolean): Benchmark => ({
  name: isWatched ? 'memory-watched-query' : 'memory-cached-query',
  title: `Heap of one ${isWatched ? 'watched' : 'cached'} query, without its data`,
  of: 'queries',
  sizes: [1_000, 5_000, 10_000],
  async measure(size) {
    const map = await bytesOfEach(size, () => {
      const entries = new Map<string, { row: Row; listeners?: Set<() => void> }>()
      return {
        put: (at, row) =>
          void entries.set(`row ${at}`, isWatched ? { row, listeners: new Set([() => void row]) } : { row }),
      }
    })
    // The product's own copy of query-core: what Tidemark stands on.
    const plain = await bytesOfEach(size, () => {
      const client = new QueryClient()
      return {
        put(at, row) {
          client.setQueryData(['row', at], row)
          if (isWatched) new QueryObserver(client, { queryKey: ['row', at], enabled: false }).subscribe(() => {})
        },
      }
    })
    const ours = await bytesOfEach(size, () => {
      const sync = createSyncClient()
      return {
        put(at, row) {
          sync.queryClient.setQueryData(oneOf(at).queryKey, row)
          if (isWatched) createQueryStore(sync, oneOf(at)).subscribe(() => {})
        },
      }
    })
    const figures = [
      inBytes('limit-map', map),
      inBytes('query-core', plain),
      inBytes('tidemark', ours),
      inBytes('tidemark beyond query-core', ours - plain),
    ]
    for (const library of await allLibraries()) {
      const open = library.queries?.bind(library)
      if (open === undefined || library === tidemark || library.name.startsWith('query-core')) continue
      const value = await bytesOfEach(size, () => {
        const cache = open(size)
        return {
          put(at, row) {
            cache.set(at, row)
            if (isWatched) cache.watch(at, () => {})
          },
        }
      })
      figures.push(inBytes(library.name, value))
    }
    return figures
  },
})

export const memoryCachedQuery = queries(false)
export const memoryWatchedQuery = queries(true)

export const memoryClient: Benchmark = {
  name: 'memory-client',
  title: 'Heap of one client that was started and does nothing',
  of: 'clients',
  sizes: [10, 100, 1_000],
  async measure(size) {
    const make = <T>(open: () => T) => {
      open()
      return bytesOf(size, () => Array.from({ length: size }, open))
    }
    const plain = await make(() => {
      const client = new QueryClient()
      client.mount()
      return client
    })
    const ours = await make(() => {
      const sync = createSyncClient()
      sync.start()
      return sync
    })
    return [inBytes('query-core', plain), inBytes('tidemark', ours)]
  },
}

export const memoryPendingWrite: Benchmark = {
  name: 'memory-pending-write',
  title: 'Heap of one optimistic write that waits for its answer, in a watched list of 10 000 rows',
  of: 'writes',
  sizes: [100, 1_000, 4_000],
  async measure(size) {
    const server = createServer(10_000)
    const subject = await tidemark.open({ server, show: () => {} })
    void subject.write({ id: idOf(9_999), n: 1 })
    await arrived(server, 1)
    const value = await bytesOf(size, async () => {
      for (let at = 0; at < size; at++) void subject.write({ id: idOf(at), n: at })
      await arrived(server, size + 1)
      return subject
    })
    return [inBytes('tidemark', value)]
  },
}

export const memoryWrites: Benchmark = {
  name: 'memory-writes',
  title: 'What the heap of a client has grown by when so many writes have gone through its queue',
  of: 'writes',
  sizes: [1_000, 10_000, 100_000],
  async measure(size) {
    const server = createServer(10)
    server.isOpen = true
    const queue = tidemark.queue?.(server)
    const send = async (count: number) => {
      for (let sent = 0; sent < count; sent += 500)
        await Promise.all(Array.from({ length: 500 }, (_, n) => queue?.write({ id: idOf(n % 10), n }, 'one')))
    }
    await send(1_000)
    const before = heapUsed()
    await send(size)
    return [inBytes('tidemark', Math.max(0, heapUsed() - before))]
  },
}
