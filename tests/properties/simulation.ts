// One client, a server with a total order and a faulty network. A run is a list of [action, number] pairs, so that it
// replays exactly and can be shrunk. A query's data is a document whose tokens are the writes that the server applied to
// it: a token twice is a write shown twice, a token missing is a flicker, tokens out of order are a wrong order.
import fc from 'fast-check'
import type { StreamMessage, SyncClient } from 'tidemark'
import {
  createQueryStore,
  createSyncClient,
  defineMutation,
  entity,
  QueryClient,
  queryOptions,
  seededRandom,
  syncStream,
} from 'tidemark'
import type { VirtualClock } from '../kit/clock'
import { virtualClock } from '../kit/clock'
import type { ScriptedNetwork, Sent, SentStream } from '../kit/network'
import { scriptedNetwork } from '../kit/network'

export interface Kind {
  /** Reads take `Sync-Pending` and answer `Sync-Reflects`. */
  reflects?: boolean
  /** Reads, answers and events carry cursors. */
  cursors?: boolean
  stream?: 'none' | 'invalidate' | 'patch'
  /** Events name the mutations that they contain. */
  echo?: boolean
  /** Some patches cannot be applied to some of the queries they concern. */
  patchSome?: boolean
  /** Answers carry data of some of the queries they touch: `'set'` whole queries, `'row'` rows. */
  answerData?: 'set' | 'row' | false
  /** A replayed answer may be 'already done': no cursor, no data. */
  noBodyDup?: boolean
  /** Reads may come from a replica so many writes behind. */
  lag?: number
  conflicts?: boolean
  auth?: boolean
  rejects?: boolean
  faults?: boolean
  mounts?: boolean
  scopes?: number
  queries?: number
  /** Every recipe is repeatable, every second one, or none. */
  repeatable?: 'all' | 'some' | 'none'
  /** Most ids that the server reads from one request. */
  pendingMax?: number
}

export type Step = readonly [action: string, number: number]

export interface Doc {
  id: string
  version: number
  tokens: string[]
}

interface Operation {
  root: string
  id: string | undefined
  touches: string[]
  at: number
}

interface Outcome {
  kind: 'ok' | 'refused' | 'conflict'
  at: number
  docs: Record<string, Doc>
  named: string[]
}

interface Variables {
  root: string
  touches: string[]
  scope: string
  repeatable: boolean
}

class Violation extends Error {}

const docRow = entity<Doc>('doc')

const WEIGHTS: Record<string, number> = {
  mutate: 5,
  wake: 5,
  request: 9,
  answer: 9,
  loseRequest: 1.5,
  loseAnswer: 2,
  duplicate: 1,
  timeout: 2,
  other: 4,
  read: 4,
  readRequest: 8,
  readAnswer: 8,
  loseRead: 0.7,
  mount: 1.5,
  unmount: 1,
  evict: 0.5,
  cut: 1,
  connect: 3,
  event: 10,
  dropEvent: 0.4,
  repeatEvent: 1,
  auth: 2,
  tick: 2,
  skew: 0.5,
}
const FAULTS = ['loseRequest', 'loseAnswer', 'duplicate', 'timeout', 'loseRead', 'cut', 'dropEvent']
const STREAM = ['cut', 'connect', 'event', 'dropEvent', 'repeatEvent']

/** Steps that make sense against this kind of server, the usual ones more often. */
export function steps(kind: Kind, most: number): fc.Arbitrary<Step[]> {
  const names = Object.entries(WEIGHTS).filter(
    ([name]) =>
      ((kind.stream ?? 'none') !== 'none' || !STREAM.includes(name)) &&
      (kind.auth === true || name !== 'auth') &&
      (kind.mounts !== false || !['mount', 'unmount', 'evict'].includes(name)) &&
      (kind.faults !== false || !FAULTS.includes(name)),
  )
  const action = fc.oneof(
    ...names.map(([name, weight]) => ({ weight: Math.round(weight * 10), arbitrary: fc.constant(name) })),
  )
  return fc.array(fc.tuple(action, fc.nat(2 ** 31 - 1)), {
    minLength: Math.floor(most / 2),
    maxLength: most,
    size: 'max',
  })
}

export interface Result {
  ok: boolean
  why: string
  trace: string[]
}

