// One client, and a server that says now this and now that of what its answers contain, over a network with faults, under
// an application that does all the things that applications do. A run is a list of [action, number] pairs: it replays exactly.
import fc from 'fast-check'
import type { MutationDefinition, QueryKey, SyncClient } from 'tidemark'
import {
  createQueryStore,
  createSyncClient,
  defineMutation,
  entity,
  infiniteQueryOptions,
  QueryClient,
  queryOptions,
  seededRandom,
  syncStream,
} from 'tidemark'
import { virtualClock } from '../../kit/clock'
import type { Sent, SentStream } from '../../kit/network'
import { scriptedNetwork } from '../../kit/network'
import type { Change, Evidence, Outcome, Page, Row, ServerEvent, ServerPlan } from './server'
import { createServer, KEPT, orderOf } from './server'

export const QUERIES = ['list', 'wrapped', 'detail', 'pages'] as const
export type QueryKind = (typeof QUERIES)[number]

export interface Mixture extends ServerPlan {
  reads: Evidence | 'mixed'
  answers: Evidence | 'mixed'
  apply: 'none' | 'rows' | 'set' | 'update'
  recipes: 'push' | 'put' | 'mixed'
  queries: readonly QueryKind[]
  scopes: 1 | 2
}

export type Step = readonly [action: string, number: number]

export interface Result {
  ok: boolean
  why: string
  trace: string[]
  /** What was reached, as `dimension:value`. */
  reached: ReadonlySet<string>
}

const WEIGHTS: Record<string, number> = {
  mutate: 50,
  other: 35,
  request: 80,
  answer: 80,
  wake: 30,
  loseRequest: 10,
  loseAnswer: 20,
  timeout: 10,
  duplicate: 10,
  read: 25,
  readRequest: 80,
  readAnswer: 80,
  failRead: 12,
  loseRead: 8,
  hangRead: 4,
  mount: 24,
  unmount: 28,
  remove: 40,
  connect: 40,
  event: 100,
  repeatEvent: 10,
  dropEvent: 16,
  cut: 8,
  resync: 4,
  epoch: 4,
  trim: 3,
  setData: 15,
  reset: 6,
  cancel: 10,
  more: 60,
  prefetch: 8,
  invalidate: 12,
  tick: 25,
}
const OF_STREAM = ['connect', 'event', 'repeatEvent', 'dropEvent', 'cut', 'resync', 'trim']
const FAULTS = [
  'loseRequest',
  'loseAnswer',
  'timeout',
  'duplicate',
  'failRead',
  'loseRead',
  'hangRead',
  'dropEvent',
  'cut',
  'resync',
  'epoch',
  'trim',
]
const ACTS = ['setData', 'reset', 'cancel', 'more', 'prefetch', 'remove', 'invalidate', 'unmount']

export function steps(most: number): fc.Arbitrary<Step[]> {
  const action = fc.oneof(
    ...Object.entries(WEIGHTS).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name) })),
  )
  return fc.array(fc.tuple(action, fc.nat(2 ** 31 - 1)), {
    minLength: Math.floor(most / 2),
    maxLength: most,
    size: 'max',
  })
}

const grade = fc.constantFrom<Evidence | 'mixed'>('exact', 'cursor', 'plain', 'mixed')
export const mixtures: fc.Arbitrary<Mixture> = fc.record({
  reads: grade,
  answers: grade,
  stream: fc.constantFrom<Mixture['stream']>('none', 'named', 'nameless', 'mixed'),
  events: fc.constantFrom<Mixture['events']>('patch', 'state', 'invalidate', 'both', 'mixed'),
  apply: fc.constantFrom<Mixture['apply']>('none', 'rows', 'set', 'update'),
  recipes: fc.constantFrom<Mixture['recipes']>('push', 'put', 'mixed'),
  queries: fc.subarray([...QUERIES], { minLength: 1 }),
  scopes: fc.constantFrom<1 | 2>(1, 2),
  versions: fc.constantFrom<Mixture['versions']>('in rows', 'in events'),
})

/** What this server can be made to do that no client can put right: each must be noticed. */
export const SABOTAGES = {
  'applies a write twice': /took effect 2 times|shown twice/,
  'applies what it refuses': /was refused and is shown|took effect 1 times/,
  'says that data lacks what it contains': /is shown twice/,
  'says that data contains what it lacks': /is missing|, deleted by/,
  'sends a row twice': /a row stands twice/,
  'skips events': /, the server has /,
  'never answers a write': /^stuck /,
} as const satisfies Record<string, RegExp>
export type Sabotage = keyof typeof SABOTAGES

