// A list is read again while writes are pending: until the subscriber has what the server says, with the writes on it.

import type { Stage } from '../harness/libraries.ts'
import { listLibraries, openAll } from '../harness/libraries.ts'
import { limitArray } from '../harness/limits.ts'
import { alternate } from '../harness/measure.ts'
import type { Row } from '../harness/server.ts'
import { arrived, idOf } from '../harness/server.ts'
import type { Library } from '../harness/subject.ts'
import type { Benchmark } from '../harness/types.ts'

const COUNT = 2_000

function refresh(
  name: string,
  title: string,
  begin: (stage: Stage) => void,
  canDo: (library: Library) => boolean = () => true,
): Benchmark {
  return {
    name,
    title,
    of: 'pending writes',
    sizes: [10, 100, 1_000],
    async measure(size) {
      const libraries = (await listLibraries()).filter((each) => size <= (each.mostPending ?? size) && canDo(each))
      const contenders = await openAll(libraries, { count: COUNT }, async (stage, library) => {
        const { server, subscriber, subject } = stage
        for (let at = 0; at < size; at++) void subject.write({ id: idOf(at), n: at + 1 })
        await arrived(server, size)
        server.renew()
        return {
          name: library,
          most: 20,
          run() {
            subscriber.expect(COUNT - 1, server.rows.at(-1)?.title ?? '', 'title')
            begin(stage)
            return subscriber.wait()
          },
          after: () => server.renew(),
          check: () => problemOf(stage, size),
        }
      })
      return alternate([limitArray(COUNT, size), ...contenders])
    },
  }
}

function problemOf({ subscriber }: Stage, size: number): string | undefined {
  const rows = Array.isArray(subscriber.shown) ? (subscriber.shown as Row[]) : []
  const lost = Array.from({ length: size }, (_, at) => at).filter((at) => rows[at]?.n !== at + 1).length
  if (lost > 0) return `${lost} of ${size} pending writes are not shown any more`
  return rows.length === COUNT && rows.slice(size).every(({ n }) => n === 0) ? undefined : 'not what the server has'
}

export const refreshRefetch = refresh(
  'refresh-refetch',
  `A list of ${COUNT} rows is read again under pending writes, until the subscriber has all of it`,
  ({ subject }) => void subject.refetch?.(),
)

export const refreshData = refresh(
  'refresh-data',
  'The same, with the data handed in',
  ({ subject, server }) => subject.handIn?.(server.rows.slice()),
  ({ name }) => name !== 'Replicache', // it reads, or is sent what is new
)
