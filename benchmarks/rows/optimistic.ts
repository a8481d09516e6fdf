// An optimistic write: from the call until the subscriber's callback has the value, while nothing else is pending.
import { differs, listLibraries, openAll } from '../harness/libraries.ts'
import { limitArray, limitRow } from '../harness/limits.ts'
import { alternate } from '../harness/measure.ts'
import type { Server } from '../harness/server.ts'
import { arrived, idOf } from '../harness/server.ts'
import type { Benchmark } from '../harness/types.ts'

/** The write has arrived, and is accepted. */
async function answered(server: Server): Promise<void> {
  await arrived(server, 1)
  await server.acceptAll()
}

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
          check: () => differs(stage),
        }
      })
      return alternate([limitArray(size), ...contenders])
    },
  }
}

export const optimisticList = ofList(
  'optimistic-list',
  'An optimistic update of one row, until the subscriber of the list has it; the write before was accepted',
  answered,
)

export const optimisticSameBase = ofList(
  'optimistic-same-base',
  'The same, where the write before was refused: what the server said has not changed',
  async (server) => {
    await arrived(server, 1)
    await server.refuseAll()
  },
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
      (stage, name) => ({
        name,
        most: 60,
        run(n) {
          stage.subscriber.expect(0, n)
          void stage.subject.write({ id, n })
          return stage.subscriber.wait()
        },
        after: () => answered(stage.server),
        check: () => differs(stage),
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
    const libraries = (await listLibraries()).filter(({ mostPending = TOGETHER }) => mostPending >= TOGETHER)
    const contenders = await openAll(libraries, { count: size }, (stage, name) => {
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
          return answered(server)
        },
        check: () => differs(stage),
        counts: () => ({ 'calls of the subscriber in a turn': calls / turns }),
      }
    })
    return alternate([{ ...limitArray(size, TOGETHER), times: TOGETHER }, ...contenders])
  },
}
