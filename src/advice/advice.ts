/**
 * Sentences for a developer about mistakes that are no errors: nothing throws, and nothing happens. It watches the client
 * and changes nothing; a production build leaves it out, which is why nothing but `client.ts` imports it. Each sentence is
 * said once for its topic.
 */
import { canonical } from '../base/key'
import type { Op } from '../data/recipes'
import { isOfRow, rowNameOf, rowsNamedBy } from '../data/verbs'
import type { Layer } from '../evidence/evidence'
import type { Clock } from '../platform/clock'
import type { Core } from '../queries/core'
import type { Cache } from '../queries/queries'
import type { ChangeMessage } from '../stream/target'
import type { AnyMutation } from '../writes/definition'
import type { MutationHandle } from '../writes/handle'
import { isResponse } from '../writes/returned'
import type { Write } from '../writes/write'
import type { Queue } from '../writes/writes'
import type { ClientFields, Remark } from './fields'
import { remarksOnClient, remarksOnFilter, remarksOnMutation, remarksOnQuery } from './fields'
import { remarksOnKeys } from './keys'
import { remarksOnPush } from './pushes'
import { faultOfRows, isPlaced, whyNothing } from './rows'

/** What a client tells its adviser. */
export interface Advice {
  /** A write was recorded by this page. */
  wrote(handle: MutationHandle): void
  /** A person's word on an entry: `retry`, `edit`, `discard`, `resolve`. */
  asked(call: string, id: string): void
  /** A transaction of the stream is about to be applied. */
  pushed(messages: readonly ChangeMessage[]): void
  /** A write names these keys to be read again. */
  invalidated(keys: ReadonlyArray<readonly unknown[]>): void
  /** The client was started, or stopped or closed: somebody minds it. */
  minded(): void
  /** The client is closed: nothing holds it any more. */
  stop(): void
  /** A provider shows this client's views from now on. Returns what ends it. */
  provided(): () => void
  /** Somebody asks what is pending. */
  filtered(filter: object | undefined): void
  /** A hook was given this mutation, or a copy of one. */
  hooked(mutation: AnyMutation): void
}

/** Where adapters find it on a client. */
export const ADVICE: symbol = Symbol.for('tidemark.advice')

export interface AdviceDeps {
  cache: Cache
  queue: Queue
  clock: Clock
  /** As they were given. */
  options: ClientFields
}

type CacheEvent = Parameters<Parameters<ReturnType<Cache['queryClient']['getQueryCache']>['subscribe']>[0]>[0]
type Observer = { getCurrentQuery(): { queryKey: readonly unknown[] } }

/** Ids of own writes that are remembered, so that a second click on an entry that has just left is no mistake. */
const KNOWN_IDS = 1000

/** Milliseconds that a write may wait for a client to be started. */
const START_TIME = 5000

export function createAdvice({ cache, queue, clock, options }: AdviceDeps): Advice {
  const { core } = cache
  const say = ({ topic, text }: Remark): void => core.aids?.say(topic, text)
  const ids = new Set<string>()
  const checked = new Set<string>()
  const direct = new Set<Observer>()
  let providers = 0
  const waiting = createStartWatch(clock, say)

  for (const remark of [...remarksOnClient(options), ...(options.mutations ?? []).flatMap(remarksOnMutation)])
    say(remark)

  const unsubscribe = cache.queryClient.getQueryCache().subscribe((event) => {
    if (event.type === 'removed') checked.delete(event.query.queryHash)
    if (event.type === 'added') remarksOnQuery(event.query.options as never).forEach(say)
    if (event.type === 'observerAdded') watched(event)
    if (event.type === 'observerRemoved') direct.delete(event.observer as unknown as Observer)
    if (event.type === 'added' || (event.type === 'updated' && event.action.type === 'success'))
      core.announce(() => checkData(core, checked, event.query.queryHash).forEach(say))
  })

  function watched({ query, observer }: Extract<CacheEvent, { type: 'observerAdded' }>): void {
    remarksOnQuery(observer.options as never).forEach(say)
    if (options.stream) waiting.begin()
    // An observer of the view client is built on a face of the query, and not on the query itself.
    const seen = observer as unknown as Observer
    const isDirect = seen.getCurrentQuery() === (query as unknown)
    if (!isDirect || core.cells.get(query.queryHash)?.optimistic === false) return
    direct.add(seen)
    if (providers > 0) say(remarkOnDirect(query.queryKey))
  }

  return {
    wrote(handle) {
      ids.add(handle.id)
      for (const oldest of ids) if (ids.size > KNOWN_IDS) ids.delete(oldest)
      waiting.begin()
      const write = queue.log.writes.get(handle.id)
      if (write === undefined) return
      noteShared(queue, write, say)
      noteScope(write, say)
      noteNothing(core, write, say)
      noteAnswer(handle, write, say)
    },
    asked(call, id) {
      const { writes, ended } = queue.log
      const { failed, quarantined } = ended
      if (ids.has(id) || writes.has(id) || [...failed, ...quarantined].some((entry) => entry.id === id)) return
      const text = `sync.${call}(${JSON.stringify(id)}) did nothing, for no entry of the outbox has this id: take the id of an entry of sync.outbox.`
      say({ topic: `unknown id ${call}`, text })
    },
    pushed(messages) {
      const asked = options.stream ? options.stream.options.topics : undefined
      const typesOf = (id: string): readonly string[] => typesIn(queue.log.writes.get(id)?.ops ?? [])
      const topics = asked === 'queries' ? cache.topics() : Array.isArray(asked) ? asked : []
      remarksOnPush(messages, { cells: core.cells.values(), asked: topics, typesOf }).forEach(say)
    },
    invalidated: (keys) => remarksOnKeys('A write invalidates', keys, core.cells.values()).forEach(say),
    stop() {
      unsubscribe()
      waiting.end()
    },
    minded: waiting.end,
    provided() {
      providers++
      const [first] = direct
      if (first !== undefined) say(remarkOnDirect(first.getCurrentQuery().queryKey))
      return () => void providers--
    },
    filtered: (filter) => remarksOnFilter({ ...filter }).forEach(say),
    hooked: (mutation) => remarksOnMutation(mutation).forEach(say),
  }
}

