// A sync stream without a network: the client's `fetch` is answered with a body that the benchmark writes.
import type { QueryCache } from 'tidemark'
import { createQueryStore, createSyncClient, syncStream } from 'tidemark'
import type { Row } from './server.ts'
import { makeRows, turn } from './server.ts'
import { oneOf } from './tidemark.ts'

export interface OpenedStream {
  /** Sends an event that follows the one before. */
  send(event: string, data: object): void
  /** Sets the query's data again, so that it is not stale any more. */
  renew(at: number): void
  readonly queryCache: QueryCache
  close(): void
}

/** The body of a stream, and what the client's `fetch` is to be. */
export function streamBody(): { fetch: typeof fetch; send(event: string, data: object, id?: string): void } {
  const encoder = new TextEncoder()
  let body: ReadableStreamDefaultController<Uint8Array> | undefined
  return {
    fetch: async () =>
      new Response(
        new ReadableStream({
          start(controller) {
            body = controller
          },
        }),
        { headers: { 'content-type': 'text/event-stream' } },
      ),
    send(event, data, id) {
      const position = id === undefined ? '' : `id: ${id}\n`
      body?.enqueue(encoder.encode(`event: ${event}\n${position}data: ${JSON.stringify(data)}\n\n`))
    },
  }
}

/** A client with so many queries, each with a subscriber, and an open stream. */
export async function openStream(count: number, show: (row: Row) => void): Promise<OpenedStream> {
  const { fetch, send } = streamBody()
  const sync = createSyncClient({
    stream: syncStream({ url: 'https://api.example/sync', heartbeat: false }),
    platform: { fetch },
  })
  sync.start()
  await turn()
  send('hello', { protocol: 1, epoch: 'e', resume: 'fresh', cursor: 'e:0' })
  for (let turns = 0; sync.status.getState().stream !== 'open'; turns++) {
    if (turns > 200) throw new Error(`the stream is ${sync.status.getState().stream}`)
    await turn()
  }
  const rows = makeRows(count)
  rows.forEach((row, at) => {
    sync.queryClient.setQueryData(oneOf(at).queryKey, row)
    createQueryStore(sync, oneOf(at)).subscribe(({ data }) => data && show(data))
  })
  await turn()
  let position = 0
  return {
    send(event, data) {
      const prev = `e:${position++}`
      send(event, { prev, ...data }, `e:${position}`)
    },
    renew: (at) => void sync.queryClient.setQueryData(oneOf(at).queryKey, { ...(rows[at] as Row) }),
    queryCache: sync.queryClient.getQueryCache(),
    close: () => void sync.close(),
  }
}
