// One client and a server in steps: requests, their evaluation, answers and events are apart, so that each may overtake the
// others. After every publish each list is looked at, and each row in it explained by a position that never goes back.
import { infiniteQueryOptions, syncStream } from 'tidemark'
import type { Change, Item, Page } from '../../kit/lists'
import {
  board,
  byRankAndId,
  changing,
  doneItems,
  isOpen,
  item,
  itemRow,
  oneItem,
  openItems,
  orderedItems,
  rankedItems,
  shown,
} from '../../kit/lists'
import type { Sent } from '../../kit/network'
import { greet } from '../../kit/stream'
import type { Watch, World } from '../../kit/world'
import { createWorld } from '../../kit/world'
import type { ListSpec, Told } from './server'
import { change, LISTS, Server, TOLD } from './server'

export interface Setting {
  reads: 'exact' | 'cursor' | 'plain'
  answers: 'cursor' | 'plain'
  stream: 'named' | 'nameless' | 'none'
  scopes: boolean
  /** A read may be made of an older position, but for what its request asks for; where all answers carry positions. */
  lags: boolean
  queries: readonly QueryName[]
}

export const ACTIONS = [
  ...(['write', 'write', 'write', 'send', 'send', 'answer', 'answer', 'event', 'event', 'event'] as const),
  ...(['evaluate', 'evaluate', 'land', 'land', 'other', 'other', 'wait', 'idle', 'next', 'refetch'] as const),
  ...(['evict', 'mount', 'lose'] as const),
]
export type Action = (typeof ACTIONS)[number]
export type Step = readonly [Action, number]

interface Own {
  id: string
  steps: Change[]
  status: 'open' | 'confirmed' | 'rejected'
}

interface Spec {
  query: { queryKey: readonly unknown[] }
  lists: readonly ListSpec[]
  rowsOf(data: never): readonly (readonly Item[])[]
  answer(server: Server, url: string, position: number): unknown
  url: RegExp
  isDeclared: boolean
  /** Equal rows have no order of their own. */
  hasTies?: boolean
  isPaged?: boolean
  detail?: string
}

/** After a row, by its rank and id: the next page begins there. */
const keysetItems = infiniteQueryOptions({
  queryKey: ['items', 'keyset'],
  queryFn: ({ fetch, pageParam }) => fetch(`/keyset?after=${pageParam}`).then((answer): Promise<Page> => answer.json()),
  initialPageParam: '',
  getNextPageParam: ({ next }: Page) => next,
  rows: [itemRow, (page) => page.items, { where: isOpen, orderBy: byRankAndId }],
})

const PAGE = 2
function page(server: Server, url: string, position: number): Page {
  const [, rank, id] = /after=(?:(\d+)(\w+))?/.exec(url) ?? []
  const rest = server
    .list(LISTS.open, position)
    .filter((row) => rank === undefined || byRankAndId(row, item(id ?? '', { rank: Number(rank) })) > 0)
  const items = rest.slice(0, PAGE)
  const last = items.at(-1)
  return { items, next: rest.length > PAGE && last !== undefined ? `${last.rank}${last.id}` : null }
}

const list = (name: 'open' | 'ranked' | 'ordered' | 'done', query: Spec['query'], more: Partial<Spec> = {}): Spec => ({
  query,
  lists: [LISTS[name]],
  rowsOf: (data: Item[]) => [data],
  answer: (server, _, position) => server.list(LISTS[name], position),
  url: new RegExp(`^/${name}$`),
  isDeclared: true,
  ...more,
})

const detail = (id: string): Spec => ({
  query: oneItem(id),
  lists: [{ where: (row) => row.id === id, order: () => 0 }],
  rowsOf: (data: Item | null) => [data === null ? [] : [data]],
  answer: (server, _, position) => server.log[position]?.get(id) ?? null,
  url: new RegExp(`^/items/${id}$`),
  isDeclared: true,
  detail: id,
})

