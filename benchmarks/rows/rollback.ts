// A write is refused: from the transport's rejection until the subscriber has the value from before.
import { allLibraries, differsFrom, openAll } from '../harness/libraries.ts'
import { limitArray } from '../harness/limits.ts'
import { alternate } from '../harness/measure.ts'
import { idOf, turn } from '../harness/server.ts'
import type { Benchmark } from '../harness/types.ts'

export const rollback: Benchmark = {
  name: 'rollback',
  title: 'One write is refused, until the subscriber of the list has the value from before',
  of: 'rows',
  sizes: [1_000, 10_000, 100_000],
  async measure(size) {
    const contenders = await openAll(await allLibraries(), { count: size }, async (stage, name) => {
      const { server, subscriber, subject } = stage
      let place = 0
      const prepare = async () => {
        for (let quiet = 0; quiet < 2; quiet++) await turn()
        place = (place + 1) % size
        subscriber.expect(place, -1)
        void subject.write({ id: idOf(place), n: -1 })
        await subscriber.wait()
        while (server.calls.length === 0) await turn()
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
        async check() {
          await server.acceptAll()
          return differsFrom(server, subscriber.shown)
        },
      }
    })
    return alternate([limitArray(size), ...contenders])
  },
}