/** A client that writes, or watches with a stream, is to be started within a while. */
function createStartWatch(clock: Clock, say: (remark: Remark) => void): { begin(): void; end(): void } {
  let isOver = false
  let cancel: (() => void) | undefined
  const text =
    'This sync client was never started, so nothing is sent and no stream is open: render <SyncProvider client={sync}>, call app.use(syncPlugin, { client: sync }), or call sync.start().'
  return {
    begin() {
      if (!isOver) cancel ??= clock.after(START_TIME, () => say({ topic: 'never started', text }))
    },
    end() {
      isOver = true
      cancel?.()
    },
  }
}

/** A key that is written wrong looks like a query that nobody has fetched yet. */
function noteNothing(core: Core, layer: Layer, say: (remark: Remark) => void): void {
  if (layer.ops.length === 0 || isPlaced(core, layer)) return
  const text = whyNothing(core, layer)
  if (text !== undefined) say({ topic: `nothing ${canonical(layer.mutationKey)}`, text })
}

function noteAnswer(handle: MutationHandle, { mutationKey }: Write, say: (remark: Remark) => void): void {
  const key = canonical(mutationKey)
  const text = `"mutationFn" of mutation ${key} resolved with the Response itself, which nobody reads: return (await answer.json()), or nothing.`
  handle.confirmed.then(
    (data) => {
      if (isResponse(data)) say({ topic: `response of mutation ${key}`, text })
    },
    () => {},
  )
}

function typesIn(ops: readonly Op[]): readonly string[] {
  return [...new Set(ops.filter(isOfRow).map(({ entity }) => entity.type))]
}

function remarkOnDirect(queryKey: readonly unknown[]): Remark {
  const text = `A hook of query ${canonical(queryKey)} was given the QueryClient itself, so it shows what the server said without the pending writes: give it sync.viewClient, or say "optimistic: false" in the query if that is meant.`
  return { topic: 'direct observer', text }
}

/** Data that no recipe and no push can address; each query is looked at once. */
function checkData(core: Core, checked: Set<string>, hash: string): Remark[] {
  const cell = core.cells.get(hash)
  if (cell?.base === undefined || checked.has(hash)) return []
  checked.add(hash)
  const text = `Query ${canonical(cell.query.queryKey)} has a Response as its data: its "queryFn" returns the answer itself; return (await answer.json()).`
  if (isResponse(cell.base.data)) return [{ topic: `response of query ${hash}`, text }]
  const fault = faultOfRows(cell)
  return fault === undefined ? [] : [{ topic: `rows ${hash}`, text: fault }]
}

/** The same row belongs to the same scope: scopes are sent side by side, so their order at the server is anybody's. */
function noteShared({ log }: Queue, { ops, scope: own, mutationKey }: Write, say: (remark: Remark) => void): void {
  const rows = new Set(rowsNamedBy(ops))
  if (rows.size === 0) return
  for (const [scope, others] of log.scopes) {
    if (scope === own) continue
    const shared = others
      .flatMap((other) => other.ops)
      .filter(isOfRow)
      .find((op) => rows.has(rowNameOf(op)))
    if (shared === undefined) continue
    const key = canonical(mutationKey)
    const text = `Mutation ${key} changes ${shared.entity.type} ${shared.id} in scope "${own}" while scope "${scope}" changes it too. Scopes are sent side by side: give writes to one row one scope.`
    say({ topic: `scopes ${key} ${scope}`, text })
    return
  }
}

/** A scope of another form counts as none: the write waits behind all others. */
function noteScope({ record, mutation }: Write, say: (remark: Remark) => void): void {
  const { scope } = mutation ?? {}
  if (typeof scope !== 'function' || record.scope !== '') return
  const given: unknown = scope(record.variables as never)
  if (typeof (given as { id?: unknown } | undefined)?.id === 'string') return
  const key = canonical(record.mutationKey)
  const text = `The "scope" of mutation ${key} returned ${JSON.stringify(given)}, which counts as none: return { id: 'todos' }.`
  say({ topic: `mutation scope ${key}`, text })
}
