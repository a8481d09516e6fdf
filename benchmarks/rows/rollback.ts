// A write is refused: from the transport's rejection until the subscriber has the value from before.
import { differs, listLibraries, openAll } from '../harness/libraries.ts'
import { limitArray, limitRow } from '../harness/limits.ts'
import { alternate } from '../harness/measure.ts'
import type { Row } from '../harness/server.ts'
import { arrived, idOf, turn } from '../harness/server.ts'
import type { Benchmark } from '../harness/types.ts'

export const rollback: Benchmark = {
  name: 'rollback',
  title: 'One write is refused, until the subscriber of the list has the value from before',
  of: 'rows',
  sizes: [1_000, 10_000, 100_000],
  async measure(size) {
    const contenders = await openAll(await listLibraries(), { count: size }, async (stage, name) => {
      const { server, subscriber, subject } = stage
      let place = 0
      const prepare = async () => {
        await turn()
        await turn()
        place = (place + 1) % size
        subscriber.expect(place, -1)
        void subject.write({ id: idOf(place), n: -1 })
        await subscriber.wait()
        await arrived(server, 1)
      }
      await prepare()
      return {
        name,
        most: 60,
        run() {
          subscriber.expect(place, 0)
          server.calls[0]?.refuse()
          return subscriber.wait()
        },
        after: prepare,
        check: () => differs(stage),
      }
    })
    return alternate([limitArray(size), ...contenders])
  },
}

/** Rows of the list in which writes are pending. */
const COUNT = 4_000

export const middleFails: Benchmark = {
  name: 'middle-fails',
  title: `The middle one of many pending writes is refused, in a list of ${COUNT} rows, until the subscriber has the value from before`,
  of: 'pending writes',
  sizes: [100, 1_000, 4_000],
  async measure(size) {
    const libraries = (await listLibraries()).filter(
      // Replicache's server answers the writes of a client in their order.
      ({ name, mostPending = size }) => mostPending >= size && name !== 'Replicache',
    )
    const contenders = await openAll(libraries, { count: COUNT }, async ({ server, subscriber, subject }, name) => {
      const write = async (at: number) => {
        subscriber.expect(at, at + 1)
        void subject.write({ id: idOf(at), n: at + 1 })
        await subscriber.wait()
      }
      for (let at = 0; at < size; at++) await write(at)
      await arrived(server, size)
      let place = 0
      return {
        name,
        most: 20,
        run() {
          const call = server.calls[size >> 1]
          place = (call?.change.n ?? 0) - 1
          subscriber.expect(place, 0)
          call?.refuse()
          return subscriber.wait()
        },
        async after() {
          await write(place)
          await arrived(server, size)
        },
        check() {
          const rows = Array.isArray(subscriber.shown) ? (subscriber.shown as Row[]) : []
          const lost = server.calls.filter(({ change: { n } }) => rows[n - 1]?.n !== n).length
          return lost === 0 ? undefined : `${lost} of ${size} pending writes are not shown any more`
        },
      }
    })
    return alternate([limitRow(COUNT), ...contenders])
  },
}
