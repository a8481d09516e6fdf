/** The queue: takes mutations in, sends the head of each scope, and is asked to try again, change or forget. */
import type { Cursor } from '../base/cursor'
import { SyncError, sentence, usageError } from '../base/errors'
import { canonical, wireName } from '../base/key'
import type { MutationOutcome } from '../base/messages'
import { again, discard } from './asked'
import { abort, noteRefreshed, setHeldBack, wakeUp } from './attempts'
import type { QueueContext, QueueDeps, QueueOptions } from './context'
import { change, save } from './context'
import type { AnyMutation, DefinedMutation, Resolution } from './definition'
import { takeOutcomes } from './echo'
import type { Flow } from './flow'
import { createFlow } from './flow'
import type { MutationHandle } from './handle'
import type { Log } from './log'
import { createLog } from './log'
import { forget, isOver, refuse } from './outcome'
import { createPlans } from './plans'
import { resolve } from './replace'
import { send } from './sender'
import { watchUncovered } from './uncovered'
import { copyVariables } from './variables'
import { createWays } from './ways'
import type { Write } from './write'
import { noteCopies } from './write'

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
  /** Takes nothing in any more. */
  shut(): void
  /** Resolves when nothing more can be sent now: all is settled, or the head of a scope got no answer while offline. */
  drained(): Promise<void>
  /** Nobody waits for ever on a queue that is closed: what is pending ends, and nothing is sent or stored any more. */
  abandon(): void
  /** For those who show it. */
  readonly log: Log
  readonly flow: Flow
  /** The mutations that are known, by key. */
  readonly mutations: ReadonlyMap<string, AnyMutation>
}

export function createQueue(deps: QueueDeps, options: QueueOptions): Queue {
  const { cache, clock, random, network } = deps
  const pump = (): void => startHeads(queue)
  const log = createLog(() => random.id(clock.now()))
  const queue: QueueContext = {
    deps,
    options,
    log,
    flow: createFlow({ clock, network, changed: () => deps.changed(), pump }),
    plans: createPlans({ cache, clock, isBusy: (scope) => log.scopes.has(scope), isPushed: deps.isPushed }),
    pump,
  }
  listen(queue)
  const { flow } = queue
  const registered: ReadonlySet<AnyMutation> = new Set(options.mutations.values())
  const ways = createWays(queue)
  let stopWatch: (() => void) | undefined
  return {
    log,
    flow,
    mutations: options.mutations,
    mutate(mutation, variables) {
      const given = mutation as unknown as AnyMutation
      checkOpen(queue)
      const known = registered.has(given) ? given : knownMutation(queue, given)
      return ways.create(known, copyVariables(variables, deps.serializer, known.mutationKey))
    },
    async start() {
      if (flow.state.isStarted || flow.state.isClosed) return
      flow.set({ isStarted: true })
      stopWatch = watchUncovered(queue)
      await ways.loaded()
      pump()
    },
    stop() {
      flow.set({ isStarted: false })
      stopWatch?.()
      for (const { attempts } of log.writes.values()) wakeUp(attempts)
    },
    pause() {
      flow.set({ isPaused: true })
      deps.changed()
    },
    resume: () => resume(queue),
    async flush() {
      wake(queue, true)
      await settled(queue)
    },
    drained: async () => (flow.isFlowing() ? Promise.race([settled(queue), flow.hopeless()]) : undefined),
    retry: (id) => again(queue, id, undefined, ways),
    edit: (id, variables) => again(queue, id, { variables }, ways),
    discard: (id) => discard(queue, id),
    resolve: (id, resolution) => resolve(queue, id, resolution),
    takeOutcomes: (outcomes, cursor) => takeOutcomes(queue, outcomes, cursor),
    wake: (isHeard) => wake(queue, isHeard),
    shut: () => flow.set({ isClosing: true }),
    abandon: () => abandon(queue),
  }
}

