/**
 * How an entry ends: confirmed (by an answer or by an echo on the stream), rejected with what builds on it, in conflict.
 * Each is one transition of the cache, so that no publish has the outcome without the data.
 */

import type { Cursor } from '../base/cursor'
import type { Problem } from '../base/errors'
import { SyncError, sentence, usageError } from '../base/errors'
import { canonical } from '../base/key'
import { isThenable } from '../base/kinds'
import { meaningOfStatus } from '../base/meaning'
import type { MutationOutcome } from '../base/messages'
import { isSameId, rowName } from '../base/rows'
import { wordsOf } from '../base/words'
import type { Op, RowOp } from '../data/recipes'
import { record } from '../data/recipes'
import { isEqual } from '../data/share'
import type { Layer } from '../evidence/evidence'
import { CONFLICT_ROUNDS, currentOf, resolveConflict } from './conflicts'
import type { AnyMutation } from './definition'
import type { Item, QueueState } from './log'
import { leaveScope, save, setStatus } from './log'
import type { Entry, Failure } from './stored'

/** What the answers to one attempt said. */
export interface AttemptEvidence {
  cursor: Cursor | undefined
  named: { asked: ReadonlySet<string>; reflects: ReadonlySet<string> } | undefined
}

export function confirm(state: QueueState, item: Item, data: unknown, evidence: AttemptEvidence): void {
  const { cache } = state.deps
  const { entry, layer, mutation } = item
  const first = layer.outcome !== 'confirmed'
  const ops = applyOps(state, item, data)
  const plan = planOf(state, item, data)
  cache.core.transition(() => {
    // The stream tells where an answer without a position stands in it, or nobody does.
    const isUntold = plan === 'pushed' && (evidence.cursor ?? layer.confirmedAt) === undefined
    cache.awaitReads(layer, plan === 'uncovered' || isUntold ? [] : plan)
    cache.outcome(layer, 'confirmed', evidence.cursor)
    cache.answer(layer, { ops, cursor: evidence.cursor, named: evidence.named, contains: true })
    if (layer.confirmedAt !== undefined) cache.invalidateUncovered(layer)
    cache.core.settled(() => {
      passOn(state, item, ops)
      item.outcome = { data, error: null }
      item.confirmed.resolve(data)
      leaveAsConfirmed(state, item, first)
      planRefetch(state, item, plan)
      state.deps.moved(item, 'confirmed', () => {
        call(state, item, () => mutation?.onSuccess?.(data as never, entry.variables as never))
        call(state, item, () => mutation?.onSettled?.(data as never, null, entry.variables as never))
      })
      state.deps.changed()
    })
    cache.core.afterwards(state.pump)
  })
}

/** The row that the change is of, as far as it is of one that exists. */
export function targetOf({ layer }: Item): RowOp | undefined {
  return layer.ops.find((op): op is Op & RowOp => op.kind === 'row' || op.kind === 'upsert' || op.kind === 'remove')
}

// Changes of a row that were made on top of this one are not in conflict with it: they go on from what it became.
function passOn(state: QueueState, { entry }: Item, ops: readonly Op[]): void {
  for (const op of ops) {
    const version = op.kind === 'upsert' ? op.entity.versionOf(op.row) : undefined
    if (op.kind !== 'upsert' || version === undefined) continue
    for (const other of state.items.values()) {
      const target = targetOf(other)
      if (other.entry.sent || other.entry.baseVersion !== entry.baseVersion || target === undefined) continue
      if (rowName(target.entity.type, target.id) !== rowName(op.entity.type, op.id)) continue
      Object.assign(other.entry, { baseVersion: version, before: op.row } satisfies Partial<Entry>)
    }
  }
}

