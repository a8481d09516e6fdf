/**
 * The mutation queue: entries go out in order within a scope, scopes side by side, one id per entry however often it is
 * sent. An entry starts when it heads its scope, what it builds on is confirmed and its row is on disk.
 *
 *   queued ─► sending ─► confirmed ─► (covered) gone
 *     ▲          │ no answer          conflicted ─► resolve() ─► queued (new id)
 *     └─ retry ─ uncertain            blocked ─► retry(id) / discard(id)
 *                │ refused ─► failed list             paused ─► resume()
 */
import { createBackoff } from '../base/backoff'
import type { Cursor } from '../base/cursor'
import { createDeferred } from '../base/deferred'
import { didYouMean, SyncError, usageError } from '../base/errors'
import { canonical, wireName } from '../base/key'
import type { MutationOutcome } from '../base/messages'
import { find } from '../cache/entities'
import type { Layer } from '../cache/evidence'
import { rowName } from '../cache/evidence'
import type { Op } from '../cache/recipes'
import { fromResolution } from './conflicts'
import type { AnyMutation, DefinedMutation, Resolution } from './mutation'
import type { Entry } from './outbox'
import { send } from './send'
import { drop, recordOptimistic, reject, replace, runPlans, takeOutcomes, targetOf } from './settle'
import type { Item, MutationHandle, QueueDeps, QueueOptions, QueueState } from './state'
import { isFlowing, joinScope, leaveScope, setStatus } from './state'
import { copyVariables, stringsIn } from './variables'

export interface Queue {
  mutate<TVariables, TData>(mutation: DefinedMutation<TVariables, TData>, variables: TVariables): MutationHandle<TData>
  /** Loads what an earlier page left, then sends. Idempotent. */
  start(): Promise<void>
  stop(): void
  pause(): void
  resume(): void
  /** Sends now, without waiting for backoffs; resolves when everything that is pending now is settled. */
  flush(): Promise<void>
  /** Sends a failed or blocked entry again, as a new entry (blocked: the same). */
  retry(id: string): MutationHandle | undefined
  /** Sends a failed entry with other variables. */
  edit(id: string, variables: unknown): MutationHandle | undefined
  /** Forgets a failed entry, or gives up a pending one: its effect leaves the views. `true` if there was one. */
  discard(id: string): boolean
  /** Ends a conflict that waits for a person. */
  resolve(id: string, resolution: Resolution<never>): boolean
  /** The stream says what became of mutations. */
  takeOutcomes(outcomes: readonly MutationOutcome[], cursor: Cursor | undefined): void
  /** Waits end early: the network, the page or the stream came back. */
  wake(): void
  readonly state: QueueState
}