export const SPECS = {
  open: list('open', openItems),
  ranked: list('ranked', rankedItems, { hasTies: true }),
  board: {
    query: board,
    lists: [LISTS.x, LISTS.y],
    rowsOf: ({ columns }: { columns: Array<{ items: Item[] }> }) => columns.map(({ items }) => items),
    answer: (server, _, position) => ({
      columns: (['x', 'y'] as const).map((id) => ({ id, items: server.list(LISTS[id], position) })),
    }),
    url: /^\/board$/,
    isDeclared: true,
  },
  done: list('done', doneItems, { isDeclared: false }),
  ordered: list('ordered', orderedItems, { hasTies: true }),
  keyset: {
    query: keysetItems,
    lists: [LISTS.open],
    rowsOf: ({ pages }: { pages: Page[] }) => [pages.flatMap(({ items }) => items)],
    answer: page,
    url: /^\/keyset/,
    isDeclared: true,
    isPaged: true,
  },
  'detail-a': detail('a'),
  'detail-c': detail('c'),
} satisfies Record<string, Spec>
export type QueryName = keyof typeof SPECS
export const NAMES = Object.keys(SPECS) as QueryName[]

/** Of what the client does wrongly, in one sentence. */
class Violation extends Error {}

const isSame = (a: Item | null, b: Item | null): boolean =>
  a === b ||
  (a !== null &&
    b !== null &&
    a.id === b.id &&
    a.group === b.group &&
    a.done === b.done &&
    a.rank === b.rank &&
    a.n === b.n)

class Run {
  readonly trace: string[] = []
  readonly server = new Server()
  readonly own: Own[] = []
  readonly #setting: Setting
  readonly #world: World
  readonly #watched = new Map<QueryName, Watch<never>>()
  readonly #seen = new Map<string, { row: Item | null; from: number }>()
  readonly #evaluated = new Map<Sent, { body: unknown; position: number; reflects: string[] }>()
  readonly #applied = new Map<Sent, { mutation: Own; isRejected: boolean; position: number; hasRows: boolean }>()
  #born = 0
  #delivered = 0
  reads = 0
  #problem: Violation | undefined

