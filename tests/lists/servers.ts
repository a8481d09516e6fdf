// Servers of rows in lists behind one interface: the kit, the mock, and plain REST by hand, with a stream and without. Clients of
// theirs watch every list; their requests are counted.
import { syncStream } from 'tidemark'
import { createMockServer } from 'tidemark/mocks'
import type { WriteTransaction } from 'tidemark/server'
import { createSyncHandler, memoryStore } from 'tidemark/server'
import { onTestFinished } from 'vitest'
import type { VirtualClock } from '../kit/clock'
import { virtualClock } from '../kit/clock'
import type { Change, ChangeMutation, Item } from '../kit/lists'
import { changing } from '../kit/lists'
import type { ScriptedStream } from '../kit/stream'
import { greet } from '../kit/stream'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'
import type { ListSpec } from '../properties/lists/server'
import { change, LISTS, Server } from '../properties/lists/server'

/** How a transaction is told: by its rows, by an invalidation, or by both. */
export const TOLD = ['put', 'merge', 'invalidate', 'put, invalidate', 'invalidate, put'] as const
export type Told = (typeof TOLD)[number]

type Serve = (path: string, init: RequestInit | undefined) => Promise<Response>

/** One server. */
export interface ListServer {
  serve: Serve
  /** Where its stream is; `undefined`: it has none, or one by hand. */
  stream: string | undefined
  rows(): Promise<Item[]>
  /** Another writer than the clients. */
  commit(steps: readonly Change[]): Promise<unknown>
  /** A client with a stream by hand. */
  join?: ((world: World) => Promise<void>) | undefined
}

export interface Settings {
  rows: readonly Item[]
  told: Told
  /** Rows carry no version. */
  isBare?: boolean
}

const lists = (rows: readonly Item[]) => ({
  open: listOf(rows, LISTS.open),
  ranked: listOf(rows, LISTS.ranked),
  done: listOf(rows, LISTS.done),
  ordered: listOf(rows, LISTS.ordered),
  board: {
    columns: [
      { id: 'x', items: listOf(rows, LISTS.x) },
      { id: 'y', items: listOf(rows, LISTS.y) },
    ],
  },
})
export type ListName = keyof ReturnType<typeof lists>
const listNames = ['open', 'ranked', 'done', 'ordered', 'board'] as const

function listOf(rows: readonly Item[], { where, order }: ListSpec): Item[] {
  return rows.filter(where).sort(order)
}

/** What a query of the server answers. */
export const answerOf = (rows: readonly Item[], path: string): unknown =>
  path.startsWith('/items/') ? rows.find(({ id }) => id === path.slice(7)) : lists(rows)[path.slice(1) as ListName]

/** All rows, after a transaction. */
export function after(rows: readonly Item[], steps: readonly Change[]): Item[] {
  const now = new Map(rows.map((row) => [row.id, row]))
  for (const step of steps) {
    const id = idOf(step)
    const next = nextOf(now.get(id), step)
    if (next === undefined) now.delete(id)
    else now.set(id, next)
  }
  return [...now.values()]
}

const idOf = (step: Change): string => ('row' in step ? step.row.id : step.id)

function nextOf(before: Item | undefined, step: Change): Item | undefined {
  if (step.op === 'remove') return undefined
  return before === undefined ? (step as { row: Item }).row : change(before, step)
}

/** A transaction on the kit, told as it is wanted. */
function committing({ told, isBare }: Settings) {
  const invalidate = (tx: WriteTransaction) => tx.invalidate({ keys: [['items'], ['item']], to: ['item'] })
  return async (tx: WriteTransaction, steps: readonly Change[]) => {
    const rows: Record<string, Item | null> = {}
    if (told === 'invalidate, put') invalidate(tx)
    for (const step of steps) {
      const id = idOf(step)
      const before = await tx.row<Item>('item', id)
      const next = nextOf(before, step)
      const version = isBare ? {} : { version: (before?.version ?? 0) + 1 }
      if (next === undefined) await (told === 'invalidate' ? tx.delete('item', id) : tx.del('item', id))
      else if (told === 'invalidate') await tx.set('item', id, { ...next, ...version })
      else if (told === 'merge' && before !== undefined)
        await tx.merge('item', id, { ...news(before, next), ...version })
      else await tx.put('item', id, { ...next, ...version })
      rows[id] = (await tx.row<Item>('item', id)) ?? null
    }
    if (told === 'invalidate' || told === 'put, invalidate') invalidate(tx)
    return { rows }
  }
}