function applyOps(state: QueueState, item: Item, data: unknown): ReturnType<typeof record> {
  const apply = item.mutation?.apply
  if (apply === undefined || data === undefined) return []
  try {
    return record(
      (base) => apply(base, data as never, item.entry.variables as never),
      state.deps.cache.core.hashKey,
      () => reportPromise(state, item.entry, 'apply'),
    )
  } catch (cause) {
    const { mutationKey } = item.entry
    state.deps.report(
      new SyncError(
        'recipe',
        `"apply" of mutation ${canonical(mutationKey)} threw; its queries are read again instead.`,
        { cause, mutationKey },
      ),
    )
    return []
  }
}

/** `isFirst`: nothing has said so before. Listed until it is reflected, and its answer is there. */
function leaveAsConfirmed(state: QueueState, item: Item, isFirst = true): void {
  if (!isFirst) {
    if (isOver(state, item) && state.items.has(item.entry.id)) drop(state, item)
    return
  }
  item.entry.confirmedAt = item.layer.confirmedAt
  leaveScope(state, item)
  item.entry.status = 'confirmed'
  const { layers, ownAt } = state.deps.cache.core
  const isNews = ownAt !== state.meta.ownAt
  state.meta.ownAt = ownAt
  if (!layers.includes(item.layer)) item.reflected.resolve()
  if (isOver(state, item)) {
    drop(state, item)
    if (isNews) void save(state)
  } else {
    state.confirmed.add(item)
    void save(state, item)
  }
}

/** Whether nothing more is to come: nobody lacks it, and no request of it is on its way. */
export function isOver({ deps }: QueueState, { layer, abort }: Item): boolean {
  return abort === undefined && !deps.cache.core.layers.includes(layer)
}

/** Forgets an entry that nothing lacks any more. Before the log is read it has no row: its place may be an earlier page's. */
export function drop(state: QueueState, item: Item): void {
  state.items.delete(item.entry.id)
  state.confirmed.delete(item)
  if (state.ready) state.deps.outbox.remove(item.entry).catch((error: SyncError) => state.deps.report(error))
}

/** What is read again for a write: keys, all there is, what shows it and lacks it, or what the stream tells of. */
type Plan = ReadonlyArray<readonly unknown[]> | 'all' | 'uncovered' | 'pushed'

function planOf(state: QueueState, item: Item, data: unknown): Plan {
  const { entry, layer, mutation } = item
  if (mutation?.invalidates === undefined) {
    if (layer.ops.length > 0) return 'uncovered'
    return state.deps.isPushed() ? 'pushed' : 'all'
  }
  const { invalidates } = mutation
  const keys: Array<readonly unknown[]> = []
  call(state, item, () => keys.push(...checkKeys(invalidates(entry.variables as never, data as never))))
  return keys
}

/** Asked to read again: at once where positions tell that it is needed, else when the scope is idle. */
function planRefetch(state: QueueState, { entry, layer }: Item, plan: Plan): void {
  const later = state.later.get(entry.scope) ?? { keys: [], layers: [], all: false }
  if (typeof plan === 'object') later.keys.push(...plan)
  if (plan === 'uncovered' && layer.confirmedAt === undefined) later.layers.push(layer)
  if (plan === 'all') later.all = true
  state.later.set(entry.scope, later)
  runPlans(state)
}

/** One key where a list of keys is meant would match nothing, or everything. */
function checkKeys(keys: ReadonlyArray<readonly unknown[]> | undefined): ReadonlyArray<readonly unknown[]> {
  if (keys === undefined || (Array.isArray(keys) && keys.every(Array.isArray))) return keys ?? []
  throw usageError(`"invalidates" returned ${JSON.stringify(keys)}, which is no list of keys: return [['todos']].`)
}

export function runPlans(state: QueueState): void {
  for (const [scope, plan] of state.later) {
    if (state.scopes.has(scope)) continue
    state.later.delete(scope)
    if (plan.all) state.deps.cache.invalidateAll()
    if (plan.keys.length > 0) state.deps.cache.invalidate(plan.keys)
    for (const layer of plan.layers) state.deps.cache.invalidateUncovered(layer)
  }
}

