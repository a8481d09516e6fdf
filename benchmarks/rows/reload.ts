// Beginning again: a page that is loaded with thousands of writes in its storage, and a stream that can not go on where it was.
import type { ClientStorage } from 'tidemark'
import {
  createQueryStore,
  createSyncClient,
  memoryStorage,
  QueryClient,
  QueryObserver,
  queryOptions,
  syncStream,
} from 'tidemark'
import { alternate } from '../harness/measure.ts'
import type { Row } from '../harness/server.ts'
import { createServer, idOf, makeRows, turn } from '../harness/server.ts'
import { streamBody } from '../harness/stream.ts'
import { changeOf, rowsQuery } from '../harness/tidemark.ts'
import type { Benchmark, Contender } from '../harness/types.ts'

async function storedWrites(size: number): Promise<ClientStorage> {
  const storage = memoryStorage()
  const server = createServer(size)
  const change = changeOf(server, ({ id }) => id)
  const before = createSyncClient({ mutations: [change], storage })
  before.pause()
  before.start()
  await before.ready
  let last: Promise<unknown> | undefined
  for (let at = 0; at < size; at++) last = before.mutate(change, { id: idOf(at), n: at + 1 }).durable
  await last
  await before.close({ outbox: 'keep' })
  return storage
}

export const reload: Benchmark = {
  name: 'reload',
  title:
    'A client is made over a storage with waiting writes, until a list of as many rows shows all of them; for each write',
  of: 'writes',
  sizes: [1_000, 3_000, 10_000],
  async measure(size) {
    const storage = await storedWrites(size)
    const texts = (await storage.list('')).map(([, text]) => text)
    let shown: readonly Row[] = []
    let stop: (() => Promise<unknown>) | undefined
    const ours: Contender = {
      name: 'tidemark',
      times: size,
      async run() {
        const server = createServer(size)
        const sync = createSyncClient({ mutations: [changeOf(server, ({ id }) => id)], storage })
        sync.pause()
        sync.queryClient.setQueryDefaults(['rows'], rowsQuery(server) as never)
        sync.queryClient.setQueryData(['rows'], server.rows.slice())
        sync.start()
        await sync.ready
        shown = (sync.getView(['rows']) as Row[] | undefined) ?? []
        stop = () => sync.close({ outbox: 'keep' })
      },
      after: async () => void (await stop?.()),
      check: () =>
        shown.length === size && shown.every(({ n }, at) => n === at + 1) ? undefined : 'not all writes are shown',
    }
    const parse: Contender = {
      name: 'limit-parse',
      times: size,
      run() {
        for (const text of texts) JSON.parse(text)
      },
    }
    return alternate([parse, ours])
  },
}

interface Opened {
  begin(): void
  close(): void
}

/** Opens a client for each run, because resyncs that follow one another are spread over time, as they should be. */
function again(
  name: string,
  size: number,
  open: (read: (at: number) => Promise<Row>, show: (at: number, row: Row) => void) => Promise<Opened>,
): Contender {
  const rows = makeRows(size)
  let round = 0
  let missing = size
  let resolve: (() => void) | undefined
  let opened: Opened | undefined
  const seen = new Array<number>(size).fill(-1)
  const read = (at: number) => Promise.resolve({ ...(rows[at] as Row), n: round })
  const show = (at: number, { n }: Row) => {
    if (n !== round || seen[at] === round) return
    seen[at] = round
    if (--missing === 0) resolve?.()
  }
  const prepare = async () => {
    opened?.close()
    opened = await open(read, show)
  }
  return {
    name,
    most: 1,
    times: size,
    async run() {
      if (opened === undefined) await prepare()
      round++
      missing = size
      const done = new Promise<void>((settle, reject) => {
        setTimeout(() => reject(new Error(`${missing} of ${size} queries were not read again`)), 10_000).unref()
        resolve = settle
      })
      opened?.begin()
      await done
    },
    after: prepare,
    close: () => opened?.close(),
  }
}

const oneOfMany = (at: number, read: (at: number) => Promise<Row>) =>
  queryOptions({ queryKey: ['row', at], queryFn: () => read(at), staleTime: Number.POSITIVE_INFINITY })

export const resync: Benchmark = {
  name: 'resync',
  title:
    'The stream says that all is stale: watched queries are read again, for each, until all subscribers have the new data',
  of: 'queries',
  sizes: [100, 1_000, 4_000],
  measure: (size) =>
    alternate([
      again('tidemark', size, async (read, show) => {
        const { fetch, send } = streamBody()
        const sync = createSyncClient({
          stream: syncStream({ url: 'https://api.example/sync', heartbeat: false }),
          platform: { fetch },
        })
        for (let at = 0; at < size; at++)
          createQueryStore(sync, oneOfMany(at, read)).subscribe(({ data }) => data && show(at, data))
        sync.start()
        for (let turns = 0; turns < 5; turns++) await turn()
        return {
          begin: () => send('hello', { protocol: 1, epoch: 'e', resume: 'fresh', cursor: 'e:0' }),
          close: () => void sync.close(),
        }
      }),
      again('query-core', size, async (read, show) => {
        const client = new QueryClient()
        for (let at = 0; at < size; at++)
          new QueryObserver(client, oneOfMany(at, read) as never).subscribe(({ data }) => data && show(at, data as Row))
        for (let turns = 0; turns < 5; turns++) await turn()
        return { begin: () => void client.invalidateQueries(), close: () => client.clear() }
      }),
    ]),
}
