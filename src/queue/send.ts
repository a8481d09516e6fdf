/**
 * One attempt of one entry. Written down before it leaves; the outcome only ever moves on evidence from the server: no
 * answer leaves the entry uncertain, to be sent again with the same id.
 */
import type { Failure } from '../base/classify'
import { classify, problemOf, statusOf } from '../base/classify'
import { laterCursor } from '../base/cursor'
import { isSyncError, SyncError, sentence } from '../base/errors'
import { isRequest, messageOf } from '../base/kinds'
import { HEADERS, PENDING_MAX } from '../base/messages'
import { evidenceOf } from '../cache/context'
import { isNotSent } from '../platform/http'
import type { MutationContext } from './mutation'
import { refuseFailedAnswer } from './returned'
import type { AttemptEvidence } from './settle'
import { confirm, conflict, reject } from './settle'
import type { Item, QueueState } from './state'
import { isFlowing, save, setStatus } from './state'

/** What is known of one attempt while it runs. */
interface Sending extends AttemptEvidence {
  /** A request of it has left. */
  left: boolean
  /** What {@link QueueState.breakerTurns} was when the circuit breaker let a request of it not out. */
  heldAt: number | undefined
}

/** A turn of the circuit breaker that never comes: nothing waits for it. */
const NEVER = -1

export async function send(state: QueueState, item: Item): Promise<void> {
  const { entry } = item
  const { deps, options, meta } = state
  const { id } = entry
  const abort = new AbortController()
  const isFirst = !entry.sent
  item.abort = abort
  if (entry.sequence === undefined) {
    entry.sequence = (meta.sequences[entry.scope] ?? 0) + 1
    meta.sequences[entry.scope] = entry.sequence
  }
  entry.sent = true
  entry.attempt++
  setStatus(state, item, 'sending')
  await save(state, item)
  // Not whether it is still listed: an echo may have settled it, and its answer then brings the result.
  const isMine = () => item.abort === abort && entry.id === id && !state.closed
  if (!isMine()) return
  const evidence: Sending = { cursor: undefined, named: undefined, left: false, heldAt: undefined }
  if (!isFlowing(state) && item.layer.outcome === undefined)
    return await holdBack(state, item, isFirst, { ...evidence, heldAt: NEVER }) // stopped meanwhile
  deps.cache.sent(item.layer)
  const cancelTimeout = deps.clock.after(options.timeout, () =>
    abort.abort(new SyncError('timeout', `No answer within ${options.timeout} ms.`)),
  )
  try {
    const data = await run(state, item, abort, evidence)
    cancelTimeout()
    if (!isMine()) return
    item.abort = undefined
    confirm(state, item, data, evidence)
  } catch (error) {
    cancelTimeout()
    if (!isMine()) return
    item.abort = undefined
    if (item.layer.outcome === 'confirmed') return confirm(state, item, undefined, evidence) // the stream was faster
    if (isNotSent(error) && !evidence.left) return await holdBack(state, item, isFirst, evidence)
    await failed(state, item, abort.signal.aborted ? (abort.signal.reason as unknown) : error)
  }
}

/** Ends when the function does or when the attempt is aborted, whichever is first. */
function run(state: QueueState, item: Item, abort: AbortController, evidence: Sending): Promise<unknown> {
  const { entry, mutation } = item
  const context: MutationContext = {
    fetch: createFetch(state, item, abort.signal, evidence),
    idempotencyKey: entry.id,
    signal: abort.signal,
    attempt: entry.attempt,
    baseVersion: entry.baseVersion,
    mutationKey: entry.mutationKey,
  }
  return new Promise((resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason as Error), { once: true })
    Promise.resolve()
      .then(() => mutation?.mutationFn(entry.variables as never, context))
      .then(refuseFailedAnswer)
      .then(resolve, reject)
  })
}

function createFetch(state: QueueState, item: Item, signal: AbortSignal, evidence: Sending): MutationContext['fetch'] {
  const { cache, http } = state.deps
  const { entry, layer } = item
  return async (input, init) => {
    const names = cache.neighbours(layer).slice(0, PENDING_MAX)
    const fields: Record<string, string> = { [HEADERS.idempotencyKey]: entry.id }
    if (http.speaksSync(input)) {
      fields[HEADERS.outbox] = state.meta.outboxId
      fields[HEADERS.scope] = encodeURIComponent(entry.scope)
      fields[HEADERS.sequence] = String(entry.sequence ?? 0)
      if (names.length > 0) fields[HEADERS.pending] = names.join(', ')
    }
    const method = isRequest(input) ? input.method : 'POST'
    const request = http.request(input, { method, ...init, signal: init?.signal ?? signal }, fields)
    const response = await request.catch((error: unknown) => {
      if (isNotSent(error)) evidence.heldAt = state.breakerTurns
      else evidence.left = true
      throw error
    })
    evidence.left = true
    const found = evidenceOf(cache.core, response, HEADERS.pending in fields ? names : [])
    evidence.cursor = laterCursor(evidence.cursor, found.cursor)
    // A stored answer names what it was asked for then: what it does not name may be in it all the same.
    const isFirst = entry.attempt === 1 && response.headers.get(HEADERS.replayed) !== 'true'
    if (found.asked !== undefined) evidence.named = { asked: isFirst ? found.asked : NOBODY, reflects: found.reflects }
    return response
  }
}