const news = (before: Item, next: Item): Partial<Item> =>
  Object.fromEntries(Object.entries(next).filter(([name, field]) => before[name as keyof Item] !== field))

function kitParts(settings: Settings) {
  const seed = async (tx: WriteTransaction) => {
    for (const { version, ...row } of settings.rows)
      await tx.put('item', row.id, settings.isBare ? row : { ...row, version })
  }
  const query = (path: string) => async (tx: { rows(type: string): Promise<unknown[]> }) =>
    answerOf((await tx.rows('item')) as Item[], path)
  const one = async (tx: { row(type: string, id: string): Promise<unknown> }, params: unknown) =>
    (await tx.row('item', (params as { id: string }).id)) ?? null
  const queries = { ...Object.fromEntries(listNames.map((name) => [name, query(`/${name}`)])), one }
  const run = committing(settings)
  return { seed, queries, mutations: { change: run }, run }
}

/** The paths of the test as the kit has them. */
function toKit(path: string): string {
  if (path === '/change') return '/mutations/change'
  return path.startsWith('/items/') ? `/queries/one?id=${path.slice(7)}` : `/queries${path}`
}

async function kit(settings: Settings, clock: VirtualClock): Promise<ListServer> {
  const { seed, queries, mutations, run } = kitParts(settings)
  const store = memoryStore({ now: clock.now })
  const handler = createSyncHandler({ store, queries, mutations: mutations as never, clock, random: () => 0.5 })
  await handler.write(seed)
  onTestFinished(async () => {
    await handler.close({ timeout: 0 })
    await store.close()
  })
  return {
    stream: '/sync/stream',
    serve: (path, init) => handler(new Request(`http://test/sync${path.replace(/^\/sync/, '')}`, init)),
    rows: async () => (await handler.read((tx) => tx.rows<Item>('item'))).value,
    commit: (steps) => handler.write((tx) => run(tx, steps)),
  }
}

async function mock(settings: Settings, clock: VirtualClock): Promise<ListServer> {
  const { seed, queries, mutations, run } = kitParts(settings)
  const server = createMockServer({ queries, mutations: mutations as never, clock })
  await server.write(seed)
  onTestFinished(() => server.close())
  return {
    stream: '/sync/stream',
    serve: (path, init) => server.fetch(`/api/sync${path.replace(/^\/sync/, '')}`, init),
    rows: async () => (await server.read((tx) => tx.rows<Item>('item'))).value,
    commit: (steps) => server.write((tx) => run(tx, steps)),
  }
}