class Violation extends Error {}

export async function run(
  mixture: Mixture,
  script: readonly Step[],
  { trace = false, sabotage }: { trace?: boolean; sabotage?: Sabotage } = {},
): Promise<Result> {
  const world = createWorld(mixture, trace, sabotage)
  const result = (ok: boolean, why: string): Result => ({ ok, why, trace: world.trace, reached: world.reached })
  try {
    await world.begin()
    for (const [action, number] of script) await world.step(action, number)
    await world.quiesce()
    return result(true, '')
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    world.trace.push(`VIOLATION ${error.message}`)
    return result(false, error.message)
  } finally {
    await world.end()
  }
}

interface Variables {
  change: Change
  scope: string
  isRepeatable: boolean
}
interface Answer {
  row: Row | null
  docs: Record<string, unknown>
}
interface WriteTravelling {
  sent: Sent
  id: string
  variables: Variables
  isLost: boolean
  outcome?: Outcome
}
interface ReadTravelling {
  sent: Sent
  answered?: { data: unknown; headers: Record<string, string> }
}
interface Watched {
  key: QueryKey
  stop(): void
  data(): unknown
  error(): unknown
  more(): Promise<unknown> | undefined
}
interface Pages {
  pages: Page[]
}

const rowKind = entity<Row>('row')

