import type { Cursor } from '../base/cursor'
import { didYouMean, SyncError, sentence, usageError } from '../base/errors'
import { canonical, wireName } from '../base/key'
import type { MutationOutcome } from '../base/messages'
import type { Layer } from '../evidence/evidence'
import { fromResolution } from './conflicts'
import { createItem, layerOf, newEntry } from './create'
import type { AnyMutation, DefinedMutation, Resolution } from './definition'
import { load } from './load'
import type { Item, MutationHandle, QueueDeps, QueueOptions, QueueState } from './log'
import { isFlowing, joinScope, leaveScope, mayFlow, setStatus } from './log'
import { drop, isOver, recordOptimistic, refuse, reject, replace, runPlans, takeOutcomes } from './outcome'
import { send } from './sender'
import type { Entry } from './stored'
import { copyVariables } from './variables'

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
  /** Waits end early: the network or the page came back. `isHeard`: somebody has answered, so the device is not offline. */
  wake(isHeard?: boolean): void
  /** Resolves when nothing more can be sent now: all is settled, or the head of a scope got no answer while offline. */
  drained(): Promise<void>
  readonly state: QueueState
}

export function createQueue(deps: QueueDeps, options: QueueOptions): Queue {
  const hopeless: Array<() => void> = []
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
    meta: createMeta(deps),
    started: false,
    ready: false,
    closing: false,
    closed: false,
    breakerTurns: 0,
    paused: false,
    needsAuth: false,
    doubtful: false,
    cancelDoubt: undefined,
    doubtsOffline(doubtful) {
      if (state.doubtful === doubtful) return
      state.doubtful = doubtful
      deps.changed()
      if (doubtful) return state.pump()
      for (const resolve of hopeless.splice(0)) resolve()
    },
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
      if (state.confirmed.has(item) && isOver(state, item)) drop(state, item)
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

  deps.http.onAnswer(() => {
    if (!deps.network.isOnline()) state.doubtsOffline(true)
  })

  function add(entry: Entry, mutation: AnyMutation | undefined, how: 'added' | 'restored' = 'restored'): Item {
    const ops = recordOptimistic(state, mutation, entry)
    const layer = layerOf(entry, ops)
    const item = createItem(state, entry, mutation, layer)
    byLayer.set(layer, item)
    state.items.set(entry.id, item)
    for (const id of item.creates) state.creators.set(id, item)
    joinScope(state, item)
    deps.cache.core.transition(() => {
      deps.cache.add(layer)
      deps.moved(item, how)
      deps.changed()
    })
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

  /** Nobody knows whether it was applied: the same key, so that it is applied once. */
  function resume(entry: Entry, mutation: AnyMutation): MutationHandle<never> {
    const { id } = entry
    const open = { id, status: 'uncertain', sent: true } as const
    const item = add({ ...newEntry(state, mutation, entry.variables, undefined), ...open }, mutation, 'added')
    item.durable.promise.then(() => deps.outbox.removeFailed(id)).catch(noop)
    return append(item)
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
      state.cancelDoubt?.()
      state.cancelDoubt = undefined
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
      deps.cache.core.transition(() => {
        state.paused = false
        state.needsAuth = false
        for (const item of state.items.values()) {
          item.hasRefreshed = false
          if (item.entry.status === 'paused') setStatus(state, item, item.entry.sent ? 'uncertain' : 'queued')
        }
        deps.changed()
      })
      state.doubtsOffline(true)
      state.pump()
    },
    async flush() {
      wake(state, true)
      await Promise.all([...state.items.values()].map((item) => item.confirmed.promise.then(noop, noop)))
    },
    async drained() {
      const settled = Promise.all([...state.items.values()].map((item) => item.confirmed.promise.then(noop, noop)))
      const nothingFlows = new Promise<void>((resolve) => hopeless.push(resolve))
      await (isFlowing(state) ? Promise.race([settled, nothingFlows]) : undefined)
    },
    retry: (id) => again(state, id, undefined, { create, resume }),
    edit: (id, variables) => again(state, id, { variables }, { create, resume }),
    discard: (id) => discard(state, id),
    resolve: (id, resolution) => resolve(state, id, resolution),
    takeOutcomes: (outcomes, cursor) => takeOutcomes(state, outcomes, cursor),
    wake: (isHeard) => wake(state, isHeard),
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
    const what = `Mutation ${key} is not registered: give it to createSyncClient({ mutations: [...] })`
    throw usageError(sentence(what + hint), { mutationKey: mutation?.mutationKey })
  }
  const twice = `Mutation ${key} was defined twice; the one given to createSyncClient is used.`
  deps.cache.core.warnOnce(`twice ${key}`, twice)
  return known
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
  if (!isFlowing(state)) {
    doubt(state)
    return
  }
  for (const list of [...state.scopes.values()]) {
    const head = list[0]
    if (head !== undefined && mayStart(state, head)) void send(state, head)
  }
}

/** How long the device's word that it is offline is taken, while something waits to be sent. */
const OFFLINE_BELIEVED = 30_000

/** A device may be wrong about its network, and then says nothing when it is there: it is tried from time to time. */
function doubt(state: QueueState): void {
  if (!mayFlow(state) || state.scopes.size === 0 || state.cancelDoubt !== undefined) return
  state.cancelDoubt = state.deps.clock.after(OFFLINE_BELIEVED, () => {
    state.cancelDoubt = undefined
    if (!state.deps.network.isOnline()) state.doubtsOffline(true)
  })
}

function mayStart(state: QueueState, item: Item): boolean {
  const { entry } = item
  if (!item.appended || item.abort !== undefined || item.mutation === undefined) return false
  if (item.cancelRetry !== undefined || item.isHeldBack) return false
  if (entry.status !== 'queued' && entry.status !== 'uncertain') return false
  if (entry.deps.some((id) => state.items.has(id) && state.items.get(id)?.layer.outcome !== 'confirmed')) return false
  return entry.sent || !state.deps.cache.holdsBack(item.layer)
}

function wake(state: QueueState, isHeard = false): void {
  if (isHeard) state.doubtsOffline(true)
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
    leaveScope(state, item)
    item.abort?.abort()
    item.abort = undefined
    drop(state, item)
    refuse(state, item, error)
    dropDependents(state, item, error)
    cache.core.settled(() => runPlans(state))
    cache.core.afterwards(state.pump)
  })
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

interface Ways {
  create(mutation: AnyMutation, variables: unknown, replaces: string): MutationHandle<never>
  resume(entry: Entry, mutation: AnyMutation): MutationHandle<never>
}

function again(
  state: QueueState,
  id: string,
  change: { variables: unknown } | undefined,
  ways: Ways,
): MutationHandle | undefined {
  if (state.closing) return undefined
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
  // Its row goes when the new one is there, so that neither is lost.
  const variables =
    change === undefined ? entry.variables : copyVariables(change.variables, state.deps.serializer, entry.mutationKey)
  state.failed = state.failed.filter((each) => each !== entry)
  if (change === undefined && entry.failure?.mayBeApplied === true) return ways.resume(entry, mutation)
  return ways.create(mutation, variables, id)
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

/** A log that nothing is in yet. Its id is made when it is asked for: making a client reads no clock and no chance. */
function createMeta({ random, clock }: QueueDeps): QueueState['meta'] {
  let id: string | undefined
  return {
    get outboxId() {
      id ??= random.id(clock.now())
      return id
    },
    nextPos: 1,
    sequences: new Map(),
    ownAt: undefined,
  }
}