export function createQueue(deps: QueueDeps, options: QueueOptions): Queue {
  const state: QueueState = {
    deps,
    options,
    scopes: new Map(),
    items: new Map(),
    registered: new Set(options.mutations.values()),
    creators: new Map(),
    confirmed: new Set(),
    failed: [],
    quarantined: [],
    meta: { outboxId: deps.random.id(deps.clock.now()), nextPos: 1, sequences: {}, ownAt: undefined },
    started: false,
    ready: false,
    closing: false,
    closed: false,
    breakerTurns: 0,
    paused: false,
    needsAuth: false,
    pump: () => pump(state),
    later: new Map(),
  }
  const byLayer = new WeakMap<Layer, Item>()
  deps.cache.listen({
    onReflected: (layer) => {
      byLayer.get(layer)?.reflected.resolve()
      deps.changed()
    },
    onGone: (layer) => {
      const item = byLayer.get(layer)
      if (item === undefined) return
      item.reflected.resolve()
      if (state.confirmed.has(item)) drop(state, item)
      deps.changed()
    },
    onReadSettled: () => {
      deps.changed()
      state.pump()
    },
  })
  deps.breaker.subscribe(() => {
    state.breakerTurns++
    for (const item of state.items.values()) item.isHeldBack = false
    state.pump()
  })

  function add(entry: Entry, mutation: AnyMutation | undefined, how: 'added' | 'restored' = 'restored'): Item {
    const ops = recordOptimistic(state, mutation, entry)
    const layer = layerOf(entry, ops)
    const item = createItem(state, entry, mutation, layer)
    byLayer.set(layer, item)
    state.items.set(entry.id, item)
    for (const id of item.creates) state.creators.set(id, item)
    joinScope(state, item)
    if (deps.development) warnOfSharedRows(state, item)
    deps.cache.add(layer)
    if (deps.development) warnOfNothing(state, item)
    deps.moved(item, how)
    deps.changed()
    return item
  }

  let loading: Promise<void> | undefined
  const loaded = (): Promise<void> => {
    loading ??= load(state, add)
    return loading
  }

  // Not before the log of an earlier page is read: it says which places, and which sequences, are taken.
  function append(item: Item): MutationHandle<never> {
    loaded()
      .then(() => (state.items.has(item.entry.id) ? deps.outbox.save([item.entry], state.meta) : undefined))
      .then(
        () => item.durable.resolve(),
        (error: SyncError) => {
          // The entry lives on in memory: it is sent all the same, it just does not survive this page.
          item.isVolatile = true
          item.durable.reject(error)
          deps.changed()
          deps.report(error)
        },
      )
      .then(() => {
        item.appended = true
        state.pump()
      })
    return handleOf(state, item) as MutationHandle<never>
  }

  function create(mutation: AnyMutation, variables: unknown, replaces?: string): MutationHandle<never> {
    return append(add(newEntry(state, mutation, variables, replaces), mutation, 'added'))
  }

  return {
    state,
    mutate(mutation, variables) {
      const known = checkMutation(state, mutation as unknown as AnyMutation)
      return create(known, copyVariables(variables, deps.serializer, known.mutationKey)) as MutationHandle<never>
    },
    async start() {
      if (state.started || state.closed) return
      state.started = true
      await loaded()
      state.pump()
    },
    stop() {
      state.started = false
      for (const item of state.items.values()) {
        item.cancelRetry?.()
        item.cancelRetry = undefined
      }
    },
    pause() {
      state.paused = true
      deps.changed()
    },
    resume() {
      state.paused = false
      state.needsAuth = false
      for (const item of state.items.values()) {
        item.hasRefreshed = false
        if (item.entry.status === 'paused') setStatus(state, item, item.entry.sent ? 'uncertain' : 'queued')
      }
      deps.changed()
      state.pump()
    },
    async flush() {
      wake(state)
      await Promise.all([...state.items.values()].map((item) => item.confirmed.promise.then(noop, noop)))
    },
    retry: (id) => again(state, id, undefined, create),
    edit: (id, variables) => again(state, id, { variables }, create),
    discard: (id) => discard(state, id),
    resolve: (id, resolution) => resolve(state, id, resolution),
    takeOutcomes: (outcomes, cursor) => takeOutcomes(state, outcomes, cursor),
    wake: () => wake(state),
  }
}

const noop = (): void => {}

function checkMutation(state: QueueState, mutation: AnyMutation): AnyMutation {
  const { deps, options } = state
  if (state.closing) throw new SyncError('stopped', 'This sync client is closed; nothing is taken in any more.')
  if (options.readOnly)
    throw usageError('This sync client is read-only: it was created with "readOnly: true". Take that away to write.')
  if (state.registered.has(mutation)) return mutation
  const key = canonical(mutation?.mutationKey)
  const known = options.mutations.get(key)
  if (known === undefined) {
    const names = [...options.mutations.values()].map((each) => wireName(each.mutationKey))
    const hint = Array.isArray(mutation?.mutationKey) ? didYouMean(wireName(mutation.mutationKey), names) : ''
    throw usageError(`Mutation ${key} is not registered${hint}. Give it to createSyncClient({ mutations: [...] }).`, {
      mutationKey: mutation?.mutationKey,
    })
  }
  const twice = `Mutation ${key} was defined twice; the one given to createSyncClient is used.`
  deps.cache.core.warnOnce(`twice ${key}`, twice)
  return known
}

function newEntry(state: QueueState, mutation: AnyMutation, variables: unknown, replaces: string | undefined): Entry {
  const { clock, random } = state.deps
  const now = clock.now()
  const scope = typeof mutation.scope === 'function' ? mutation.scope(variables as never) : mutation.scope
  return {
    id: random.id(now),
    pos: state.meta.nextPos++,
    scope: scope?.id ?? '',
    deps: [],
    sequence: undefined,
    sent: false,
    mutationKey: mutation.mutationKey,
    variables,
    version: mutation.version ?? 1,
    status: 'queued',
    attempt: 0,
    confirmedAt: undefined,
    replaces,
    failure: undefined,
    before: undefined,
    baseVersion: undefined,
    rounds: 0,
    conflict: undefined,
    createdAt: now,
  }
}