function createWorld(mixture: Mixture, isTracing: boolean, sabotage: Sabotage | undefined) {
  const trace: string[] = []
  /** Whether the step that goes on has done something. */
  let hasActed = false
  const say = (text: string): void => {
    hasActed = true
    if (isTracing) trace.push(text)
  }
  const reached = new Set<string>()
  const reach = (dimension: string, value: string) => void reached.add(`${dimension}:${value}`)
  for (const [dimension, value] of Object.entries(mixture)) {
    if (typeof value === 'object') for (const each of value as readonly string[]) reach(dimension, each)
    else reach(dimension, String(value))
  }
  const clock = virtualClock()
  const net = scriptedNetwork()
  let writes: WriteTravelling[] = []
  let reads: ReadTravelling[] = []
  let connection: { stream: SentStream; queue: ServerEvent[]; prev: string; epoch: string } | undefined
  let lastEvent: (() => Promise<void>) | undefined
  const server = createServer(mixture, (event) => connection?.epoch === event.epoch && connection.queue.push(event))
  const fates = new Map<string, { change: Change; fate: 'live' | 'refused'; since: number }>()
  const watched = new Map<string, Watched>()
  let made = 0
  let added = 0
  let violation: Violation | undefined
  const pick = <T>(list: readonly T[], number: number): T | undefined => list[number % Math.max(1, list.length)]
  const evidence = (of: Evidence | 'mixed', number: number): Evidence =>
    of === 'mixed' ? (pick(['exact', 'cursor', 'plain'] as const, number) ?? 'plain') : of

  // ------------------------------------------------------------------ the application
  const get =
    <T>(path: string) =>
    ({ fetch }: { fetch: (input: string) => Promise<Response> }) =>
      fetch(path).then((response): Promise<T> => {
        if (!response.ok) throw new Error(`${path} was answered ${response.status}`)
        return response.json()
      })
  const list = queryOptions({
    queryKey: ['list'],
    queryFn: get<Row[]>('list'),
    rows: [rowKind, (rows) => rows, { where: () => true }],
  })
  const wrapped = queryOptions({
    queryKey: ['wrapped'],
    queryFn: get<{ items: Row[]; total: number }>('wrapped'),
    rows: [rowKind, ({ items }) => items],
  })
  const detail = (id: string) =>
    queryOptions({ queryKey: ['detail', id], queryFn: get<Row>(`detail/${id}`), rows: [rowKind, (row) => row] })
  const pages = infiniteQueryOptions({
    queryKey: ['pages'],
    queryFn: (context) => get<Page>(`pages?after=${context.pageParam}`)(context),
    initialPageParam: '',
    getNextPageParam: (page: Page) => page.next,
    rows: [rowKind, (page: Page) => page.items],
  })
  const OPTIONS = { list: [list], wrapped: [wrapped], detail: KEPT.map(detail), pages: [pages] } as const
  const options = mixture.queries.flatMap((kind): ReadonlyArray<{ queryKey: QueryKey }> => OPTIONS[kind])
  const nameOf = ({ queryKey }: { queryKey: QueryKey }) => queryKey.join('/')

  const definition: MutationDefinition<Variables, Answer> = {
    mutationKey: ['push'],
    mutationFn: (variables, { fetch }) =>
      fetch('write', { body: JSON.stringify(variables) }).then((response): Promise<Answer> => response.json()),
    optimistic(view, { change, isRepeatable }) {
      const { id, token } = change
      if (change.kind === 'del') return view.remove(rowKind, id)
      if (change.kind === 'add') {
        const row = { id, version: 0, tokens: [token] }
        if (mixture.queries.includes('list')) view.insert(['list'], rowKind, row)
        if (mixture.queries.includes('wrapped')) view.insert(['wrapped'], rowKind, row)
        return
      }
      view.row(rowKind, id).update((row) => {
        if (!isRepeatable || !row.tokens.includes(token)) row.tokens.push(token)
      })
    },
    apply(base, { row, docs }, { change }) {
      if (mixture.apply === 'rows') return row === null ? base.remove(rowKind, change.id) : base.upsert(rowKind, row)
      if (mixture.apply === 'none') return
      for (const [path, data] of Object.entries(docs)) {
        const queryKey = path.split('/')
        if (mixture.apply === 'set') base.set(queryKey, data as never)
        else if (row !== null) base.update({ queryKey, exact: true }, (old) => put(old, row))
      }
    },
    scope: ({ scope }) => ({ id: scope }),
  }
  const push = defineMutation(definition)
  /** Who is in a list changes. */
  const enlist = defineMutation<Variables, Answer>({
    ...definition,
    mutationKey: ['enlist'],
    invalidates: () => [['list'], ['wrapped'], ['pages']],
  })

  const sync: SyncClient = createSyncClient({
    queryClient: new QueryClient({
      defaultOptions: {
        queries: { retry: false, gcTime: Number.POSITIVE_INFINITY, staleTime: Number.POSITIVE_INFINITY },
      },
    }),
    mutations: [push, enlist],
    breaker: { threshold: 1_000_000 },
    onReport: (report) => say(`   report ${report.code}: ${report.message}`),
    ...(mixture.stream === 'none' ? undefined : { stream: syncStream({ url: '/stream', pollInterval: false }) }),
    platform: {
      clock,
      random: seededRandom(7),
      network: net.network,
      fetch: net.fetch,
      development: false,
      console: { warn: () => {} },
    },
  })

  function mount(query: { queryKey: QueryKey }): void {
    const name = nameOf(query)
    const store = createQueryStore(sync, query as never) as unknown as {
      getState(): { data: unknown; error: unknown; fetchNextPage?: () => Promise<unknown>; hasNextPage?: boolean }
      subscribe(listener: () => void): () => void
    }
    const stop = store.subscribe(() => checkView(name))
    watched.set(name, {
      key: query.queryKey,
      stop,
      data: () => store.getState().data,
      error: () => store.getState().error,
      more: () => (store.getState().hasNextPage === true ? store.getState().fetchNextPage?.() : undefined),
    })
    checkView(name)
  }

  // ------------------------------------------------------------------ checks
  function checkView(name: string): void {
    const data = watched.get(name)?.data()
    if (data === undefined || violation !== undefined) return
    const rows = rowsIn(name, data)
    const fail = (text: string) => {
      violation = new Violation(
        `${text} in ${name}: ${show(rows)}, base ${show(rowsIn(name, sync.getBase(name.split('/'))))}`,
      )
    }
    if (new Set(rows.map(({ id }) => id)).size !== rows.length) fail('a row stands twice')
    for (const [token, { change, fate }] of fates) {
      const row = rows.find(({ id }) => id === change.id)
      const times = row?.tokens.filter((each) => each === token).length ?? 0
      if (times > 1) fail(`${token} is shown twice`)
      if (fate === 'refused') {
        if (times > 0) fail(`${token} was refused and is shown`)
        continue
      }
      if (change.kind === 'del' && row !== undefined && !isGone(change.id, token))
        fail(`${change.id}, deleted by ${token}, is shown`)
      if (change.kind === 'add' && times === 0 && (name === 'list' || name === 'wrapped') && !isDeleted(change.id))
        fail(`${token} is missing`)
      if (change.kind !== 'add' && change.kind !== 'del' && row !== undefined && times === 0)
        fail(`${token} is missing`)
    }
  }
  /** Somebody has deleted it, or is about to. */
  const isDeleted = (id: string) =>
    server.rowOf(id) === undefined ||
    [...fates.values()].some(({ change }) => change.kind === 'del' && change.id === id)
  const isGone = (id: string, token: string) => fates.get(token)?.fate === 'refused' && id !== ''

  function check(): void {
    for (const name of watched.keys()) checkView(name)
    if (violation !== undefined) throw violation
  }

  function checkEqual(when: string): void {
    for (const [name, { data, error }] of watched) {
      const shown = data()
      if (shown === undefined) throw new Violation(`${name} never loaded (${String(error())}) ${when}`)
      const rows = rowsIn(name, shown)
      const there = name.startsWith('detail/') ? server.rows.filter(({ id }) => name === `detail/${id}`) : server.rows
      const wanted = name === 'pages' ? there.slice(0, rows.length) : there
      if (show(rows) !== show(wanted))
        throw new Violation(`${name} is ${show(rows)}, the server has ${show(wanted)} ${when}`)
      if (name === 'pages' && rows.length < Math.min(2, there.length))
        throw new Violation(`pages shows ${show(rows)} of ${show(there)} ${when}`)
    }
  }

  function checkSettled(when: string): void {
    const { entries, failed } = sync.outbox.getState()
    const { pending, waiting } = sync.status.getState()
    if (pending > 0)
      throw new Violation(
        `stuck ${when}: ${entries.map(({ variables, status }) => `${(variables as Variables).change.token} ${status}`).join()}`,
      )
    if (waiting.length > 0) throw new Violation(`${JSON.stringify(waiting)} waits for nothing ${when}`)
    for (const [token, { fate }] of fates) {
      const times = server.effects.get(token) ?? 0
      if (times !== (fate === 'live' ? 1 : 0)) throw new Violation(`${token} (${fate}) took effect ${times} times`)
      const kept = failed.filter(({ variables }) => (variables as Variables).change.token === token).length
      if (kept !== (fate === 'refused' ? 1 : 0))
        throw new Violation(`${token} (${fate}) stands ${kept} times among the failed`)
    }
  }

  // ------------------------------------------------------------------ the network
  async function settle(): Promise<void> {
    await clock.settle()
    for (const sent of net.waiting.splice(0)) {
      if (sent.method === 'GET') reads.push({ sent })
      else writes.push({ sent, id: sent.id ?? '', variables: sent.body as Variables, isLost: false })
      say(
        `   ${sent.method} ${sent.url}${sent.method === 'GET' ? '' : ` ${(sent.body as Variables).change.token}`} leaves${sent.names.length > 0 ? `, names ${sent.names.map((id) => id.slice(-4)).join()}` : ''}`,
      )
    }
    reads = reads.filter(({ sent }) => !sent.aborted)
    if (connection !== undefined && !connection.stream.open) connection = undefined
  }

  function serve(travelling: WriteTravelling, number: number): void {
    const { change } = travelling.variables
    travelling.outcome = server.write(travelling.id, change, {
      evidence: evidence(mixture.answers, number),
      refuse: number % 7 === 0,
      pending: travelling.sent.names,
      number: number >>> 5,
    })
    if (sabotage === 'applies a write twice' && change.kind === 'push') server.commit(change, undefined, number)
    if (sabotage === 'applies what it refuses' && travelling.outcome.status !== 200) server.commit(change, undefined, 1)
    say(
      `server: ${change.token} ${travelling.outcome.status} at ${server.cursor()} ${JSON.stringify(travelling.outcome.headers)}`,
    )
  }

  async function deliver(travelling: WriteTravelling): Promise<void> {
    writes = writes.filter((each) => each !== travelling)
    const { outcome, sent, isLost, variables } = travelling
    if (outcome === undefined || isLost || sabotage === 'never answers a write') return
    say(`answer ${variables.change.token} ${outcome.status}`)
    const known = fates.get(variables.change.token)
    if (outcome.status !== 200 && known !== undefined) {
      known.fate = 'refused'
      // What builds on a row that was refused goes with it.
      const { change } = known
      for (const other of fates.values())
        if (change.kind === 'add' && other.change.id === change.id) other.fate = 'refused'
    }
    await sent.answer(outcome.body, { status: outcome.status, headers: outcome.headers })
  }

  function serveRead(read: ReadTravelling, number: number): void {
    const data = server.read(read.sent.url)
    const said = evidence(mixture.reads, number)
    read.answered = sabotaged({ data, headers: server.marks(said, read.sent.names) })
    say(
      `server reads ${read.sent.url} at ${server.cursor()}: ${JSON.stringify(data)} ${JSON.stringify(read.answered.headers)}`,
    )
  }

  function sabotaged({
    data,
    headers,
  }: NonNullable<ReadTravelling['answered']>): NonNullable<ReadTravelling['answered']> {
    if (sabotage === 'says that data lacks what it contains')
      return { data, headers: { 'sync-cursor': `${server.epoch}:0`, 'sync-reflects': '' } }
    if (sabotage === 'says that data contains what it lacks')
      return { data: stripped(data), headers: { 'sync-cursor': `${server.epoch}:999` } }
    if (sabotage === 'sends a row twice' && Array.isArray(data)) return { data: [...data, data[0]], headers }
    return { data, headers }
  }

  async function deliverRead(read: ReadTravelling): Promise<void> {
    reads = reads.filter((each) => each !== read)
    if (read.answered === undefined) return
    const { data, headers } = read.answered
    say(`read ${read.sent.url} arrives ${JSON.stringify(headers)}`)
    if (data === undefined) await read.sent.answer({ title: 'gone' }, { status: 404 })
    else await read.sent.answer(data, { headers })
  }

  async function connect(): Promise<void> {
    if (connection !== undefined || mixture.stream === 'none') return
    sync.reconnect()
    await clock.advance(2_500)
    const stream = net.streams.at(-1)
    if (stream === undefined || !stream.open) return
    const position = stream.headers.get('last-event-id')
    const missed = server.since(position)
    const prev = missed === undefined || position === null ? server.cursor() : position
    const resume = position === null ? 'fresh' : missed === undefined ? 'reset' : 'continued'
    connection = { stream, queue: missed ?? [], prev, epoch: server.epoch }
    say(`stream connects: ${resume} at ${prev}`)
    await stream.send('hello', { protocol: 1, epoch: server.epoch, resume, cursor: prev, heartbeat: 120_000 })
  }

  async function emit(): Promise<void> {
    const event = connection?.queue.shift()
    if (connection === undefined || event === undefined || sabotage === 'skips events') return
    const { stream, prev } = connection
    const id = `${event.epoch}:${event.at}`
    connection.prev = id
    const last = event.messages.length - 1
    for (const { event: name } of event.messages) reach('event', name)
    if (event.messages.some(({ event: name }) => name === 'patch') && last > 0) reach('event', 'both')
    lastEvent = async () => {
      for (const [i, { event: name, data }] of event.messages.entries()) {
        const more = last > 0 ? { txn: id, ...(i < last ? { more: true } : undefined) } : undefined
        await stream.send(name, { prev, ...more, ...data }, i === last ? id : undefined)
      }
    }
    say(`event ${id} ${JSON.stringify(event.messages)}`)
    await lastEvent()
  }

  // ------------------------------------------------------------------ steps
  const newChange = (number: number, token: string, isOwn: boolean): Change => {
    const kind = pick(['push', 'push', 'push', 'push', 'add', 'del'] as const, number) ?? 'push'
    if (kind === 'add') return { kind, id: `r${++added}`, token }
    const known = isOwn ? rowsKnown() : server.rows.map(({ id }) => id)
    if (kind === 'del') {
      const id = pick(
        known.filter((each) => !KEPT.includes(each)),
        number >>> 4,
      )
      if (id !== undefined) return { kind, id, token }
    }
    return { kind: 'push', id: pick(known, number >>> 4) ?? 'a', token }
  }
  /** The ids that a user sees. */
  const rowsKnown = (): string[] => {
    const ids = new Set([...watched].flatMap(([name, { data }]) => rowsIn(name, data()).map(({ id }) => id)))
    return ids.size > 0 ? [...ids].sort() : KEPT
  }
  const lost = (list: readonly WriteTravelling[], number: number, what: string) => {
    const one = pick(list, number)
    if (one === undefined) return
    say(`${what} ${one.variables.change.token}`)
    writes = writes.filter((each) => each !== one)
    return one.sent.drop()
  }
  const actions: Record<string, (number: number) => unknown> = {
    mutate(number) {
      const token = `m${++made}`
      const change = newChange(number, token, true)
      const isRepeatable = mixture.recipes === 'put' || (mixture.recipes === 'mixed' && made % 2 === 0)
      fates.set(token, { change, fate: 'live', since: server.at })
      say(`mutate ${token} ${change.kind} ${change.id}`)
      const before = JSON.stringify(options.map(({ queryKey }) => sync.getBase(queryKey)))
      // One row belongs to one scope.
      const scope = `s${mixture.scopes === 1 ? 0 : orderOf(change.id) % 2}`
      const handle = sync.mutate(change.kind === 'push' ? push : enlist, { change, scope, isRepeatable })
      handle.confirmed.catch(() => {})
      if (JSON.stringify(options.map(({ queryKey }) => sync.getBase(queryKey))) !== before)
        throw new Violation('a recipe changed a base')
    },
    other(number) {
      const token = `o${++made}`
      const change = newChange(number, token, false)
      say(`another: ${token} ${change.kind} ${change.id}`)
      server.commit(change, undefined, number >>> 7)
    },
    wake: () => sync.reconnect(),
    request(number) {
      const one = pick(
        writes.filter(({ outcome }) => outcome === undefined),
        number,
      )
      if (one !== undefined) serve(one, number >>> 3)
    },
    answer(number) {
      const one = pick(
        writes.filter(({ outcome }) => outcome !== undefined),
        number,
      )
      return one === undefined ? undefined : deliver(one)
    },
    loseRequest: (number) =>
      lost(
        writes.filter(({ outcome, isLost }) => outcome === undefined && !isLost),
        number,
        'lost is the request of',
      ),
    loseAnswer: (number) =>
      lost(
        writes.filter(({ outcome, isLost }) => outcome !== undefined && !isLost),
        number,
        'lost is the answer to',
      ),
    timeout(number) {
      const one = pick(
        writes.filter(({ isLost }) => !isLost),
        number,
      )
      if (one === undefined) return
      one.isLost = true
      say(`nobody waits any more for ${one.variables.change.token}`)
      return one.sent.drop()
    },
    duplicate(number) {
      const one = pick(
        writes.filter(({ outcome }) => outcome === undefined),
        number,
      )
      if (one === undefined) return
      say(`twice on its way: ${one.variables.change.token}`)
      writes.push({ ...one, isLost: true })
    },
    read(number) {
      const one = pick([...watched.values()], number)
      if (one !== undefined)
        void sync.queryClient.refetchQueries({ queryKey: one.key }, { cancelRefetch: number % 2 === 0 })
    },
    readRequest(number) {
      const one = pick(
        reads.filter(({ answered }) => answered === undefined),
        number,
      )
      if (one !== undefined) serveRead(one, number >>> 2)
    },
    readAnswer(number) {
      const one = pick(
        reads.filter(({ answered }) => answered !== undefined),
        number,
      )
      return one === undefined ? undefined : deliverRead(one)
    },
    failRead(number) {
      const one = pick(reads, number)
      if (one === undefined) return
      reads = reads.filter((each) => each !== one)
      say(`read ${one.sent.url} fails`)
      return one.sent.answer({ title: 'broken' }, { status: 500 })
    },
    loseRead(number) {
      const one = pick(reads, number)
      if (one === undefined) return
      reads = reads.filter((each) => each !== one)
      say(`read ${one.sent.url} is lost`)
      return one.sent.drop()
    },
    hangRead(number) {
      const one = pick(reads, number)
      if (one === undefined) return
      say(`read ${one.sent.url} hangs`)
      reads = reads.filter((each) => each !== one)
    },
    mount(number) {
      const one = pick(options, number)
      if (one === undefined || watched.has(nameOf(one))) return
      say(`mount ${nameOf(one)}`)
      mount(one)
    },
    unmount(number) {
      const name = pick([...watched.keys()], number)
      if (name === undefined || watched.size < 2) return
      say(`unmount ${name}`)
      watched.get(name)?.stop()
      watched.delete(name)
    },
    remove(number) {
      const one = pick(
        options.filter((each) => !watched.has(nameOf(each)) && sync.getBase(each.queryKey) !== undefined),
        number,
      )
      if (one === undefined) return
      say(`remove ${nameOf(one)}`)
      sync.queryClient.removeQueries({ queryKey: one.queryKey, exact: true })
    },
    connect,
    event: emit,
    async repeatEvent() {
      if (lastEvent !== undefined && connection !== undefined) await lastEvent()
    },
    dropEvent(number) {
      if (connection === undefined || connection.queue.length < 2) return
      const [dropped] = connection.queue.splice(number % (connection.queue.length - 1), 1)
      if (dropped === undefined) return
      say(`event at ${dropped.at} is lost`)
      // The chain shows the hole: what follows names it.
      connection.prev = `${dropped.epoch}:${dropped.at}`
    },
    cut() {
      const cut = connection?.stream
      connection = undefined
      say('the stream is cut')
      return cut?.close()
    },
    async resync() {
      if (connection === undefined) return
      const { stream, prev } = connection
      say('resync')
      connection.queue = []
      const id = server.cursor()
      connection.prev = id
      await stream.send('resync', { prev, reason: 'operator' }, id === prev ? undefined : id)
    },
    epoch() {
      if (server.at === 0) return
      const cut = connection?.stream
      connection = undefined
      server.restore()
      say(`the log begins anew: ${server.epoch}`)
      return cut?.close()
    },
    trim() {
      if (connection !== undefined) return
      say('the log is trimmed')
      server.trim()
    },
    setData(number) {
      const one = pick([...watched.entries()], number)
      if (one === undefined || one[1].data() === undefined) return
      say(`setQueryData ${one[0]}`)
      sync.queryClient.setQueryData(one[1].key, (old: unknown) => (old === undefined ? undefined : marked(old, made)))
    },
    reset(number) {
      const one = pick([...watched.values()], number)
      if (one === undefined) return
      say(`reset ${one.key.join('/')}`)
      void sync.queryClient.resetQueries({ queryKey: one.key, exact: true })
    },
    cancel(number) {
      const one = pick([...watched.values()], number)
      if (one === undefined) return
      say(`cancel ${one.key.join('/')}`)
      void sync.queryClient.cancelQueries({ queryKey: one.key, exact: true })
    },
    more(number) {
      const next = number % 2 === 0 ? undefined : watched.get('pages')?.more()
      if (next === undefined) return
      say('the next page')
      next.catch(() => {})
    },
    prefetch(number) {
      const one = pick(options, number)
      if (one === undefined) return
      say(`prefetch ${nameOf(one)}`)
      const stale = { ...one, staleTime: 0 }
      const { queryClient } = sync
      void (nameOf(one) === 'pages'
        ? queryClient.prefetchInfiniteQuery(stale as never)
        : queryClient.prefetchQuery(stale as never))
    },
    invalidate(number) {
      const one = pick([...watched.values()], number)
      if (one === undefined) return
      say(`invalidate ${one.key.join('/')}`)
      void sync.queryClient.invalidateQueries({ queryKey: one.key })
    },
    tick: (number) => clock.advance(number % 1_500),
  }

  /** Until nothing moves. */
  async function calm(): Promise<void> {
    let idle = 0
    for (let round = 0; round < 900 && idle < 14; round++) {
      sync.reconnect()
      await settle()
      const [write] = writes
      const [read] = reads
      idle++
      if (write !== undefined) {
        idle = 0
        if (write.outcome === undefined) serve(write, 1 + round * 7)
        else await deliver(write)
      } else if (read !== undefined) {
        idle = 0
        if (read.answered === undefined) serveRead(read, round)
        else await deliverRead(read)
      } else if (mixture.stream !== 'none' && connection === undefined) {
        await connect()
        if (connection === undefined) await clock.advance(10_000)
      } else if (connection !== undefined && connection.queue.length > 0) {
        idle = 0
        await emit()
      } else {
        // Nobody but the application asks again for a first load that failed.
        for (const { key, data } of watched.values())
          if (data() === undefined)
            void sync.queryClient.refetchQueries({ queryKey: key, exact: true }, { cancelRefetch: false })
        await clock.advance(10_000)
      }
      await settle()
      check()
    }
  }

  return {
    trace,
    reached,
    async begin() {
      sync.start()
      const [first] = options
      if (first !== undefined) mount(first)
      await settle()
    },
    async step(action: string, number: number) {
      if (mixture.stream === 'none' && OF_STREAM.includes(action)) return
      hasActed = false
      await actions[action]?.(number)
      if (hasActed && FAULTS.includes(action)) reach('fault', action)
      if (hasActed && ACTS.includes(action)) reach('act', action)
      await settle()
      check()
    },
    async quiesce() {
      say('--- the faults stop')
      await calm()
      checkSettled('after the faults')
      if (mixture.stream !== 'none') checkEqual('after the faults')
      say('--- everything is read again')
      void sync.queryClient.invalidateQueries()
      await calm()
      checkSettled('after a reread')
      checkEqual('after a reread')
    },
    async end() {
      for (const { stop } of watched.values()) stop()
      await sync.close()
    },
  }
}

