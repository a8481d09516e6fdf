// An optimistic write: from the call until the subscriber's callback has the value, while nothing else is pending.
import { differsFrom, listLibraries, openAll } from '../harness/libraries.ts'
import { limitArray, limitRow } from '../harness/limits.ts'
import { alternate } from '../harness/measure.ts'
import type { Server } from '../harness/server.ts'
import { idOf } from '../harness/server.ts'
import type { Benchmark } from '../harness/types.ts'

/** The same work twice; what differs is what became of the write before. */
function ofList(name: string, title: string, answer: (server: Server) => Promise<void>): Benchmark {
  return {
    name,
    title,
    of: 'rows',
    sizes: [1_000, 10_000, 100_000],
    async measure(size) {
      const contenders = await openAll(await listLibraries(), { count: size }, (stage, library) => {
        const { server, subscriber, subject } = stage
        return {
          name: library,
          most: 60,
          run(n) {
            const at = n % size
            subscriber.expect(at, n)
            void subject.write({ id: idOf(at), n })
            return subscriber.wait()
          },
          after: () => answer(server),
          check: () => differsFrom(server, subscriber.shown),
        }
      })
      return alternate([limitArray(size), ...contenders])
    },
  }
}

export const optimisticList = ofList(
  'optimistic-list',
  'An optimistic update of one row, until the subscriber of the list has it; the write before was accepted',
  (server) => server.acceptAll(),
)

export const optimisticSameBase = ofList(
  'optimistic-same-base',
  'The same, where the write before was refused: what the server said has not changed',
  (server) => server.refuseAll(),
)

export const optimisticRow: Benchmark = {
  name: 'optimistic-row',
  title: 'An optimistic update of one row, until the subscriber of that row has it; the list is cached and not watched',
  of: 'cached rows',
  sizes: [1_000, 10_000, 100_000],
  async measure(size) {
    const id = idOf(size >> 1)
    const contenders = await openAll(
      (await listLibraries()).filter(({ name, hasRows }) => hasRows === true || name === 'query-core'),
      { count: size, watch: id },
      ({ server, subscriber, subject }, name) => ({
        name,
        most: 60,
        run(n) {
          subscriber.expect(0, n)
          void subject.write({ id, n })
          return subscriber.wait()
        },
        after: () => server.acceptAll(),
        check() {
          const said = server.rows[size >> 1]
          const shown = Array.isArray(subscriber.shown) ? undefined : subscriber.shown
          return (shown as typeof said)?.n === said?.n ? undefined : 'the row is not what the server has'
        },
      }),
    )
    return alternate([limitRow(size), ...contenders])
  },
}

const TOGETHER = 100

export const optimisticTurn: Benchmark = {
  name: 'optimistic-turn',
  title: `${TOGETHER} optimistic updates in one turn, for each of them, until the subscriber of the list has all; they were accepted before`,
  of: 'rows',
  sizes: [1_000, 5_000, 20_000],
  async measure(size) {
    const contenders = await openAll(await listLibraries(), { count: size }, (stage, name) => {
      const { server, subscriber, subject } = stage
      let turns = 0
      let calls = 0
      return {
        name,
        most: 4,
        times: TOGETHER,
        run(n) {
          const from = (n * TOGETHER) % size
          subscriber.expect(from + TOGETHER - 1, n)
          turns++
          calls -= subscriber.calls
          for (let each = 0; each < TOGETHER; each++) void subject.write({ id: idOf(from + each), n })
          return subscriber.wait()
        },
        after() {
          calls += subscriber.calls
          return server.acceptAll()
        },
        check: () => differsFrom(server, subscriber.shown),
        counts: () => ({ 'calls of the subscriber in a turn': calls / turns }),
      }
    })
    return alternate([{ ...limitArray(size, TOGETHER), times: TOGETHER }, ...contenders])
  },
}
