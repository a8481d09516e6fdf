// Data that arrives for one of many watched queries: who is called, and how soon.
import { allLibraries } from '../harness/libraries.ts'
import { limitRow } from '../harness/limits.ts'
import { alternate } from '../harness/measure.ts'
import type { Row } from '../harness/server.ts'
import { makeRows } from '../harness/server.ts'
import { openStream } from '../harness/stream.ts'
import type { Subscriber } from '../harness/subscriber.ts'
import { createSubscriber } from '../harness/subscriber.ts'
import type { Benchmark, Contender } from '../harness/types.ts'

const SIZES = [100, 1_000, 10_000] as const

/** Counts the calls: somebody else than whose data it is should not hear of it. */
function watching(subscriber: Subscriber) {
  let changes = 0
  let calls = 0
  return {
    expect(n: number) {
      changes++
      subscriber.expect(0, n)
    },
    show(row: Row) {
      if (changes > 0) calls++
      subscriber.show(row)
    },
    counts: () => ({ 'calls of subscribers for a change': calls / changes }),
  }
}

export const setQueryData: Benchmark = {
  name: 'set-query-data',
  title: 'Data is set for one of many queries, each with a subscriber, until its subscriber has it',
  of: 'queries',
  sizes: SIZES,
  async measure(size) {
    const contenders: Contender[] = []
    for (const library of await allLibraries()) {
      const queries = library.queries?.(size)
      if (queries === undefined) continue
      const subscriber = createSubscriber()
      const watched = watching(subscriber)
      const rows = makeRows(size)
      rows.forEach((row, at) => {
        queries.set(at, row)
        queries.watch(at, watched.show)
      })
      contenders.push({
        name: library.name,
        run(n) {
          const at = n % size
          watched.expect(n)
          queries.set(at, { ...(rows[at] as Row), n })
          return subscriber.wait()
        },
        counts: watched.counts,
      })
    }
    return alternate([limitRow(size), ...contenders])
  },
}

export const invalidate: Benchmark = {
  name: 'invalidate',
  title: 'One of many watched queries is marked as stale by `invalidateQueries`; nothing is read',
  of: 'queries',
  sizes: SIZES,
  async measure(size) {
    const contenders: Contender[] = []
    for (const library of await allLibraries()) {
      if (library.name.includes(', ')) continue
      const queries = library.queries?.(size)
      if (queries?.invalidate === undefined) continue
      makeRows(size).forEach((row, at) => {
        queries.set(at, row)
        queries.watch(at, () => {})
      })
      contenders.push({
        name: library.name,
        run: (n) => queries.invalidate?.(n % size),
        after: () => undefined,
      })
    }
    return alternate(contenders)
  },
}

export const pushStream: Benchmark = {
  name: 'push-stream',
  title:
    'An event of the stream changes one of many queries, each with a subscriber: from its bytes until the subscriber has it',
  of: 'queries',
  sizes: SIZES,
  async measure(size) {
    const subscriber = createSubscriber()
    const watched = watching(subscriber)
    const stream = await openStream(size, watched.show)
    const rows = makeRows(size)
    return alternate([
      limitRow(size),
      {
        name: 'tidemark',
        run(n) {
          const row = { ...(rows[n % size] as Row), n }
          watched.expect(n)
          stream.send('patch', { changes: [{ op: 'put', type: 'row', id: row.id, version: n, value: row }] })
          return subscriber.wait()
        },
        counts: watched.counts,
        close: stream.close,
      },
    ])
  },
}

export const invalidateStream: Benchmark = {
  name: 'invalidate-stream',
  title: 'An event of the stream marks one of many watched queries as stale, until the cache says so; nothing is read',
  of: 'queries',
  sizes: SIZES,
  async measure(size) {
    let heard: (() => void) | undefined
    const stream = await openStream(size, () => {})
    stream.queryCache.subscribe(({ type, query }) => {
      if (type === 'updated' && query.state.isInvalidated) heard?.()
    })
    const contender: Contender = {
      name: 'tidemark',
      run(n) {
        const hears = new Promise<void>((resolve) => {
          heard = resolve
        })
        stream.send('invalidate', { keys: [['row', n % size]] })
        return hears
      },
      after(n) {
        heard = undefined
        stream.renew(n % size)
      },
      close: stream.close,
    }
    return alternate([limitRow(size), contender])
  },
}