function rowsIn(name: string, data: unknown): Row[] {
  if (data === undefined || data === null) return []
  if (name === 'list') return data as Row[]
  if (name === 'wrapped') return (data as { items: Row[] }).items
  return name === 'pages' ? (data as Pages).pages.flatMap(({ items }) => items) : [data as Row]
}

const show = (rows: readonly Row[]): string =>
  `[${rows.map(({ id, tokens }) => `${id}(${tokens.join(' ')})`).join(', ')}]`

/** Without what anybody has written. */
function stripped(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data ?? null), (name, value) => (name === 'tokens' ? [] : value))
}

/** What an application's own change of cached data leaves there. */
function marked(old: unknown, mark: number): unknown {
  if (Array.isArray(old)) return old.map((row: object, i) => (i === 0 ? { ...row, mark } : row))
  return { ...(old as object), mark }
}

/** The data with this row in the place of the one that it had, or at its end. */
function put(old: unknown, row: Row): unknown {
  if (old === undefined) return old
  const within = (rows: readonly Row[]) =>
    rows.some(({ id }) => id === row.id) ? rows.map((each) => (each.id === row.id ? row : each)) : [...rows, row]
  if (Array.isArray(old)) return within(old as Row[])
  if ('items' in (old as object)) return { ...(old as object), items: within((old as { items: Row[] }).items) }
  return (old as Row).id === row.id ? row : old
}