function layerOf(entry: Entry, ops: readonly Op[]): Layer {
  return {
    id: entry.id,
    pos: entry.pos,
    mutationKey: entry.mutationKey,
    ops,
    sent: entry.sent,
    outcome: entry.status === 'confirmed' ? 'confirmed' : entry.status === 'conflicted' ? 'conflict' : undefined,
    confirmedAt: entry.confirmedAt,
    confirmedTick: 0,
    firstSendTick: 0,
    resent: entry.sent || entry.rounds > 0,
    live: true,
  }
}

/** A key that is written wrong looks like a query that nobody has fetched yet. */
function warnOfNothing(state: QueueState, { entry, layer }: Item): void {
  const { core } = state.deps.cache
  if (layer.ops.length === 0 || core.touchedBy(layer).size > 0) return
  const key = JSON.stringify(entry.mutationKey)
  core.warnOnce(
    `nothing ${key}`,
    `Mutation ${key} touches no query that is cached: nothing of it is shown before one of its queries is fetched.`,
  )
}

/** The same row belongs to the same scope: scopes are sent side by side, so their order at the server is anybody's. */
function warnOfSharedRows(state: QueueState, item: Item): void {
  const rows = new Set(item.layer.ops.flatMap((op) => ('entity' in op ? [rowName(op.entity.type, op.id)] : [])))
  if (rows.size === 0) return
  for (const [scope, others] of state.scopes) {
    if (scope === item.entry.scope) continue
    const shared = others
      .flatMap(({ layer }) => layer.ops)
      .find((op) => 'entity' in op && rows.has(rowName(op.entity.type, op.id)))
    if (shared === undefined || !('entity' in shared)) continue
    const key = JSON.stringify(item.entry.mutationKey)
    state.deps.cache.core.warnOnce(
      `scopes ${key} ${scope}`,
      `Mutation ${key} changes ${rowName(shared.entity.type, shared.id)} in scope "${item.entry.scope}" while scope "${scope}" changes it too. Scopes are sent side by side: give writes to one row one scope.`,
    )
    return
  }
}

function createItem(state: QueueState, entry: Entry, mutation: AnyMutation | undefined, layer: Layer): Item {
  const creates = new Set(layer.ops.flatMap((op) => (op.kind === 'insert' && typeof op.id === 'string' ? [op.id] : [])))
  const item: Item = {
    entry,
    layer,
    mutation,
    durable: createDeferred(),
    confirmed: createDeferred(),
    reflected: createDeferred(),
    appended: false,
    isVolatile: false,
    backoff: createBackoff({ base: 1000, cap: 60_000 }, state.deps.random.next),
    failures: 0,
    cancelRetry: undefined,
    isHeldBack: false,
    abort: undefined,
    hasRefreshed: false,
    creates,
  }
  if (entry.deps.length === 0) entry.deps = dependencies(state, item)
  noteBefore(state, item)
  return item
}

/** Unsettled creates whose ids the variables or the addressed rows use: this one builds on them. */
function dependencies(state: QueueState, item: Item): string[] {
  if (state.creators.size === 0) return []
  const used = stringsIn(item.entry.variables)
  for (const op of item.layer.ops) if ('entity' in op) used.add(String(op.id))
  const found = new Set<Item>()
  for (const id of used) {
    const creator = state.creators.get(id)
    if (creator === undefined || creator.layer.outcome === 'confirmed') continue
    if (creator.entry.pos < item.entry.pos) found.add(creator) // made before the log was read, it comes after this one
  }
  return [...found].map((creator) => creator.entry.id)
}

/** The row that the change is based on, as the server knows it, for conflicts and preconditions. */
function noteBefore(state: QueueState, item: Item): void {
  const target = targetOf(item)
  if (target === undefined || item.entry.before !== undefined) return
  for (const { baseLocated } of state.deps.cache.core.holders(target.entity.type, target.id)) {
    const place = find(baseLocated, target.entity.type, target.id)[0]
    const list = place === undefined ? undefined : baseLocated.lists[place.list]
    if (place === undefined || list === undefined) continue
    const row = list.rows[place.at]
    item.entry.before = row
    item.entry.baseVersion = list.entity.versionOf(row)
    return
  }
}

