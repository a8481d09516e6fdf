// A client whose server is the test, with a stream that has positions: what the cases of lists are written in.
import { syncStream } from 'tidemark'
import { onTestFinished } from 'vitest'
import type { RowChange } from '../../src/base/messages'
import type { Change, ChangeMutation, Item } from '../kit/lists'
import { changing, item } from '../kit/lists'
import type { Answer } from '../kit/network'
import type { ScriptedStream } from '../kit/stream'
import { greet } from '../kit/stream'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

export const at = (position: number): Answer => ({ headers: { 'sync-cursor': `e:${position}` } })

/** Rows a to d, of ranks 1 to 4. */
export const ranks = (): Item[] => ['a', 'b', 'c', 'd'].map((id, i) => item(id, { rank: i + 1 }))

export const put = (row: Item): RowChange => ({ op: 'put', type: 'item', id: row.id, version: row.version, value: row })

export const merge = (id: string, base: number, value: Partial<Item>): RowChange => ({
  ...{ op: 'merge', type: 'item', id, base, version: base + 1 },
  value: { ...value, version: base + 1 },
})

export const del = (id: string, version = 2): RowChange => ({ op: 'del', type: 'item', id, version })

export interface Scripted extends World {
  readonly stream: ScriptedStream
  write(...changes: Change[]): ReturnType<World['sync']['mutate']>
  /** Answers the oldest write that waits. */
  confirm(position: number, rows?: readonly Item[] | Record<string, Item | null>): Promise<void>
  refuse(): Promise<void>
  /** How many reads of this address have left. */
  reads(url: string): number
  /** Answers a read that waits. */
  answer(url: string, data: unknown, position: number): Promise<void>
  /** Rows and an invalidation in one transaction. */
  both(position: number, parts: Array<['patch' | 'invalidate', object]>, mutations?: string[]): Promise<void>
}

/** A client that is connected at position 0. */
export async function scripted(mutation: ChangeMutation = changing()): Promise<Scripted> {
  const world = createWorld({ mutations: [mutation], stream: syncStream({ url: '/sync', pollInterval: false }) })
  onTestFinished(world.sync.start())
  const stream = await greet(world)
  const { net, settle } = world
  return {
    ...world,
    stream,
    write: (...changes) => world.sync.mutate(mutation, changes) as never,
    async confirm(position, rows) {
      await settle()
      const named = Array.isArray(rows) ? Object.fromEntries(rows.map((row: Item) => [row.id, row])) : rows
      const body = named === undefined ? {} : { rows: named }
      await net.take('POST', '/change').answer(body, at(position))
      await settle()
    },
    async refuse() {
      await settle()
      await net.take('POST', '/change').answer({}, { status: 422 })
      await settle()
    },
    reads: (url) => net.log.filter((sent) => sent.method === 'GET' && sent.url === url).length,
    async answer(url, data, position) {
      await settle()
      await net.take('GET', url).answer(data, at(position))
      await settle()
    },
    async both(position, parts, mutations = []) {
      const named = { txn: `t${position}`, mutations: mutations.map((id) => ({ id })), prev: `e:${position - 1}` }
      for (const [i, [name, data]] of parts.entries()) {
        const isLast = i === parts.length - 1
        const body = { ...data, ...named, ...(isLast ? {} : { more: true }) }
        await stream.send(name, body, isLast ? position : undefined)
      }
    },
  }
}
