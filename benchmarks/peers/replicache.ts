// Replicache in memory: a mutator, a push to the server of the benchmarks, and a pull that brings what was accepted and which
// mutation is the last one that the server has seen. It answers its mutations in their order.
import type { ReadonlyJSONObject, WriteTransaction } from 'replicache'
import { Replicache } from 'replicache'
import type { Change, Row, Server } from '../harness/server.ts'
import type { Library, Subject } from '../harness/subject.ts'

const fine = { httpStatusCode: 200, errorMessage: '' }
const asValue = (row: Row) => row as unknown as ReadonlyJSONObject

/** What a pull has not brought yet. */
interface Log {
  changed: Row[]
  lastMutationIDs: Record<string, number>
  cookie: number
}

let names = 0

/** Sends what a push brings for the first time, in its order, and asks for a pull after each outcome. */
function pusherOf(server: Server, log: Log, pull: () => void) {
  const seen = new Map<string, number>()
  return async (request: { pushVersion: number }) => {
    if (!('mutations' in request)) return { httpRequestInfo: fine }
    const { mutations } = request as unknown as { mutations: { clientID: string; id: number; args: Change }[] }
    for (const { clientID, id, args } of mutations) {
      if (id <= (seen.get(clientID) ?? 0)) continue
      seen.set(clientID, id)
      const ended = (row?: Row) => {
        if (row !== undefined) log.changed.push(row)
        log.lastMutationIDs[clientID] = id
        pull()
      }
      server.send({ id: args.id, n: args.n }).then(ended, () => ended())
    }
    return { httpRequestInfo: fine }
  }
}

export const replicache: Library = {
  name: 'Replicache',
  hasRows: true,
  most: 100_000,
  mostPending: 1_000,
  async open({ server, show, watch }): Promise<Subject> {
    const log: Log = { changed: [...server.rows], lastMutationIDs: {}, cookie: 0 }
    const client = new Replicache({
      name: `benchmark-${names++}`,
      kvStore: 'mem',
      logLevel: 'error',
      pushDelay: 0,
      pullInterval: null,
      requestOptions: { minDelayMs: 0 },
      mutators: {
        async change(tx: WriteTransaction, { id, n }: { id: string; n: number }) {
          const row = (await tx.get(id)) as ReadonlyJSONObject | undefined
          if (row !== undefined) await tx.set(id, { ...row, n })
        },
      },
      pusher: pusherOf(server, log, () => void client.pull({ now: true })),
      async puller() {
        const { changed, lastMutationIDs } = log
        log.changed = []
        log.lastMutationIDs = {}
        const patch = changed.map((row) => ({ op: 'put' as const, key: row.id, value: asValue(row) }))
        return {
          httpRequestInfo: fine,
          response: { cookie: ++log.cookie, lastMutationIDChanges: lastMutationIDs, patch },
        }
      },
    })
    await client.pull({ now: true })
    const read = (rows: unknown) => show(rows as readonly Row[] | Row)
    if (watch === undefined) client.subscribe((tx) => tx.scan().values().toArray(), read)
    else client.subscribe((tx) => tx.get(watch), read)
    for (let at = 0; at < 10; at++) await new Promise((resolve) => setTimeout(resolve, 10))
    return {
      write: ({ id, n }) => client.mutate.change({ id, n }),
      refetch() {
        log.changed = [...server.rows]
        return client.pull({ now: true })
      },
      close: () => void client.close(),
    }
  },
}