const NOBODY: ReadonlySet<string> = new Set()

async function failed(state: QueueState, item: Item, error: unknown): Promise<void> {
  const { entry, mutation } = item
  const failure = classify(error)
  const wrapped = toSyncError(error, entry.mutationKey)
  if (failure !== 'unauthorized') item.hasRefreshed = false
  switch (failure) {
    case 'unauthorized':
      return await unauthorized(state, item, error)
    case 'conflict':
      return await conflict(state, item, wrapped)
    case 'key-reused':
      state.deps.report(
        new SyncError(
          'protocol',
          'The server has this idempotency key with another payload: the change is set aside.',
          { cause: error, mutationKey: entry.mutationKey },
        ),
      )
      return reject(state, item, wrapped)
    case 'refused':
      return reject(state, item, wrapped)
    case 'bug':
      state.deps.cache.invalidateUncovered(item.layer) // what it could not use may have been a success
      return reject(state, item, wrapped)
    case 'failed':
      if (mutation?.idempotent === false) return park(state, item, wrapped)
      if (++item.failures <= (mutation?.retry ?? 8)) return again(state, item, wrapped)
      state.deps.cache.invalidateUncovered(item.layer) // it may have been applied all the same
      return reject(state, item, wrapped)
    default:
      if (mutation?.idempotent === false && !isUntouched(statusOf(error), failure)) return park(state, item, wrapped)
      return again(state, item, wrapped)
  }
}

async function unauthorized(state: QueueState, item: Item, error: unknown): Promise<void> {
  const { entry } = item
  entry.attempt--
  // Our own `fetch` has asked for new credentials already; another transport has not.
  const mayRefresh = !isSyncError(error) && !item.hasRefreshed
  item.hasRefreshed ||= mayRefresh
  const isRefreshed = mayRefresh && (await state.deps.http.refresh())
  if (entry.status !== 'sending' || !state.items.has(entry.id)) return // settled, or given up, meanwhile
  state.needsAuth ||= !isRefreshed
  setStatus(state, item, isRefreshed ? 'uncertain' : 'paused')
  await save(state, item)
  state.pump()
}

/** Nothing was let out, by the circuit breaker or the application: as if it had not been tried. */
async function holdBack(state: QueueState, item: Item, isFirst: boolean, { heldAt }: Sending): Promise<void> {
  const { entry, layer } = item
  const { sequences } = state.meta
  item.abort = undefined
  entry.attempt--
  item.isHeldBack = heldAt === undefined || heldAt === state.breakerTurns // else it has changed its mind meanwhile
  if (isFirst) {
    entry.sent = false
    state.deps.cache.unsent(layer)
    if (entry.sequence !== undefined && sequences[entry.scope] === entry.sequence) {
      sequences[entry.scope] = entry.sequence - 1
      entry.sequence = undefined
    }
  }
  setStatus(state, item, entry.sent ? 'uncertain' : 'queued')
  await save(state, item)
  state.pump()
}

function again(state: QueueState, item: Item, error: SyncError): void {
  const { clock } = state.deps
  item.entry.failure = { code: error.code, message: error.message, status: error.status }
  setStatus(state, item, 'uncertain')
  void save(state, item)
  const floor = error.retryAfter ?? 0
  const delay = Math.max(floor, item.backoff.next())
  item.cancelRetry?.()
  item.cancelRetry = clock.after(delay, () => {
    item.cancelRetry = undefined
    state.pump()
  })
}

/** Not sent again by itself: the application decides (`retry` or `discard`). */
function park(state: QueueState, item: Item, error: SyncError): void {
  item.entry.failure = { code: error.code, message: error.message, status: error.status }
  setStatus(state, item, 'blocked')
  void save(state, item)
}

/** The answer says that the write did not happen (too many, too early, busy) or that it is happening. */
function isUntouched(status: number | undefined, failure: Failure): boolean {
  return failure === 'in-progress' || status === 425 || status === 429 || status === 503
}

function toSyncError(error: unknown, mutationKey: readonly unknown[]): SyncError {
  const status = statusOf(error)
  const problem = problemOf(error)
  const message = messageOf(error)
  const failure = classify(error)
  const retryAfter = (error as { retryAfter?: unknown } | null)?.retryAfter
  const details = {
    status,
    problem,
    mutationKey,
    cause: error,
    retryAfter: typeof retryAfter === 'number' ? retryAfter : undefined,
  }
  if (failure === 'conflict')
    return new SyncError('conflict', sentence(`The server has a newer version: ${message}`), details)
  if (failure === 'unauthorized') return new SyncError('unauthorized', message, details)
  if (failure === 'bug') return new SyncError('rejected', sentence(`"mutationFn" threw: ${message}`), details)
  if (status === undefined)
    return new SyncError(isSyncError(error, 'timeout') ? 'timeout' : 'network', message, details)
  return new SyncError(
    failure === 'failed' || failure === 'unanswered' ? 'http' : 'rejected',
    problem?.detail ?? problem?.title ?? message,
    details,
  )
}