/** An event on the stream names mutations of ours. Runs inside the transition that applied the event's data. */
export function takeOutcomes(
  state: QueueState,
  outcomes: readonly MutationOutcome[],
  cursor: Cursor | undefined,
): void {
  for (const { id, status, problem } of outcomes) {
    const item = state.items.get(id)
    if (item === undefined || item.layer.outcome !== undefined) continue
    if (status === 'rejected') {
      refusedByEcho(state, item, (problem ?? {}) as Problem)
      continue
    }
    const { cache } = state.deps
    if (item.layer.ops.length === 0 && cursor !== undefined) cache.awaitReads(item.layer, 'pushed')
    cache.outcome(item.layer, 'confirmed', cursor)
    cache.invalidateUncovered(item.layer)
    // The request may still be on its way: its answer only delivers the result.
    cache.core.settled(() => {
      if (item.abort === undefined) finishByEcho(state, item)
      else leaveEarly(state, item)
    })
  }
}

/** Says what the answer would say. A conflict waits for the answer, or for that of the next send: it is the policy's. */
function refusedByEcho(state: QueueState, item: Item, problem: Problem): void {
  const { status } = problem
  if (status !== undefined && meaningOfStatus(status, problem) === 'conflict') return
  const { mutationKey } = item.entry
  const message = wordsOf(problem) ?? 'The server refused the change.'
  reject(state, item, new SyncError('rejected', message, { status, problem, mutationKey }))
}

function finishByEcho(state: QueueState, item: Item): void {
  leaveAsConfirmed(state, item)
  confirm(state, item, undefined, { cursor: item.layer.confirmedAt, named: undefined })
}

function leaveEarly(state: QueueState, item: Item): void {
  const { core } = state.deps.cache
  leaveAsConfirmed(state, item)
  runPlans(state)
  state.deps.changed()
  core.afterwards(state.pump)
}

/**
 * Over for good: the layer leaves, what builds on it follows, the entry is kept among the failed ones. `mayBeApplied`: the
 * server has not said no.
 */
export function reject(state: QueueState, item: Item, error: SyncError, mayBeApplied = false): void {
  const { cache } = state.deps
  const dependents = dependentsOf(state, item)
  cache.core.transition(() => {
    cache.outcome(item.layer, 'rejected', undefined)
    takeCurrent(state, item, error)
    cache.drop(item.layer)
    for (const dependent of dependents)
      if (dependent.mutation?.onDependencyRejected !== 'keep') cache.drop(dependent.layer)
    cache.core.settled(() => {
      fail(state, item, error, mayBeApplied)
      for (const dependent of dependents) failWith(state, dependent, error)
      runPlans(state)
    })
    cache.core.afterwards(state.pump)
  })
}

/** What builds on a change that was refused goes with it, or waits for the application. */
function failWith(state: QueueState, dependent: Item, cause: SyncError): void {
  const { mutationKey } = dependent.entry
  if (dependent.mutation?.onDependencyRejected === 'keep') {
    setStatus(state, dependent, 'blocked')
    void save(state, dependent)
    return
  }
  const message = sentence(`Not sent: what it builds on was refused: ${cause.message}`)
  fail(state, dependent, new SyncError('dependency-rejected', message, { mutationKey, cause }))
}

/** Data that came with a refusal is base data. Without a row it is not known where it belongs: what the layer touches is stale. */
function takeCurrent(state: QueueState, item: Item, { problem, status, code }: SyncError): void {
  const { value } = currentOf(problem)
  const isNewer = value !== undefined || (code === 'conflict' && status !== undefined)
  if (!isNewer) return
  const target = targetOf(item)
  if (target === undefined || value === undefined) {
    state.deps.cache.invalidateUncovered(item.layer)
    return
  }
  const ops = record((base) => base.upsert(target.entity, value), state.deps.cache.core.hashKey)
  const cursor = typeof problem?.cursor === 'string' ? problem.cursor : undefined
  if (cursor !== undefined && isSameId(target.entity.idOf(value), target.id)) {
    state.deps.cache.answer(item.layer, { ops, cursor, named: undefined, contains: false })
  } else state.deps.cache.invalidateUncovered(item.layer)
}