/** Runs a script, then lets the faults stop, and checks everything on the way and at the end. */
export async function run(kind: Kind, steps: readonly Step[], { trace = false } = {}): Promise<Result> {
  const world = createSimulation(kind, trace)
  try {
    await world.begin()
    for (const [action, number] of steps) await world.step(action, number)
    await world.quiesce()
    return { ok: true, why: '', trace: world.trace }
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    world.trace.push(`VIOLATION ${error.message}`)
    return { ok: false, why: error.message, trace: world.trace }
  } finally {
    await world.end()
  }
}

interface ReadTravelling {
  sent: Sent
  query: string
  answered?: { doc: Doc; at: number; reflects: string[] }
}
interface WriteTravelling {
  sent: Sent
  variables: Variables
  id: string
  lost: boolean
  outcome?: Outcome & { replayed: boolean; unauthorized?: boolean }
}
interface Watched {
  stop: () => void
  data: () => Doc | undefined
}

function createSimulation(kindOption: Kind, tracing: boolean) {
  const kind = {
    cursors: true,
    stream: 'none',
    echo: true,
    rejects: true,
    faults: true,
    scopes: 1,
    queries: 1,
    pendingMax: 64,
    repeatable: 'none',
    ...kindOption,
  } as Required<Kind>
  const names = Array.from({ length: kind.queries }, (_, at) => `q${at + 1}`)
  const trace: string[] = []
  const say = (text: string) => void (tracing && trace.push(text))
  const clock: VirtualClock = virtualClock()
  const net: ScriptedNetwork = scriptedNetwork()
  const truth = new Map<string, { touches: string[]; fate: 'live' | 'refused' }>()
  const watched = new Map<string, Watched>()
  const lastAt = new Map<string, number>()
  const firstDelivery: Array<{ scope: string; root: string }> = []
  let writes: WriteTravelling[] = []
  let reads: ReadTravelling[] = []
  let made = 0
  let violation: Violation | undefined
  let published = 0
  const sequences = new Map<string, { scope: string; sequence: number }>()
  const lastSequence = new Map<string, number>()

  // ------------------------------------------------------------------ server
  const server = {
    at: 0,
    operations: [] as Operation[],
    outcomes: new Map<string, Outcome>(),
    events: [] as ServerEvent[],
  }
  interface ServerEvent {
    at: number
    touches: string[]
    data: Record<string, unknown>
    name: string
  }
  let connection: { stream: SentStream; queue: ServerEvent[]; last: number } | undefined
  let lastEvent: { name: string; data: unknown; id: string } | undefined
  const cursor = (at: number) => `e:${at}`
  const doc = (query: string, at: number): Doc => {
    const applied = server.operations.filter((operation) => operation.at <= at && operation.touches.includes(query))
    return { id: query, version: applied.length, tokens: applied.map(({ root }) => root) }
  }
  const contains = (id: string, at: number) =>
    server.operations.some((operation) => operation.id === id && operation.at <= at)

  function commit(root: string, id: string | undefined, touches: string[]): void {
    server.at++
    server.operations.push({ root, id, touches, at: server.at })
    if (server.operations.filter((operation) => operation.root === root).length > 1)
      throw new Violation(`I6 ${root} took effect twice at the server`)
    if (kind.stream === 'none') return
    const mutations = kind.echo ? (id === undefined ? [] : [{ id }]) : undefined
    const patchable = touches.filter((query) => !(kind.patchSome && (server.at + query.charCodeAt(1)) % 2 === 0))
    const data =
      kind.stream === 'invalidate' || patchable.length < touches.length
        ? { keys: touches.map((query) => ['doc', query]), mutations }
        : {
            mutations,
            changes: touches.map((query) => {
              const version = doc(query, server.at).version
              const value = [
                { op: 'add', path: '/tokens/-', value: root },
                { op: 'replace', path: '/version', value: version },
              ]
              return { op: 'patch', type: 'doc', id: query, base: version - 1, version, value }
            }),
          }
    const event = { at: server.at, touches, data, name: 'keys' in data ? 'invalidate' : 'patch' }
    server.events.push(event)
    connection?.queue.push(event)
  }

  function serve(write: WriteTravelling, number: number): void {
    const { id, variables } = write
    const stored = server.outcomes.get(id)
    if (stored !== undefined) {
      write.outcome = { ...stored, replayed: true }
      if (kind.noBodyDup && stored.kind === 'ok' && number % 2 === 1)
        write.outcome = { ...write.outcome, docs: {}, named: [], at: -1 }
      return
    }
    if (kind.auth && number % 7 === 0) {
      write.outcome = { kind: 'ok', at: 0, docs: {}, named: [], replayed: false, unauthorized: true }
      return
    }
    let outcome: Outcome
    if (kind.rejects && number % 5 === 0) outcome = { kind: 'refused', at: server.at, docs: {}, named: [] }
    else if (kind.conflicts && number % 5 === 1) outcome = { kind: 'conflict', at: server.at, docs: {}, named: [] }
    else {
      commit(variables.root, id, variables.touches)
      const named = write.sent.names.slice(0, kind.pendingMax)
      outcome = {
        kind: 'ok',
        at: server.at,
        docs: kind.answerData ? answerDocs(variables.touches, number) : {},
        named: named.filter((each) => contains(each, server.at)),
      }
    }
    server.outcomes.set(id, outcome)
    firstDelivery.push({ scope: variables.scope, root: variables.root })
    write.outcome = { ...outcome, replayed: false }
  }

  function answerDocs(touches: string[], number: number): Record<string, Doc> {
    return Object.fromEntries(
      touches
        .filter((query) => !(number % 3 === 2 && query !== touches[0]))
        .map((query) => [query, doc(query, server.at)]),
    )
  }

  // ------------------------------------------------------------------ client
  const queryOf = (query: string) =>
    queryOptions({
      queryKey: ['doc', query],
      queryFn: ({ fetch }) => fetch(`/doc/${query}`).then((response): Promise<Doc> => response.json()),
      rows: [docRow, (data) => data],
    })
  const append = defineMutation({
    mutationKey: ['append'],
    mutationFn: (variables: Variables, { fetch }) =>
      fetch('/append', { body: JSON.stringify(variables) }).then(
        (response): Promise<{ docs: Record<string, Doc> }> => response.json(),
      ),
    optimistic(view, { root, touches, repeatable }) {
      for (const query of touches) {
        view.row(docRow, query).update((draft) => {
          if (!repeatable || !draft.tokens.includes(root)) draft.tokens.push(root)
        })
      }
    },
    apply(base, { docs }) {
      for (const [query, data] of Object.entries(docs)) {
        if (kind.answerData === 'row') base.upsert(docRow, data)
        else base.set(['doc', query], data as never)
      }
    },
    scope: ({ scope }) => ({ id: scope }),
  })
  const sync: SyncClient = createSyncClient({
    queryClient: new QueryClient({
      defaultOptions: {
        queries: { retry: false, gcTime: Number.POSITIVE_INFINITY, staleTime: Number.POSITIVE_INFINITY },
      },
    }),
    mutations: [append],
    breaker: { threshold: 1_000_000 },
    onReport: (report) => say(`   report ${report.code}: ${report.message}`),
    ...(kind.stream === 'none'
      ? undefined
      : { stream: syncStream({ url: '/stream', ...(kind.cursors ? undefined : { decode }) }) }),
    platform: {
      clock,
      random: seededRandom(7),
      network: net.network,
      fetch: net.fetch,
      development: false,
      console: { warn: () => {} },
    },
  })

  function decode({ event, data }: { event: string; data: string }): StreamMessage[] {
    return [{ ...(JSON.parse(data) as object), event } as StreamMessage]
  }

  function mount(query: string): void {
    const store = createQueryStore(sync, queryOf(query))
    const seen = { data: store.getState().data }
    const stop = store.subscribe(({ data }) => {
      if (!Object.is(data, seen.data)) published++
      seen.data = data
      checkView(query)
    })
    watched.set(query, { stop, data: () => store.getState().data })
  }

  // ------------------------------------------------------------------ checks
  function check(): void {
    for (const query of names) {
      if (watched.has(query)) checkView(query)
      checkBase(query)
    }
    if (violation !== undefined) throw violation
  }

  function checkView(query: string): void {
    const data = watched.get(query)?.data()
    if (data === undefined || violation !== undefined) return
    const own = data.tokens.filter((token) => token.startsWith('m'))
    const shown = `[${data.tokens.join(' ')}]`
    const fail = (text: string) => {
      violation ??= new Violation(`${text} in ${query}: ${shown}, base ${JSON.stringify(sync.getBase(['doc', query]))}`)
    }
    if (new Set(own).size !== own.length) fail('I9 a write is shown twice')
    for (const [root, { touches, fate }] of truth) {
      if (!touches.includes(query)) continue
      if (fate === 'live' && !own.includes(root)) fail(`I4 ${root} is missing`)
      if (fate === 'refused' && own.includes(root)) fail(`I8 refused ${root} is shown`)
    }
  }

  function checkBase(query: string): void {
    const state = sync.queryClient.getQueryState(['doc', query]) as { cursor?: string } | undefined
    const base = sync.getBase(['doc', query]) as Doc | undefined
    if (base === undefined || state?.cursor === undefined) return
    const at = Number(state.cursor.slice(2))
    const before = lastAt.get(query) ?? 0
    if (at < before) throw new Violation(`I3 base of ${query} went back from ${before} to ${at}`)
    lastAt.set(query, at)
    const candidates =
      kind.answerData === 'row' ? Array.from({ length: server.at - at + 1 }, (_, step) => at + step) : [at]
    if (!candidates.some((each) => doc(query, each).tokens.join() === base.tokens.join())) {
      throw new Violation(
        `I2 base of ${query} at ${at} is [${base.tokens.join(' ')}], the server had [${doc(query, at).tokens.join(' ')}]`,
      )
    }
  }

  /** Dense within a scope, given at first send, kept over every retry. */
  function checkSequence({ headers, id }: Sent): void {
    const scope = headers.get('sync-scope') ?? ''
    const sequence = Number(headers.get('sync-sequence'))
    const known = sequences.get(id ?? '')
    if (known !== undefined && (known.sequence !== sequence || known.scope !== scope))
      throw new Violation(`I12 ${id} was sent as ${known.sequence}, now as ${sequence}`)
    if (known !== undefined) return
    const last = lastSequence.get(scope) ?? 0
    if (sequence !== last + 1) throw new Violation(`I12 sequence ${sequence} of scope ${scope} follows ${last}`)
    lastSequence.set(scope, sequence)
    sequences.set(id ?? '', { scope, sequence })
  }

  /** What is delivered again changes no reference and tells nobody. */
  async function unchanged(run: () => Promise<void>): Promise<void> {
    await settle()
    const before = names.map((query) => [sync.getView(['doc', query]), sync.getBase(['doc', query])])
    const count = published
    await run()
    const after = names.map((query) => [sync.getView(['doc', query]), sync.getBase(['doc', query])])
    if (before.some((pair, at) => pair.some((value, which) => !Object.is(value, after[at]?.[which]))))
      throw new Violation('I10 an event delivered again changed something')
    if (published !== count) throw new Violation('I10 an event delivered again told somebody')
  }

  /** Time alone decides nothing: what was pending is pending, what had failed has failed. */
  async function undecided(run: () => Promise<void>): Promise<void> {
    const standing = () => {
      const { entries, failed } = sync.outbox.getState()
      const pending = entries.filter(({ status }) => status !== 'confirmed')
      return [...pending, ...failed]
        .map(({ id, failure }) => `${id} ${failed.length} ${failure?.code === 'rejected'}`)
        .join()
    }
    const before = standing()
    await run()
    if (standing() !== before) throw new Violation(`I11 time alone decided: ${before} became ${standing()}`)
  }

  /** Nothing is kept that nobody lacks. */
  async function checkBounded(): Promise<void> {
    for (const query of names) if (!watched.has(query)) sync.queryClient.removeQueries({ queryKey: ['doc', query] })
    await settle()
    const { entries } = sync.outbox.getState()
    if (entries.length > 0)
      throw new Violation(
        `I19 the log still has ${entries.map(({ variables }) => (variables as Variables).root).join()}`,
      )
  }

  function checkOrder(): void {
    const pos = new Map([...truth.keys()].map((root, at) => [root, at]))
    const last = new Map<string, number>()
    const seen = new Set<string>()
    for (const { scope, root } of firstDelivery) {
      if (seen.has(root)) continue
      seen.add(root)
      const at = pos.get(root) ?? 0
      if (at < (last.get(scope) ?? -1)) throw new Violation(`I5 ${root} reached the server out of order`)
      last.set(scope, at)
    }
  }

  // ------------------------------------------------------------------ steps
  const pick = <T>(list: readonly T[], number: number): T | undefined => list[number % Math.max(1, list.length)]

  async function settle(): Promise<void> {
    await clock.settle()
    for (const sent of net.waiting.splice(0)) {
      if (sent.method === 'POST') checkSequence(sent)
      if (sent.method === 'POST')
        writes.push({ sent, variables: sent.body as Variables, id: sent.id ?? '', lost: false })
      else reads.push({ sent, query: sent.url.slice('/doc/'.length) })
      say(
        `   ${sent.method} ${sent.url} leaves${sent.id ? ` as ${sent.id.slice(-4)} for ${(sent.body as Variables).root}` : ''}${sent.names.length > 0 ? `, names ${sent.names.map((id) => id.slice(-4)).join()}` : ''}`,
      )
    }
    reads = reads.filter(({ sent }) => !sent.aborted)
    if (connection !== undefined && !connection.stream.open) connection = undefined
  }

  async function deliver(write: WriteTravelling): Promise<void> {
    writes = writes.filter((each) => each !== write)
    const { outcome, variables, sent } = write
    if (outcome === undefined || write.lost) return
    say(
      `answer to ${variables.root}: ${outcome.unauthorized ? '401' : outcome.kind} at ${outcome.at}${outcome.replayed ? ' (replayed)' : ''} with ${Object.keys(outcome.docs).join()}`,
    )
    const headers: Record<string, string> = {}
    if (kind.cursors && outcome.at >= 0) headers['sync-cursor'] = cursor(outcome.at)
    if (outcome.unauthorized) return await sent.answer({ title: 'who are you' }, { status: 401 })
    if (outcome.kind === 'refused') {
      const entry = truth.get(variables.root)
      if (entry !== undefined) entry.fate = 'refused'
      return await sent.answer({ title: 'no' }, { status: 422 })
    }
    if (outcome.kind === 'conflict') {
      // After three rounds the client gives the change up.
      const rounds = sync.outbox.getState().entries.find((entry) => entry.id === write.id)?.rounds ?? 0
      if (rounds >= 3) (truth.get(variables.root) ?? { fate: 'live' }).fate = 'refused'
      return await sent.answer({ type: 'x:conflict', title: 'conflict' }, { status: 409 })
    }
    if (kind.reflects) headers['sync-reflects'] = outcome.named.join(', ')
    await sent.answer({ docs: outcome.docs }, { headers })
  }

  function serveRead(read: ReadTravelling, number: number): void {
    const least = Number(read.sent.headers.get('sync-min-cursor')?.slice(2) ?? 0)
    const at = kind.lag > 0 ? Math.min(server.at, Math.max(least, server.at - (number % (kind.lag + 1)), 0)) : server.at
    read.answered = {
      doc: doc(read.query, at),
      at,
      reflects: read.sent.names.slice(0, kind.pendingMax).filter((id) => contains(id, at)),
    }
    say(`server reads ${read.query} at ${at}: [${read.answered.doc.tokens.join(' ')}]`)
  }

  async function deliverRead(read: ReadTravelling): Promise<void> {
    reads = reads.filter((each) => each !== read)
    const { answered, sent } = read
    if (answered === undefined) return
    say(`read of ${read.query} arrives at ${answered.at}: [${answered.doc.tokens.join(' ')}]`)
    const headers: Record<string, string> = {}
    if (kind.cursors) headers['sync-cursor'] = cursor(answered.at)
    if (kind.reflects && sent.names.length <= kind.pendingMax) headers['sync-reflects'] = answered.reflects.join(', ')
    await sent.answer(answered.doc, { headers })
  }

  async function connect(): Promise<void> {
    if (connection !== undefined || kind.stream === 'none') return
    sync.reconnect()
    await clock.advance(2500)
    const stream = net.streams.at(-1)
    if (stream === undefined || !stream.open) return
    const resumeAt = stream.headers.get('last-event-id')
    if (!kind.cursors) {
      connection = { stream, queue: [], last: server.at }
      return
    }
    const from = resumeAt === null ? server.at : Number(resumeAt.slice(2))
    connection = { stream, queue: server.events.filter((event) => event.at > from), last: from }
    say(`stream connects at ${from}`)
    await stream.send('hello', {
      protocol: 1,
      epoch: 'e',
      resume: resumeAt === null ? 'fresh' : 'continued',
      cursor: cursor(from),
      heartbeat: 120_000,
    })
  }

  async function emit(again: boolean): Promise<void> {
    if (connection === undefined) return
    if (again) {
      if (lastEvent === undefined || !kind.cursors) return
      const { stream } = connection
      const { name, data, id } = lastEvent
      await unchanged(() => stream.send(name, data, id))
      return
    }
    const event = connection.queue.shift()
    if (event === undefined) return
    say(
      `event ${event.name} at ${event.at} of ${event.touches.join()}${kind.echo ? ` names ${JSON.stringify(event.data['mutations'])}` : ''}`,
    )
    if (!kind.cursors) return await connection.stream.send(event.name, event.data)
    lastEvent = { name: event.name, data: { ...event.data, prev: cursor(connection.last) }, id: cursor(event.at) }
    connection.last = event.at
    await connection.stream.send(lastEvent.name, lastEvent.data, lastEvent.id)
  }

  const actions: Record<string, (number: number) => unknown> = {
    mutate(number) {
      const root = `m${++made}`
      const first = (number >>> 4) % kind.queries
      const touches = [names[first] ?? 'q1']
      const second = names[(first + 1) % kind.queries]
      if (number % 3 === 0 && kind.queries > 1 && second !== undefined) touches.push(second)
      const repeatable = kind.repeatable === 'all' || (kind.repeatable === 'some' && made % 2 === 0)
      truth.set(root, { touches, fate: 'live' })
      say(`mutate ${root} (scope ${(number >>> 9) % kind.scopes}) touches ${touches.join()}`)
      const bases = () => JSON.stringify(names.map((query) => sync.getBase(['doc', query])))
      const before = bases()
      sync.mutate(append, { root, touches, scope: `s${(number >>> 9) % kind.scopes}`, repeatable })
      if (bases() !== before) throw new Violation('I18 a recipe changed a base')
    },
    wake: () => sync.reconnect(),
    request(number) {
      const write = pick(
        writes.filter((each) => each.outcome === undefined),
        number,
      )
      if (write === undefined) return
      serve(write, number >>> 3)
      say(
        `server takes ${write.variables.root}: ${write.outcome?.unauthorized ? '401' : write.outcome?.kind} at ${server.at}`,
      )
    },
    answer: (number) => {
      const write = pick(
        writes.filter((each) => each.outcome !== undefined),
        number,
      )
      return write === undefined ? undefined : deliver(write)
    },
    loseRequest(number) {
      const write = pick(
        writes.filter((each) => each.outcome === undefined && !each.lost),
        number,
      )
      if (write === undefined) return
      writes = writes.filter((each) => each !== write)
      say(`request of ${write.variables.root} is lost`)
      return write.sent.drop()
    },
    loseAnswer(number) {
      const write = pick(
        writes.filter((each) => each.outcome !== undefined && !each.lost),
        number,
      )
      if (write === undefined) return
      writes = writes.filter((each) => each !== write)
      say(`answer to ${write.variables.root} is lost`)
      return write.sent.drop()
    },
    timeout(number) {
      const write = pick(
        writes.filter((each) => !each.lost),
        number,
      )
      if (write === undefined) return
      write.lost = true
      say(`${write.variables.root} gets no answer, its request travels on`)
      return write.sent.drop()
    },
    duplicate(number) {
      const write = pick(
        writes.filter((each) => each.outcome === undefined),
        number,
      )
      if (write !== undefined) writes.push({ ...write, lost: true })
    },
    other(number) {
      const touches = [names[number % kind.queries] ?? 'q1']
      const second = names[(number + 1) % kind.queries]
      if (number % 3 === 0 && kind.queries > 1 && second !== undefined) touches.push(second)
      say(`another client writes o${server.at + 1} to ${touches.join()}`)
      commit(`o${server.at + 1}`, undefined, touches)
    },
    read(number) {
      const query = pick([...watched.keys()], number)
      if (query === undefined) return
      say(`${query} is refetched`)
      void sync.queryClient.refetchQueries({ queryKey: ['doc', query] }, { cancelRefetch: false })
    },
    readRequest(number) {
      const read = pick(
        reads.filter((each) => each.answered === undefined),
        number,
      )
      if (read !== undefined) serveRead(read, number >>> 2)
    },
    readAnswer: (number) => {
      const read = pick(
        reads.filter((each) => each.answered !== undefined),
        number,
      )
      return read === undefined ? undefined : deliverRead(read)
    },
    loseRead(number) {
      const read = pick(reads, number)
      if (read === undefined) return
      reads = reads.filter((each) => each !== read)
      say(`read of ${read.query} is lost`)
      return read.sent.drop()
    },
    mount(number) {
      const query = pick(names, number)
      if (query === undefined || watched.has(query)) return
      say(`${query} is mounted`)
      mount(query)
    },
    unmount(number) {
      const query = pick([...watched.keys()], number)
      if (query === undefined || (watched.size < 2 && kind.queries > 1)) return
      say(`${query} is unmounted`)
      watched.get(query)?.stop()
      watched.delete(query)
    },
    evict(number) {
      const query = pick(
        names.filter((name) => !watched.has(name)),
        number,
      )
      if (query === undefined) return
      say(`${query} is evicted`)
      sync.queryClient.removeQueries({ queryKey: ['doc', query] })
      lastAt.delete(query)
    },
    cut() {
      const cut = connection?.stream
      connection = undefined
      say('the stream is cut')
      return cut?.close()
    },
    connect,
    event: () => emit(false),
    repeatEvent: () => emit(true),
    dropEvent(number) {
      if (connection === undefined || connection.queue.length < 2) return
      const dropped = connection.queue.splice(number % (connection.queue.length - 1), 1)[0]
      if (dropped === undefined) return
      say(`event at ${dropped.at} is lost`)
      // The chain shows the hole: the next event's `prev` is the lost one's position.
      if (kind.cursors) connection.last = Math.max(connection.last, dropped.at)
    },
    auth: () => sync.resume(),
    tick: (number) => undecided(() => clock.advance(number % 1500)),
    // The device's clock is set, by up to ten years: no outcome may depend on it.
    skew: (number) => clock.shift((number % 2 === 0 ? 1 : -1) * (number % 315_360_000_000)),
  }

  return {
    trace,
    async begin() {
      sync.start()
      mount('q1')
      await settle()
    },
    async step(action: string, number: number) {
      await actions[action]?.(number)
      await settle()
      check()
    },
    async quiesce() {
      say('--- the faults stop')
      let idle = 0
      for (let round = 0; round < 700 && idle < 12; round++) {
        sync.resume()
        sync.reconnect()
        await settle()
        const write = writes[0]
        const read = reads[0]
        idle++
        if (write !== undefined) {
          idle = 0
          if (write.outcome === undefined) serve(write, 16 + round * 24)
          else await deliver(write)
        } else if (read !== undefined) {
          idle = 0
          if (read.answered === undefined) serveRead(read, 0)
          else await deliverRead(read)
        } else if (kind.stream !== 'none' && connection === undefined) await connect()
        else if (connection !== undefined && connection.queue.length > 0) {
          idle = 0
          await emit(false)
        } else {
          // Nobody but the application asks again for a first load that failed.
          for (const [query, { data }] of watched)
            if (data() === undefined) actions['read']?.([...watched.keys()].indexOf(query))
          await clock.advance(5000)
        }
        await settle()
        check()
      }
      finalChecks()
      await checkBounded()
    },
    async end() {
      for (const { stop } of watched.values()) stop()
      await sync.close()
    },
  }

  function finalChecks(): void {
    const { entries } = sync.outbox.getState()
    const status = sync.status.getState()
    if (status.pending > 0)
      throw new Violation(
        `L stuck: ${entries.map((entry) => `${(entry.variables as Variables).root} ${entry.status}`).join()}`,
      )
    for (const [query, { data }] of watched) {
      const shown = data()
      if (shown === undefined) throw new Violation(`L ${query} never loaded`)
      const base = sync.getBase(['doc', query]) as Doc
      if (shown.tokens.join() !== base.tokens.join())
        throw new Violation(
          `L layers are left on ${query}: [${shown.tokens.join(' ')}] over [${base.tokens.join(' ')}]`,
        )
      if (kind.stream !== 'none' && kind.cursors && doc(query, server.at).tokens.join() !== base.tokens.join()) {
        throw new Violation(
          `L ${query} is fresh and wrong: [${base.tokens.join(' ')}], the server has [${doc(query, server.at).tokens.join(' ')}]`,
        )
      }
    }
    const failed = sync.outbox.getState().failed.map(({ variables }) => (variables as Variables).root)
    for (const [root, { fate }] of truth) {
      const kept = failed.filter((each) => each === root).length
      if (kept !== (fate === 'refused' ? 1 : 0))
        throw new Violation(`I7 ${root} (${fate}) stands ${kept} times among the failed`)
      const times = server.operations.filter((operation) => operation.root === root).length
      if (times !== (fate === 'live' ? 1 : 0)) throw new Violation(`I6 ${root} (${fate}) took effect ${times} times`)
    }
    checkOrder()
  }
}