function handleOf(state: QueueState, item: Item): MutationHandle {
  const { id } = item.entry
  return {
    id,
    get durable() {
      return item.durable.promise
    },
    get confirmed() {
      return item.confirmed.promise
    },
    get reflected() {
      return item.reflected.promise
    },
    cancel: () => {
      if (item.entry.sent || item.layer.outcome !== undefined || !state.items.has(item.entry.id)) return false
      giveUp(
        state,
        item,
        new SyncError('stopped', 'Cancelled before it was sent.', { mutationKey: item.entry.mutationKey }),
      )
      return true
    },
  }
}

/** Starts every scope whose head may go. */
function pump(state: QueueState): void {
  if (!isFlowing(state)) return
  for (const list of [...state.scopes.values()]) {
    const head = list[0]
    if (head !== undefined && mayStart(state, head)) void send(state, head)
  }
}

function mayStart(state: QueueState, item: Item): boolean {
  const { entry } = item
  if (!item.appended || item.abort !== undefined || item.mutation === undefined) return false
  if (item.cancelRetry !== undefined || item.isHeldBack) return false
  if (entry.status !== 'queued' && entry.status !== 'uncertain') return false
  if (entry.deps.some((id) => state.items.has(id) && state.items.get(id)?.layer.outcome !== 'confirmed')) return false
  return entry.sent || !state.deps.cache.holdsBack(item.layer)
}

function wake(state: QueueState): void {
  for (const item of state.items.values()) {
    item.cancelRetry?.()
    item.cancelRetry = undefined
  }
  state.deps.breaker.wake()
  state.pump()
}

function giveUp(state: QueueState, item: Item, error: SyncError): void {
  const wasOpen = item.layer.sent && item.layer.outcome === undefined
  const { cache } = state.deps
  cache.core.transition(() => {
    if (wasOpen) {
      cache.outcome(item.layer, 'rejected', undefined)
      cache.invalidateUncovered(item.layer)
    }
    cache.drop(item.layer)
  })
  leaveScope(state, item)
  item.abort?.abort()
  item.abort = undefined
  drop(state, item)
  item.durable.reject(error)
  item.confirmed.reject(error)
  item.reflected.reject(error)
  state.deps.moved(item, 'rejected')
  state.deps.changed()
  dropDependents(state, item, error)
  runPlans(state)
  state.pump()
}

function dropDependents(state: QueueState, item: Item, cause: SyncError): void {
  const { id } = item.entry
  for (const other of [...state.items.values()]) {
    if (!other.entry.deps.includes(id) || other.layer.outcome !== undefined) continue
    const { mutationKey } = other.entry
    reject(
      state,
      other,
      new SyncError('dependency-rejected', 'Not sent: the change it builds on was given up.', { mutationKey, cause }),
    )
  }
}

function discard(state: QueueState, id: string): boolean {
  const item = state.items.get(id)
  if (item !== undefined && item.layer.outcome !== 'confirmed') {
    giveUp(state, item, new SyncError('stopped', 'Discarded.', { mutationKey: item.entry.mutationKey }))
    return true
  }
  const unknown = state.quarantined.find((entry) => entry.id === id)
  if (unknown === undefined && !state.failed.some((entry) => entry.id === id)) return false
  state.failed = state.failed.filter((entry) => entry.id !== id)
  state.quarantined = state.quarantined.filter((entry) => entry.id !== id)
  const { outbox, report } = state.deps
  const removed = unknown === undefined ? outbox.removeFailed(id) : outbox.remove(unknown)
  removed.catch(report)
  state.deps.changed()
  return true
}

function again(
  state: QueueState,
  id: string,
  change: { variables: unknown } | undefined,
  create: (mutation: AnyMutation, variables: unknown, replaces?: string) => MutationHandle<never>,
): MutationHandle | undefined {
  const blocked = state.items.get(id)
  if (
    blocked !== undefined &&
    (blocked.entry.status === 'blocked' || blocked.entry.status === 'uncertain') &&
    change === undefined
  ) {
    setStatus(state, blocked, blocked.entry.sent ? 'uncertain' : 'queued')
    blocked.cancelRetry?.()
    blocked.cancelRetry = undefined
    state.pump()
    return handleOf(state, blocked)
  }
  const entry = state.failed.find((each) => each.id === id)
  const mutation = entry === undefined ? undefined : state.options.mutations.get(canonical(entry.mutationKey))
  if (entry === undefined || mutation === undefined) return undefined
  const variables =
    change === undefined ? entry.variables : copyVariables(change.variables, state.deps.serializer, entry.mutationKey)
  // Its row goes in the batch that brings the new one.
  state.failed = state.failed.filter((each) => each !== entry)
  return create(mutation, variables, id)
}