function dependentsOf(state: QueueState, item: Item): Item[] {
  const gone = new Set([item.entry.id])
  const found: Item[] = []
  const pending = [...state.items.values()].filter((each) => each !== item && each.layer.outcome === undefined)
  for (const each of pending.sort((a, b) => a.entry.pos - b.entry.pos)) {
    if (!each.entry.deps.some((id) => gone.has(id))) continue
    gone.add(each.entry.id)
    found.push(each)
  }
  return found
}

function fail(state: QueueState, item: Item, error: SyncError, mayBeApplied = false): void {
  const { entry, mutation } = item
  leaveScope(state, item)
  item.abort?.abort()
  item.abort = undefined
  state.items.delete(entry.id)
  entry.failure = { ...failureOf(error), ...(mayBeApplied ? { mayBeApplied } : undefined) }
  const list: Entry[] = [...state.failed, entry]
  const dropped = list.splice(0, Math.max(0, list.length - state.options.keepFailed))
  state.failed = list
  state.deps.outbox.remove(state.ready ? entry : undefined, entry).catch((cause: SyncError) => state.deps.report(cause))
  for (const old of dropped)
    state.deps.outbox.removeFailed(old.id).catch((cause: SyncError) => state.deps.report(cause))
  refuse(state, item, error, () => {
    call(state, item, () => mutation?.onError?.(error, entry.variables as never))
    call(state, item, () => mutation?.onSettled?.(undefined, error, entry.variables as never))
  })
}

/** Whoever waits for the entry hears why it is over. Runs inside a transition. */
export function refuse(state: QueueState, item: Item, error: SyncError, tell: () => void = () => {}): void {
  item.outcome = { data: undefined, error }
  item.durable.reject(error)
  item.confirmed.reject(error)
  item.reflected.reject(error)
  state.deps.moved(item, 'rejected', tell)
  state.deps.changed()
}

export function failureOf(error: SyncError): Failure {
  return { code: error.code, message: error.message, status: error.status, problem: error.problem }
}

/** 409 or 412: the id's outcome is 'not applied'. The replacement is on top in the transition that says so. */
export async function conflict(state: QueueState, item: Item, error: SyncError): Promise<void> {
  const { cache } = state.deps
  const { entry, mutation } = item
  if (mutation === undefined || entry.rounds >= CONFLICT_ROUNDS || mutation.conflict === 'server-wins')
    return reject(state, item, error)
  const current = currentOf(error.problem)
  const sides = { base: entry.before, mine: entry.variables, theirs: current.value }
  const { id } = entry
  // Decided at once, the replacement is on top in the transition that publishes what waited for the outcome.
  const apply = (resolution: Awaited<ReturnType<typeof resolveConflict>>): Promise<void> | void => {
    if (typeof resolution === 'object' && 'reject' in resolution) return reject(state, item, error)
    return cache.core.transition(() => {
      cache.outcome(item.layer, 'conflict', undefined)
      takeCurrent(state, item, error)
      entry.failure = failureOf(error)
      if (resolution === 'park') return park(state, item, { ...sides, version: current.version })
      return replace(state, item, resolution.variables, resolution.checked ? current.version : undefined, current.value)
    })
  }
  try {
    const resolution = resolveConflict(mutation, { ...sides, variables: entry.variables as never })
    if (!isThenable(resolution)) return await apply(resolution)
    cache.core.transition(() => {
      cache.outcome(item.layer, 'conflict', undefined)
      takeCurrent(state, item, error)
    })
    const decided = await resolution
    if (entry.id === id && state.items.has(id)) await apply(decided)
  } catch (cause) {
    const { mutationKey } = entry
    const message = 'The conflict could not be resolved: the policy of the mutation threw.'
    reject(state, item, new SyncError('conflict', message, { cause, mutationKey }))
  }
}