/** What the cache, the circuit breaker and answers to anybody tell the queue. */
function listen(queue: QueueContext): void {
  const { deps, log, flow, pump } = queue
  deps.cache.listen({
    onReflected({ id }) {
      log.writes.get(id)?.reflected.resolve()
      deps.changed()
    },
    onGone({ id }) {
      const write = log.writes.get(id)
      if (write === undefined) return
      write.reflected.resolve()
      if (log.confirmed.has(write) && isOver(queue, write)) forget(queue, write)
      deps.changed()
    },
    isBusy: (scope) => log.scopes.has(scope),
    onCopy(layer, name, copy) {
      const write = log.writes.get(layer.id)
      if (write === undefined) return
      noteCopies(write, [[name, copy]])
      void save(queue, write)
    },
    onReadSettled() {
      deps.changed()
      pump()
    },
  })
  deps.breaker.subscribe(() => {
    flow.set({ breakerTurns: flow.state.breakerTurns + 1 })
    for (const { attempts } of log.writes.values()) setHeldBack(attempts, false)
    pump()
  })
  deps.http.onAnswer(() => {
    if (!deps.network.isOnline()) flow.doubtOffline(true)
  })
}

const noop = (): void => {}

async function settled({ log }: QueueContext): Promise<void> {
  await Promise.all([...log.writes.values()].map(({ confirmed }) => confirmed.promise.then(noop, noop)))
}

function checkOpen({ options, flow }: QueueContext): void {
  if (flow.state.isClosing) throw new SyncError('stopped', 'This sync client is closed; nothing is taken in any more.')
  if (options.readOnly)
    throw usageError('This sync client is read-only: it was created with "readOnly: true". Take that away to write.')
}

/** The mutation of this name that the client was given. */
function knownMutation({ deps, options }: QueueContext, mutation: AnyMutation): AnyMutation {
  const key = canonical(mutation?.mutationKey)
  const known = options.mutations.get(key)
  if (known === undefined) {
    const names = [...options.mutations.values()].map((each) => wireName(each.mutationKey))
    const hint = Array.isArray(mutation?.mutationKey) ? deps.hint(wireName(mutation.mutationKey), names) : ''
    const what = `Mutation ${key} is not registered: give it to createSyncClient({ mutations: [...] })`
    throw usageError(sentence(what + hint), { mutationKey: mutation?.mutationKey })
  }
  deps.cache.core.aids?.twice(known.mutationKey)
  return known
}

/** Starts every scope whose head may go. */
function startHeads(queue: QueueContext): void {
  const { flow, log } = queue
  if (!flow.isFlowing()) {
    if (log.scopes.size > 0) flow.doubtLater()
    return
  }
  for (const [head] of [...log.scopes.values()]) if (head !== undefined && mayStart(queue, head)) void send(queue, head)
}

function mayStart({ deps, log }: QueueContext, write: Write): boolean {
  const { attempts, record, mutation, isAppended } = write
  if (!isAppended || attempts.request !== undefined || mutation === undefined) return false
  if (attempts.isWaiting || attempts.isHeldBack) return false
  if (record.status !== 'queued' && record.status !== 'uncertain') return false
  const isUnsettled = (id: string): boolean => (log.writes.get(id) ?? CONFIRMED).outcome !== 'confirmed'
  if (record.deps.some(isUnsettled)) return false
  return record.sent || !deps.cache.holdsBack(write)
}

/** What has left the log was confirmed. */
const CONFIRMED: Pick<Write, 'outcome'> = { outcome: 'confirmed' }

function wake({ deps, log, flow, pump }: QueueContext, isHeard = false): void {
  if (isHeard) flow.doubtOffline(true)
  for (const { attempts } of log.writes.values()) wakeUp(attempts)
  deps.breaker.wake()
  pump()
}

function resume(queue: QueueContext): void {
  const { deps, log, flow } = queue
  deps.cache.core.transition(() => {
    flow.set({ isPaused: false, needsAuth: false })
    for (const write of log.writes.values()) {
      noteRefreshed(write.attempts, false)
      if (write.record.status === 'paused') change(queue, write, { status: write.record.sent ? 'uncertain' : 'queued' })
    }
    deps.changed()
  })
  flow.doubtOffline(true)
  queue.pump()
}

function abandon({ deps, log, flow, plans }: QueueContext): void {
  flow.set({ isClosing: true, isClosed: true })
  plans.stop()
  const error = new SyncError('stopped', 'The sync client was closed before the change was settled.')
  for (const write of log.writes.values()) {
    abort(write.attempts, error)
    // What the stream has confirmed is confirmed, with a result that nobody knows.
    if (write.outcome === 'confirmed') write.confirmed.resolve(undefined as never)
    deps.cache.core.transition(() => refuse({ deps }, write, error))
  }
  log.clear()
}