function resolve(state: QueueState, id: string, resolution: Resolution<never>): boolean {
  const item = state.items.get(id)
  const sides = item?.entry.conflict
  if (item === undefined || item.entry.status !== 'conflicted' || sides === undefined) return false
  const decided = fromResolution(resolution)
  if ('reject' in decided) {
    reject(
      state,
      item,
      new SyncError('conflict', 'The server has a newer version, and the change was given up.', {
        mutationKey: item.entry.mutationKey,
      }),
    )
  } else {
    const variables = copyVariables(decided.variables, state.deps.serializer, item.entry.mutationKey)
    void replace(state, item, variables, sides.version, sides.theirs)
  }
  return true
}

/** What an earlier page left: back into the log, in order; what cannot be understood is set aside, never dropped. */
async function load(state: QueueState, add: (entry: Entry, mutation: AnyMutation | undefined) => Item): Promise<void> {
  const { deps, options } = state
  try {
    const found = await deps.outbox.load()
    if (state.closed) return
    const early = [...state.items.values()]
    if (found.meta !== undefined) adoptMeta(state, found.meta, early)
    state.ready = true // places are known: rows may go
    if (found.damaged.length > 0) reportDamaged(deps, found.damaged)
    const aside = new Set<string>()
    for (const entry of found.entries) {
      const mutation = options.mutations.get(canonical(entry.mutationKey))
      const brought = mutation === undefined ? undefined : bringUpToDate(entry, mutation)
      // What builds on something that is set aside is set aside with it: alone it would be refused.
      if (brought !== undefined && !entry.deps.some((id) => aside.has(id))) restore(state, add, brought, mutation)
      else {
        aside.add(entry.id)
        state.quarantined.push(entry)
      }
    }
    state.failed = [...found.failed, ...state.failed]
  } catch (cause) {
    deps.report(
      new SyncError(
        'storage',
        'The outbox of an earlier page could not be read; it is left as it is, and changes are kept in memory only.',
        { cause },
      ),
    )
  }
  state.ready = true
  deps.changed()
}

function reportDamaged(deps: QueueDeps, keys: readonly string[]): void {
  deps.report(
    new SyncError(
      'storage',
      `Rows of the outbox of an earlier page could not be understood and are left as they are: ${keys.join(', ')}.`,
    ),
  )
}

function adoptMeta(state: QueueState, meta: QueueState['meta'], early: readonly Item[]): void {
  // Changes made before the log was read come after everything in it.
  const first = Math.min(...early.map((item) => item.entry.pos), state.meta.nextPos)
  const shift = Math.max(0, meta.nextPos - first)
  for (const item of early) {
    item.entry.pos += shift
    ;(item.layer as { pos: number }).pos = item.entry.pos
  }
  const sequences = { ...meta.sequences }
  for (const [scope, sequence] of Object.entries(state.meta.sequences))
    sequences[scope] = Math.max(sequences[scope] ?? 0, sequence)
  state.meta = { ...meta, sequences, nextPos: state.meta.nextPos + shift }
  state.deps.cache.core.sawOwn(meta.ownAt)
}

function restore(
  state: QueueState,
  add: (entry: Entry, mutation: AnyMutation | undefined) => Item,
  entry: Entry,
  mutation: AnyMutation | undefined,
): void {
  // A page that was closed in mid-flight does not know; one that lacked credentials may have them now.
  if (entry.status === 'sending') entry.status = mutation?.idempotent === false ? 'blocked' : 'uncertain'
  if (entry.status === 'paused') entry.status = 'uncertain'
  const item = add(entry, mutation)
  item.appended = true
  item.durable.resolve()
  if (entry.status !== 'confirmed') return
  item.confirmed.resolve(undefined)
  leaveScope(state, item)
  state.confirmed.add(item)
  const { core } = state.deps.cache
  if (core.layers.includes(item.layer)) core.checkLayers()
  else drop(state, item)
}

function bringUpToDate(entry: Entry, mutation: AnyMutation): Entry | undefined {
  const version = mutation.version ?? 1
  if (entry.version === version) return entry
  const migrate = mutation.migrate as ((variables: unknown, version: number) => unknown) | undefined
  if (migrate === undefined) return undefined
  try {
    return { ...entry, variables: migrate(entry.variables, entry.version), version }
  } catch {
    return undefined
  }
}