const VALUES: Record<string, readonly string[]> = {
  reads: ['exact', 'cursor', 'plain', 'mixed'],
  answers: ['exact', 'cursor', 'plain', 'mixed'],
  stream: ['none', 'named', 'nameless', 'mixed'],
  events: ['patch', 'state', 'invalidate', 'both', 'mixed'],
  apply: ['none', 'rows', 'set', 'update'],
  recipes: ['push', 'put', 'mixed'],
  queries: QUERIES,
  scopes: ['1', '2'],
  versions: ['in rows', 'in events'],
  act: ACTS,
  fault: FAULTS,
  event: ['patch', 'state', 'invalidate', 'both'],
}

/** Every pair of settings, acts, faults and events that one run can have, as `dimension:value × dimension:value`. */
export function reachable(): string[] {
  const all = Object.entries(VALUES).flatMap(([dimension, values]) =>
    values.map((value) => [dimension, value] as const),
  )
  const isOfStream = ([dimension, value]: readonly [string, string]) =>
    dimension === 'event' || (dimension === 'fault' && OF_STREAM.includes(value))
  const isMade = (value: string, events: string) =>
    events === 'mixed' ||
    events === value ||
    (events === 'both' && value !== 'state') ||
    (events === 'state' && value === 'invalidate')
  const isPossible = (a: readonly [string, string], b: readonly [string, string]): boolean => {
    if (a[0] === b[0]) return ['queries', 'act', 'fault'].includes(a[0]) && a[1] !== b[1]
    if (a[0] === 'stream' && a[1] === 'none') return !isOfStream(b)
    if (a[0] === 'events' && b[0] === 'event') return isMade(b[1], a[1])
    return true
  }
  return all.flatMap((a, i) =>
    all.slice(i + 1).flatMap((b) => {
      if (!isPossible(a, b) || !isPossible(b, a)) return []
      return [
        [a, b]
          .map((each) => each.join(':'))
          .sort()
          .join(' × '),
      ]
    }),
  )
}
