// Tidemark and the peers, as contenders for the rows about optimistic writes. The peers are loaded by an address that the
// compiler does not follow, because they are installed apart from the product (`benchmarks/peers`).

import type { Server } from './server.ts'
import { createServer } from './server.ts'
import type { Library, Subject } from './subject.ts'
import type { Subscriber } from './subscriber.ts'
import { createSubscriber } from './subscriber.ts'
import { tidemark } from './tidemark.ts'
import type { Contender } from './types.ts'

export async function allLibraries(): Promise<readonly Library[]> {
  const address = new URL('../peers/index.ts', import.meta.url).href
  const { libraries } = (await import(address)) as { libraries: readonly Library[] }
  return [tidemark, ...libraries]
}

/** Who is measured in the rows about lists; the others differ in nothing that is seen there. */
export async function listLibraries(): Promise<readonly Library[]> {
  return (await allLibraries()).filter(({ name }) => !name.includes(', '))
}

/** A client, its server and its subscriber. */
export interface Stage {
  readonly count: number
  readonly server: Server
  readonly subscriber: Subscriber
  readonly subject: Subject
}

/** Opens each library on a server of its own, and makes a contender of it; one that cannot be opened is wrong. */
export async function openAll(
  libraries: readonly Library[],
  { count, watch }: { count: number; watch?: string },
  contenderOf: (stage: Stage, name: string) => Contender | Promise<Contender>,
): Promise<Contender[]> {
  const contenders: Contender[] = []
  for (const library of libraries) {
    if (count > (library.most ?? count)) continue
    const server = createServer(count)
    const subscriber = createSubscriber()
    const show = subscriber.show
    const options = watch === undefined ? { server, show } : { server, show, watch }
    const subject = await library.open(options)
    try {
      const contender = await contenderOf({ count, server, subscriber, subject }, library.name)
      contenders.push({ ...contender, close: () => subject.close() })
    } catch (error) {
      contenders.push({ name: library.name, run: () => Promise.reject(error), close: () => subject.close() })
    }
  }
  return contenders
}

/** What is shown is what the server has, row by row; it may take a second until that is there. */
export async function differs({ server, subscriber }: Stage): Promise<string | undefined> {
  const began = performance.now()
  for (;;) {
    await server.acceptAll()
    const problem = differsFrom(server, subscriber.shown)
    if (problem === undefined || performance.now() - began > 1_000) return problem
  }
}

function differsFrom(server: Server, shown: Subscriber['shown']): string | undefined {
  if (!Array.isArray(shown)) {
    const row = shown as Server['rows'][number] | undefined
    return server.rows.some(({ id, n }) => row?.id === id && row.n === n)
      ? undefined
      : 'the row is not what the server has'
  }
  if (shown.length !== server.rows.length) return `${shown.length} rows instead of ${server.rows.length}`
  const at = server.rows.findIndex(({ id, n }, place) => shown[place]?.id !== id || shown[place]?.n !== n)
  return at === -1 ? undefined : `row ${at} is not what the server has`
}