/** Waits for `resolve()`: a person decides. */
function park(state: QueueState, item: Item, sides: NonNullable<Entry['conflict']>): Promise<void> {
  item.entry.conflict = sides
  setStatus(state, item, 'conflicted')
  return save(state, item)
}

/** What the mutation shows for these variables; nothing, and a report, if `optimistic` throws. */
export function recordOptimistic(state: QueueState, mutation: AnyMutation | undefined, entry: Entry): readonly Op[] {
  const optimistic = mutation?.optimistic
  if (optimistic === undefined) return []
  const { mutationKey } = entry
  try {
    return record(
      (view) => optimistic(view, entry.variables as never),
      state.deps.cache.core.hashKey,
      () => reportPromise(state, entry, 'optimistic'),
    )
  } catch (cause) {
    state.deps.report(
      new SyncError(
        'recipe',
        `"optimistic" of mutation ${canonical(mutationKey)} threw: it is sent, but not shown before the server answers.`,
        { cause, mutationKey },
      ),
    )
    return []
  }
}

/** What was recorded before the first `await` counts; what comes after it would come too late. */
function reportPromise({ deps }: QueueState, { mutationKey }: Entry, name: 'optimistic' | 'apply'): void {
  const said = `"${name}" of mutation ${canonical(mutationKey)} returned a promise: what it records after its first "await" is lost. Record at once, and put asynchronous work into "mutationFn".`
  deps.report(new SyncError('recipe', said, { mutationKey }))
}

/** A changed payload is a new id and a new sequence at the same place in the log. */
export async function replace(
  state: QueueState,
  item: Item,
  variables: unknown,
  version: Entry['baseVersion'],
  before: unknown,
): Promise<void> {
  const { cache, clock, random } = state.deps
  const { entry, layer, mutation } = item
  const old = entry.id
  const isSame = isEqual(variables, entry.variables)
  state.items.delete(old)
  Object.assign(entry, {
    replaces: old,
    id: random.id(clock.now()),
    variables,
    baseVersion: version,
    before,
    sequence: undefined,
    sent: false,
    attempt: 0,
    conflict: undefined,
    failure: undefined,
    rounds: entry.rounds + 1,
  } satisfies Partial<Entry>)
  state.items.set(entry.id, item)
  const dependents = renameDep(state, old, entry.id)
  const ops = isSame ? layer.ops : recordOptimistic(state, mutation, entry)
  const fresh = { id: entry.id, ops, sent: false, outcome: undefined, confirmedAt: undefined, resent: true, live: true }
  cache.core.transition(() => {
    if (!isSame) cache.core.removeLayer(layer) // the same intent shows what it showed
    Object.assign(layer, fresh satisfies Partial<Layer>)
    if (!isSame) cache.core.addLayer(layer)
  })
  item.backoff.reset()
  item.failures = 0
  item.vague = 0
  setStatus(state, item, 'queued')
  await save(state, item, ...dependents)
  state.pump()
}

/** What builds on the old entry builds on the new one. */
function renameDep(state: QueueState, old: string, id: string): Item[] {
  const dependents = [...state.items.values()].filter(({ entry }) => entry.deps.includes(old))
  for (const { entry } of dependents) entry.deps = entry.deps.map((dep) => (dep === old ? id : dep))
  return dependents
}

function call(state: QueueState, item: Item, run: () => unknown): void {
  const failed = (cause: unknown) => {
    const { mutationKey } = item.entry
    state.deps.report(
      new SyncError(
        'usage',
        `A callback of mutation ${canonical(mutationKey)} threw; the mutation itself is not affected.`,
        { cause, mutationKey },
      ),
    )
  }
  try {
    const result = run()
    if (typeof (result as { then?: unknown } | undefined)?.then === 'function')
      (result as Promise<unknown>).then(undefined, failed)
  } catch (cause) {
    failed(cause)
  }
}