  constructor(setting: Setting) {
    this.#setting = setting
    const { stream, scopes } = setting
    this.#world = createWorld({
      mutations: [changing({ scope: (steps) => ({ id: scopes ? scopeOf(steps) : '' }) })],
      ...(stream === 'none' ? {} : { stream: syncStream({ url: '/sync', pollInterval: false }) }),
    })
  }

  async begin(): Promise<void> {
    this.#world.sync.start()
    if (this.#setting.stream !== 'none') await greet(this.#world)
    for (const name of this.#setting.queries) this.#watch(name)
    await this.#world.settle()
    await this.#answerReads()
    this.reads = 0
  }

  async step([action, n]: Step): Promise<void> {
    const { lags, reads, answers } = this.#setting
    const { net, sync } = this.#world
    const posts = net.waiting.filter(({ method }) => method === 'POST')
    const gets = net.waiting.filter(({ method }) => method === 'GET')
    const pick = <T>(from: readonly T[]): T | undefined => from[n % Math.max(1, from.length)]
    const queries = [...this.#watched.keys()]
    switch (action) {
      case 'write': {
        const steps = this.#steps(n)
        this.trace.push(`own write ${this.own.length + 1}: ${JSON.stringify(steps)}`)
        this.#mutate(steps)
        break
      }
      case 'other': {
        const told = TOLD[(n >> 8) % TOLD.length] ?? 'put'
        const steps = this.#steps(n)
        this.server.commit(steps, told)
        this.trace.push(`another: ${JSON.stringify(steps)} at ${this.server.position} (${told})`)
        break
      }
      case 'send':
        this.#apply(pick(posts.filter((post) => !this.#applied.has(post))), n)
        break
      case 'answer':
        await this.#answer(pick(posts.filter((post) => this.#applied.has(post))))
        break
      case 'lose': {
        const post = pick(posts)
        this.trace.push(`write lost: ${post?.id?.slice(-4)}`)
        await post?.drop()
        break
      }
      case 'event':
        await this.#event()
        break
      case 'evaluate':
        this.#evaluate(
          pick(gets.filter((get) => !this.#evaluated.has(get))),
          lags && reads !== 'plain' && answers === 'cursor' ? n % 3 : 0,
        )
        break
      case 'land':
        await this.#land(pick(gets.filter((get) => this.#evaluated.has(get))))
        break
      case 'wait':
        await this.#world.advance(300)
        break
      case 'idle':
        await this.#world.advance(1_500)
        break
      case 'next':
        this.#next()
        break
      case 'refetch': {
        const name = pick(queries)
        this.trace.push(`refetch ${name}`)
        if (name !== undefined)
          void sync.queryClient
            .refetchQueries({ queryKey: SPECS[name].query.queryKey }, { cancelRefetch: false })
            .catch(() => {})
        break
      }
      case 'evict': {
        const name = pick(queries.filter((each) => each.startsWith('detail')))
        if (name === undefined) break
        this.trace.push(`evict ${name}`)
        this.#watched.get(name)?.stop()
        this.#watched.delete(name)
        this.#seen.delete(`${name} 0 ${name.at(-1)}`)
        sync.queryClient.removeQueries({ queryKey: SPECS[name].query.queryKey })
        break
      }
      case 'mount': {
        const name = pick(this.#setting.queries.filter((each) => !this.#watched.has(each)))
        if (name === undefined) break
        this.trace.push(`mount ${name}`)
        this.#watch(name)
        break
      }
    }
    await this.#world.settle()
    if (this.#problem !== undefined) throw this.#problem
    this.observe(`${action} ${n}`)
  }

  /** Answers everything, until nothing more comes. */
  async end(): Promise<void> {
    const { net, sync } = this.#world
    let isAway = this.#setting.stream === 'none'
    for (let rounds = 0, quiet = 0; quiet < 6; rounds++) {
      if (rounds > 400) throw new Violation('it never comes to rest')
      const isBusy = this.server.events.length > this.#delivered || net.waiting.length > 0
      quiet = isBusy ? 0 : quiet + 1
      while (this.#setting.stream !== 'none' && this.server.events.length > this.#delivered) await this.#event()
      if (this.#setting.stream === 'none') this.#delivered = this.server.events.length
      for (const post of net.waiting.filter(({ method }) => method === 'POST')) {
        if (!this.#applied.has(post)) this.#apply(post, 3)
        await this.#answer(post)
      }
      await this.#answerReads()
      await this.#world.advance(2_500)
      this.observe('the end')
      // Without a stream nobody tells what others did: it is the user who comes back to the page.
      if (!isAway || quiet < 2) continue
      isAway = false
      quiet = 0
      void sync.queryClient.refetchQueries().catch(() => {})
    }
    this.#compare('at rest')
    if (this.#watched.has('keyset')) {
      for (let pages = 0; pages < 9; pages++) {
        this.#next()
        await this.#world.settle()
        await this.#answerReads()
      }
      this.#compare('with all pages')
    }
    const { entries } = this.#world.sync.outbox.getState()
    if (entries.length > 0) throw new Violation(`writes never leave: ${entries.map(({ status }) => status).join(' ')}`)
    if (this.#world.reports.length > 0) throw new Violation(`reported: ${this.#world.reports[0]?.message}`)
  }

  /** Every list, as it is shown now. */
  observe(after: string): void {
    for (const name of this.#watched.keys()) this.#observeQuery(name, after)
  }

  #watch(name: QueryName): void {
    const watched = this.#world.watch<never>(SPECS[name].query)
    this.#watched.set(name, watched)
    const push = watched.values.push.bind(watched.values)
    watched.values.push = (...values) => {
      const length = push(...values)
      try {
        this.#observeQuery(name, 'a publish', values.at(-1))
      } catch (problem) {
        this.#problem ??= problem as Violation
      }
      return length
    }
  }

  #steps(n: number): Change[] {
    const ids = ['a', 'b', 'c', 'd', ...Array.from({ length: this.#born }, (_, i) => `i${i + 1}`)]
    const one = (of: number): Change => {
      const id = ids[of % ids.length] as string
      const kind = (of >> 3) % 10
      const [rank, done, group] = [1 + ((of >> 5) % 5), ((of >> 7) & 1) === 1, ((of >> 8) & 1) === 1 ? 'y' : 'x']
      if (kind === 6) return { op: 'count', id }
      if (kind === 9) return { op: 'remove', id }
      if (kind > 6 && this.#born < 6) {
        this.#born++
        return { op: 'insert', row: item(`i${this.#born}`, { rank, done, group, version: 0 }) }
      }
      const to = [{ done }, { rank }, { group }, { done, rank }][(of >> 9) % 4] as Partial<Item>
      return { op: 'set', id, to }
    }
    return (n >> 12) % 5 === 0 ? [one(n), one(n >> 13)] : [one(n)]
  }

  #mutate(steps: Change[]): void {
    const { sync } = this.#world
    const scoped = this.#setting.scopes ? steps.filter((step) => scopeOf([step]) === scopeOf(steps)) : steps
    const own: Own = { id: '', steps: scoped, status: 'open' }
    this.own.push(own)
    const handle = sync.mutate(changing(), scoped)
    own.id = handle.id
    handle.confirmed.then(
      () => {
        own.status = 'confirmed'
      },
      () => {
        own.status = 'rejected'
      },
    )
    // A rejection takes the change away before its promise tells.
    sync.outbox.subscribe(({ failed }) => {
      if (failed.some(({ id }) => id === handle.id)) own.status = 'rejected'
    })
  }

  #apply(post: Sent | undefined, n: number): void {
    if (post === undefined) return
    const mutation = this.own.find(({ id }) => id === post.id)
    if (mutation === undefined) throw new Violation(`an unknown write was sent: ${post.id}`)
    const known = this.server.applied.get(mutation.id)
    const isRejected = known === undefined && n % 5 === 0
    const hasRows = n % 3 > 0
    if (known === undefined && !isRejected) {
      const told: readonly Told[] = ['put', 'put', 'merge', 'invalidate']
      this.server.commit(mutation.steps, told[(n >> 4) % 4] ?? 'put', mutation.id)
    }
    const position = known ?? this.server.position
    this.#applied.set(post, { mutation, isRejected, position, hasRows })
    this.trace.push(`server: write ${mutation.id.slice(-4)} ${isRejected ? 'refused' : `at ${position}`}`)
  }

  async #answer(post: Sent | undefined): Promise<void> {
    const applied = post === undefined ? undefined : this.#applied.get(post)
    if (post === undefined || applied === undefined) return
    const { mutation, isRejected, position, hasRows } = applied
    this.trace.push(`answer to ${mutation.id.slice(-4)}${hasRows ? ' with rows' : ''}`)
    if (isRejected) {
      this.#reject(mutation)
      return post.answer({ title: 'No.' }, { status: 422 })
    }
    const ids = new Set(mutation.steps.map((step) => ('row' in step ? step.row.id : step.id)))
    const at = this.server.log[position]
    const rows = Object.fromEntries([...ids].map((id) => [id, at?.get(id) ?? null]))
    await post.answer(hasRows ? { rows } : {}, {
      headers: this.#setting.answers === 'cursor' ? { 'sync-cursor': `e:${position}` } : {},
    })
  }

  /** With it goes what changes a row that it makes. */
  #reject(mutation: Own): void {
    mutation.status = 'rejected'
    const made = mutation.steps.flatMap((step) => ('row' in step ? [step.row.id] : []))
    const isBuiltOn = ({ status, steps }: Own) =>
      status === 'open' && steps.some((step) => made.includes('row' in step ? step.row.id : step.id))
    for (const own of this.own) if (isBuiltOn(own)) this.#reject(own)
  }

  async #event(): Promise<void> {
    const event = this.server.events[this.#delivered]
    const { stream } = this.#setting
    if (event === undefined || stream === 'none') return
    const { position, changes, invalidates, mutations } = event
    this.#delivered++
    this.trace.push(
      `event ${position}: ${changes.map(({ op, id }) => `${op} ${id}`).join(', ')}${invalidates ? ' invalidate' : ''}`,
    )
    const names = stream === 'named' ? { mutations: mutations.map((id) => ({ id })) } : {}
    const keys = [['items'], ['item']]
    const last = `e:${position - 1}`
    const connection = this.#world.net.stream()
    const txn = { txn: `t${position}`, prev: last }
    const parts: Array<[string, object]> = []
    if (changes.length > 0 || !invalidates) parts.push(['patch', { changes }])
    if (invalidates) parts.push(['invalidate', { keys }])
    for (const [i, [name, data]] of parts.entries()) {
      const isLast = i === parts.length - 1
      const body = { ...txn, ...data, ...names, ...(isLast ? {} : { more: true }) }
      await connection.send(name, body, isLast ? `e:${position}` : undefined)
    }
    await this.#world.settle()
    if (this.#problem !== undefined) throw this.#problem
  }

  #evaluate(get: Sent | undefined, lag: number): void {
    if (get === undefined) return
    const spec = Object.values(SPECS).find(({ url }) => url.test(get.url)) as Spec
    const least = Number(/^e:(\d+)$/.exec(get.headers.get('sync-min-cursor') ?? '')?.[1] ?? 0)
    const position = Math.max(Math.min(least, this.server.position), this.server.position - lag)
    const reflects = get.names.filter((id) => (this.server.applied.get(id) ?? Number.POSITIVE_INFINITY) <= position)
    this.#evaluated.set(get, { body: spec.answer(this.server, get.url, position), position, reflects })
    this.trace.push(`server reads ${get.url} at ${position}`)
  }

  async #land(get: Sent | undefined): Promise<void> {
    const read = get === undefined ? undefined : this.#evaluated.get(get)
    if (get === undefined || read === undefined) return
    const { reads } = this.#setting
    this.reads++
    this.trace.push(`read ${get.url} arrives`)
    await get.answer(read.body, {
      headers: {
        ...(reads === 'plain' ? {} : { 'sync-cursor': `e:${read.position}` }),
        ...(reads === 'exact' ? { 'sync-reflects': read.reflects.join(', ') } : {}),
      },
    })
    await this.#world.settle()
    if (this.#problem !== undefined) throw this.#problem
  }

  async #answerReads(): Promise<void> {
    const { net } = this.#world
    let reads = 0
    for (let get = net.waiting.find(({ method }) => method === 'GET'); get !== undefined; ) {
      if (reads++ > 200) throw new Violation('reads without end')
      if (!this.#evaluated.has(get)) this.#evaluate(get, 0)
      await this.#land(get)
      this.observe('a read')
      get = net.waiting.find(({ method }) => method === 'GET')
    }
  }

  #next(): void {
    const data = this.#watched.get('keyset')?.data as { pages: Page[] } | undefined
    const query = this.#world.sync.queryClient.getQueryCache().find({ queryKey: keysetItems.queryKey })
    const base = query?.state.data as { pages: Page[] } | undefined
    if (data === undefined || base === undefined || base.pages.at(-1)?.next === null) return
    this.trace.push('next page')
    void query?.fetch(query.options, { meta: { fetchMore: { direction: 'forward' } } } as never).catch(() => {})
  }

  #observeQuery(name: QueryName, after: string, given?: unknown): void {
    const data: unknown = given ?? this.#watched.get(name)?.data
    if (data === undefined) return
    const spec: Spec = SPECS[name]
    for (const [at, rows] of spec.rowsOf(data as never).entries()) this.#observeList(name, at, rows, after)
  }

  #observeList(name: QueryName, at: number, rows: readonly Item[], after: string): void {
    const spec: Spec = SPECS[name]
    const ids = new Set(rows.map(({ id }) => id))
    const fail = (what: string): never => {
      throw new Violation(`${name}: ${what}: [${shown(rows)}] after ${after}`)
    }
    if (ids.size < rows.length) fail('a row twice')
    const isInOrder = rows.every((row, i) => i === 0 || byRankAndId(rows[i - 1] as Item, row) <= 0)
    if (spec.isDeclared && spec.hasTies !== true && spec.isPaged !== true && !isInOrder) fail('out of order')
    const all = new Set(this.server.log.flatMap((each) => [...each.keys()]).concat(...ids))
    for (const id of all) this.#observeRow(name, at, id, rows.find((row) => row.id === id) ?? null, fail)
  }

  #observeRow(name: QueryName, at: number, id: string, row: Item | null, fail: (what: string) => never): void {
    const spec: Spec = SPECS[name]
    if (spec.detail !== undefined && spec.detail !== id) return
    const key = `${name} ${at} ${id}`
    const before = this.#seen.get(key)
    const isFree = row === null && (spec.isPaged === true || !spec.isDeclared || this.#isUnsure(spec, id))
    if (before === undefined || isFree) {
      this.#seen.set(key, { row, from: before?.from ?? 0 })
      return
    }
    const from = this.#explain(spec, at, id, row, before.from)
    if (from < 0) {
      const text = (of: Item | null) => (of === null ? `no ${id}` : shown([of]))
      fail(`${text(before.row)} became ${text(row)}, which no position from ${before.from} on explains`)
    }
    // Where reads carry no position, one that left before an event may come after it, and is made again.
    this.#seen.set(key, { row, from: this.#setting.reads === 'plain' ? 0 : from })
  }

  /** Base lacks the row, and nothing pending makes it: what it was is anybody's guess. */
  #isUnsure({ query, rowsOf, detail }: Spec, id: string): boolean {
    const data = this.#world.sync.getBase(query.queryKey)
    if (data === undefined || data === null || detail !== undefined) return false
    const isIn = rowsOf(data as never).some((rows) => rows.some((row) => row.id === id))
    const changes = this.own.flatMap(({ steps }) => steps).filter((step) => 'id' in step && step.id === id)
    return !isIn && changes.length > 0 && changes.every(({ op }) => op === 'set' || op === 'count')
  }

  /** The first position, from one on, at which the list shows this of the row, with pending changes or some of them. */
  #explain({ lists, isDeclared }: Spec, at: number, id: string, row: Item | null, from: number): number {
    const spec = lists[at] as ListSpec
    for (let position = from; position <= this.server.position; position++) {
      for (const variant of ['lacking', 'unconfirmed', 'all'] as const) {
        const now = this.#rowAt(id, position, variant)
        const isIn = now !== null && (!isDeclared || spec.where(now))
        if (row === null ? !isIn : isIn && isSame(row, now)) return position
      }
    }
    return -1
  }

  #rowAt(id: string, position: number, variant: 'lacking' | 'unconfirmed' | 'all'): Item | null {
    let row = this.server.log[position]?.get(id) ?? null
    for (const own of this.own) {
      if (own.status === 'rejected') continue
      const isIn = (this.server.applied.get(own.id) ?? Number.POSITIVE_INFINITY) <= position
      if (isIn && variant !== 'all' && !(variant === 'unconfirmed' && own.status !== 'confirmed')) continue
      for (const step of own.steps) {
        if (('row' in step ? step.row.id : step.id) !== id) continue
        if (step.op === 'remove') row = null
        else if (step.op === 'insert') row ??= step.row
        else if (row !== null && !(step.op === 'count' && isIn)) row = change(row, step)
      }
    }
    return row
  }

  #compare(when: string): void {
    for (const [name, watched] of this.#watched) {
      const spec: Spec = SPECS[name]
      if (watched.data === undefined || (watched.data === null && spec.detail === undefined)) continue
      for (const [at, rows] of spec.rowsOf(watched.data).entries()) {
        const all = this.server.list(spec.lists[at] as ListSpec)
        const expected = spec.isPaged && when === 'at rest' ? all.slice(0, rows.length) : all
        if (rows.length !== expected.length || rows.some((row, i) => !isSame(row, expected[i] ?? null)))
          throw new Violation(`${name} ${when} shows [${shown(rows)}], the server has [${shown(expected)}]`)
      }
    }
  }
}

function scopeOf([first]: readonly Change[]): string {
  const id = first === undefined ? '' : 'row' in first ? first.row.id : first.id
  return 'ab'.includes(id) ? 'ab' : 'others'
}

export async function run(setting: Setting, steps: readonly Step[]): Promise<{ why?: string; trace: string[] }> {
  const run = new Run(setting)
  try {
    await run.begin()
    for (const step of steps) await run.step(step)
    await run.end()
    return { trace: run.trace }
  } catch (problem) {
    if (!(problem instanceof Violation)) throw problem
    return { why: problem.message, trace: run.trace }
  }
}
