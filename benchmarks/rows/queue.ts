// The queue alone: writes that change nothing that is shown, accepted as they come, from the first call until all are
// accepted. What SWR does is no queue: it sends everything at once, and nothing again.
import { allLibraries } from '../harness/libraries.ts'
import { alternate } from '../harness/measure.ts'
import { createServer, idOf } from '../harness/server.ts'
import type { Library } from '../harness/subject.ts'
import { tidemarkStored } from '../harness/tidemark.ts'
import type { Benchmark, Contender } from '../harness/types.ts'

/** A Map and a promise each: what no queue that answers can do without. */
function limitQueue(size: number): Contender {
  return {
    name: 'limit-queue',
    times: size,
    async run() {
      const entries = new Map<number, Promise<number>>()
      for (let n = 0; n < size; n++) entries.set(n, Promise.resolve(n))
      for (const entry of entries.values()) await entry
    },
  }
}

function contenderOf(library: Library, size: number, scopeOf: (n: number) => string): Contender | undefined {
  const server = createServer(10)
  server.isOpen = true
  const queue = library.queue?.(server)
  if (queue === undefined) return undefined
  const last = new Map<string, number>()
  return {
    name: library.name,
    times: size,
    async run() {
      const writes: Promise<unknown>[] = []
      for (let n = 0; n < size; n++) {
        const id = idOf(n % 10)
        last.set(id, n)
        writes.push(queue.write({ id, n }, scopeOf(n)))
      }
      await Promise.all(writes)
    },
    check: () => (server.rows.every(({ id, n }) => last.get(id) === n) ? undefined : 'the order is lost'),
    close: queue.close,
  }
}

/** Beyond these, they take minutes: their queues are quadratic. */
const MOST: Readonly<Record<string, number>> = { 'one query-core': 10_000, 'one tidemark with a storage': 10_000 }

function queue(name: string, title: string, kind: 'one' | 'each'): Benchmark {
  return {
    name,
    title,
    of: 'writes',
    // Not yet further with a scope each: Tidemark is quadratic there, and would take minutes.
    sizes: kind === 'one' ? [1_000, 10_000, 100_000] : [1_000, 3_000, 10_000],
    async measure(size) {
      const all = await allLibraries()
      const libraries = [...all.slice(0, 1), tidemarkStored, ...all.slice(1)].filter(
        (each) => !each.name.includes(', '),
      )
      const contenders = libraries
        .filter((each) => size <= (MOST[`${kind} ${each.name}`] ?? size))
        .map((each) => contenderOf(each, size, (n) => (kind === 'one' ? 'one' : `scope ${n}`)))
      return alternate([limitQueue(size), ...contenders.filter((each) => each !== undefined)])
    },
  }
}

export const queueOneScope = queue(
  'queue-one-scope',
  'A queued write, all in one scope: recorded, sent in order, accepted',
  'one',
)

export const queueManyScopes = queue('queue-many-scopes', 'A queued write, each in a scope of its own', 'each')