/** Without positions in answers. `isTold`: its events have them. */
const plain =
  (isTold: boolean) =>
  (settings: Settings): Promise<ListServer> => {
    const streams: ScriptedStream[] = []
    const server = new Server()
    server.log[0] = new Map(settings.rows.map((row) => [row.id, row]))
    const tell = async () => {
      const event = server.events.at(-1)
      if (event === undefined) return
      const { position, changes, mutations } = event
      const named = { mutations: mutations.map((id) => ({ id })) }
      const parts: Array<[string, object]> = []
      if (settings.told !== 'invalidate') parts.push(['patch', { changes, ...named }])
      const invalidate: [string, object] = ['invalidate', { keys: [['items'], ['item']], ...named }]
      if (settings.told.startsWith('invalidate')) parts.unshift(invalidate)
      if (settings.told === 'put, invalidate') parts.push(invalidate)
      for (const stream of streams)
        for (const [i, [name, data]] of parts.entries()) {
          const isLast = i === parts.length - 1
          const txn = parts.length > 1 ? { txn: `t${position}`, ...(isLast ? {} : { more: true }) } : {}
          const prev = { prev: `e:${position - 1}` }
          await stream.connection.send(name, { ...data, ...txn, ...prev }, isLast ? `e:${position}` : undefined)
        }
    }
    const commit = async (steps: readonly Change[], id?: string) => {
      server.commit(steps, settings.told === 'merge' ? 'merge' : 'put', id)
      await tell()
    }
    const json = (body: unknown) => Response.json(body)
    return Promise.resolve({
      stream: undefined,
      async serve(path, init) {
        if (init?.method !== 'POST') return json(answerOf([...server.rows.values()], path))
        const steps = JSON.parse(String(init.body)) as Change[]
        const id = new Headers(init.headers).get('idempotency-key')?.replaceAll('"', '')
        await commit(steps, id)
        return json({
          rows: Object.fromEntries(steps.map((step) => [idOf(step), server.rows.get(idOf(step)) ?? null])),
        })
      },
      rows: () => Promise.resolve([...server.rows.values()]),
      commit,
      ...(isTold ? { join: async (world: World) => void streams.push(await greet(world)) } : {}),
    })
  }

export const SERVERS = [
  ['the kit', kit],
  ['the mock', mock],
  ['plain REST with a stream', plain(true)],
  ['plain REST', plain(false)],
] as const
export type ServerName = (typeof SERVERS)[number][0]

/** A client, its requests counted by path. */
export interface Client extends World {
  reads(path: string): number
  write(...steps: Change[]): ReturnType<World['sync']['mutate']>
  /** Back to zero. */
  count(): void
}

export interface Stage {
  server: ListServer
  clock: VirtualClock
  client(change?: ChangeMutation): Promise<Client>
  /** Lets time pass, and everything have its turns. */
  pass(milliseconds?: number): Promise<void>
}

export async function stage(name: ServerName, settings: Settings): Promise<Stage> {
  const clock = virtualClock()
  const start = SERVERS.find(([each]) => each === name)?.[1] as (typeof SERVERS)[number][1]
  const server = await start(settings, clock)
  const turns = async (count: number) => {
    for (let n = 0; n < count; n++) await clock.settle()
  }
  const pass = async (milliseconds = 3_000) => {
    for (let time = 0; time < milliseconds; time += 100) {
      await turns(4)
      await clock.advance(100)
    }
    await turns(20)
  }
  return { server, clock, pass, client: (mutation) => join(server, { clock, pass }, mutation) }
}

async function join(
  server: ListServer,
  { clock, pass }: Pick<Stage, 'clock' | 'pass'>,
  mutation = changing(),
): Promise<Client> {
  const counts = new Map<string, number>()
  const hasStream = server.stream !== undefined || server.join !== undefined
  const world: World = createWorld({
    mutations: [mutation],
    ...(hasStream ? { stream: syncStream({ url: '/sync/stream', topics: ['item'] }) } : {}),
    platform: {
      clock,
      fetch(input: string, init?: RequestInit) {
        const url = new URL(input, 'http://test')
        const path = url.pathname + url.search
        if (path.startsWith('/sync/'))
          return server.stream === undefined ? world.net.fetch(path, init) : server.serve(path, init)
        const isRead = (init?.method ?? 'GET') === 'GET'
        if (isRead) counts.set(path, (counts.get(path) ?? 0) + 1)
        return server.serve(server.stream === undefined ? path : toKit(path), init)
      },
    } as never,
  })
  onTestFinished(world.sync.start())
  await server.join?.(world)
  await pass(500)
  return {
    ...world,
    reads: (path) => counts.get(path) ?? 0,
    write: (...steps) => world.sync.mutate(mutation, steps) as never,
    count: () => counts.clear(),
  }
}
