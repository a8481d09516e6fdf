/**
 * One attempt of one entry. Written down before it leaves; the outcome only ever moves on evidence from the server: no
 * answer leaves the entry uncertain, to be sent again with the same id.
 */
import { laterCursor } from '../base/cursor'
import { isSyncError, SyncError, sentence } from '../base/errors'
import { canonical } from '../base/key'
import { isError, isRequest, messageOf } from '../base/kinds'
import type { Meaning } from '../base/meaning'
import { MEANINGS, meaningOf, problemOf, saidBy, statusOf } from '../base/meaning'
import { HEADERS, PENDING_MAX } from '../base/messages'
import { isNotSent } from '../platform/http'
import { evidenceOf } from '../queries/context'
import type { MutationContext } from './definition'
import type { Item, QueueState } from './log'
import { isFlowing, save, setStatus } from './log'
import type { AttemptEvidence } from './outcome'
import { confirm, conflict, failureOf, reject } from './outcome'
import { refuseFailedAnswer } from './returned'

/** What is known of one attempt while it runs. */
interface Sending extends AttemptEvidence {
  /** A request of it has left. */
  left: boolean
  /** A 2xx of it was handed to the caller: the server has accepted it, whatever the caller then makes of the answer. */
  accepted: boolean
  /** Where its last request went. */
  origin: string
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
    entry.sequence = (meta.sequences.get(entry.scope) ?? 0) + 1
    meta.sequences.set(entry.scope, entry.sequence)
  }
  entry.sent = true
  entry.attempt++
  setStatus(state, item, 'sending')
  await save(state, item)
  // Not whether it is still listed: an echo may have settled it, and its answer then brings the result.
  const isMine = () => item.abort === abort && entry.id === id && !state.closed
  if (!isMine()) return
  const evidence: Sending = {
    cursor: undefined,
    named: undefined,
    left: false,
    accepted: false,
    origin: '',
    heldAt: undefined,
  }
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
    await failed(state, item, abort.signal.aborted ? (abort.signal.reason as unknown) : error, evidence)
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
    const key = state.options.bareKey ? entry.id : `"${entry.id}"`
    const fields: Record<string, string> = { [HEADERS.idempotencyKey]: key }
    evidence.origin = http.origin(input)
    if (http.speaksSync(input)) {
      fields[HEADERS.outbox] = state.meta.outboxId
      fields[HEADERS.scope] = encodeScope(entry.scope)
      fields[HEADERS.sequence] = String(entry.sequence ?? 0)
      if (names.length > 0) fields[HEADERS.pending] = names.join(', ')
    }
    const method = isRequest(input) ? input.method : 'POST'
    const request = http.request(input, { method, ...init, signal: init?.signal ?? signal }, fields, true)
    const response = await request.catch((error: unknown) => {
      if (isNotSent(error)) evidence.heldAt = state.breakerTurns
      else evidence.left ||= !isSyncError(error, 'usage')
      throw error
    })
    evidence.left = evidence.accepted = true
    const found = evidenceOf(cache.core, response, HEADERS.pending in fields ? names : [])
    evidence.cursor = laterCursor(evidence.cursor, found.cursor)
    const isReplayed = response.headers.get(HEADERS.replayed) === 'true'
    if (found.cursor !== undefined) cache.core.told(found.cursor, !isReplayed)
    // A stored answer names what it was asked for then: what it does not name may be in it all the same.
    const isFirst = entry.attempt === 1 && !isReplayed
    if (found.asked !== undefined) evidence.named = { asked: isFirst ? found.asked : NOBODY, reflects: found.reflects }
    return response
  }
}

/** Any text is a scope: halves of a surrogate pair, which cannot be encoded, are spelled out. */
function encodeScope(scope: string): string {
  return encodeURIComponent(scope.replace(/\p{Cs}/gu, (half) => `%u${half.charCodeAt(0).toString(16)}`))
}

const NOBODY: ReadonlySet<string> = new Set()

/** So often a 409 that says nothing is asked again, of a write that was sent before. */
const VAGUE_MAX = 3

/**
 * A 409 without a body that anybody could read. Of a write that was sent before it may be a conflict, and it may be 'in
 * progress': the attempt before is at work, or was applied, and another key would apply it twice.
 */
function isVague(item: Item, error: unknown): boolean {
  if (statusOf(error) !== 409 || problemOf(error) !== undefined || item.entry.attempt < 2) return false
  return ++item.vague <= VAGUE_MAX
}

/** What the failure of an attempt means, with what the attempt has seen. */
function judge({ options }: QueueState, item: Item, error: unknown, { accepted }: Sending): Meaning {
  const meaning = meaningOf(error, options.isNetworkError)
  if (meaning === 'conflict' && isVague(item, error)) return 'in-progress'
  if (!accepted || isSyncError(error)) return meaning
  // Said yes, and then the caller could not use the answer, or could not read it to its end.
  if (meaning === 'bug' || meaning === 'unclear') return 'applied'
  return meaning === 'unanswered' ? 'cut' : meaning
}

async function failed(state: QueueState, item: Item, error: unknown, evidence: Sending): Promise<void> {
  const { entry, mutation } = item
  const meaning = judge(state, item, error, evidence)
  const wrapped = toSyncError(error, meaning, entry.mutationKey)
  if (meaning !== 'credentials') item.hasRefreshed = false
  const isOnce = mutation?.idempotent === false
  switch (meaning) {
    case 'credentials':
      return await unauthorized(state, item, error)
    case 'conflict':
      return await conflict(state, item, wrapped)
    case 'key-reused':
      reportReused(state, item, error)
      return reject(state, item, wrapped)
    case 'refused':
      return reject(state, item, wrapped)
    case 'applied':
      return acceptUnknown(state, item, wrapped, evidence)
    case 'bug':
      return isSyncError(error, 'usage') && !evidence.left ? reject(state, item, wrapped) : giveUp(state, item, wrapped)
    default:
      if (!(isOnce ? isUntouched(statusOf(error), meaning) : mayGoAgain(state, item, meaning, evidence)))
        return meaning === 'cut'
          ? acceptUnknown(state, item, wrapped, evidence)
          : (isOnce ? park : giveUp)(state, item, wrapped)
      return again(state, item, wrapped)
  }
}

/** Whether it is sent once more after what may end by itself. */
function mayGoAgain({ deps }: QueueState, item: Item, meaning: Meaning, { origin }: Sending): boolean {
  // While nobody else of the origin is heard either, a page is a network that lets nobody through.
  const heard = deps.http.heard(origin)
  const isAlone = meaning === 'page' && item.heard === heard
  item.heard = heard
  return isAlone || MEANINGS[meaning].again === 'without-end' || !isUsedUp(item)
}

/** Whether it has been tried as often as may be, now that it has failed once more. */
function isUsedUp(item: Item): boolean {
  return ++item.failures > (item.mutation?.retry ?? 8)
}

/** Given up without the server's word: it may have been applied all the same, and keeps its key for a retry. */
function giveUp(state: QueueState, item: Item, error: SyncError): void {
  state.deps.cache.invalidateUncovered(item.layer)
  reject(state, item, error, true)
}

/** The server has said yes; what it said beyond that is not known. */
function acceptUnknown(state: QueueState, item: Item, cause: SyncError, evidence: Sending): void {
  const { mutationKey } = item.entry
  const said = `The server accepted mutation ${canonical(mutationKey)}, but its answer could not be used, so it counts as confirmed without a result: ${cause.message}`
  state.deps.report(new SyncError('protocol', sentence(said), { mutationKey, cause: cause.cause ?? cause }))
  confirm(state, item, undefined, evidence)
}

function reportReused({ deps }: QueueState, { entry }: Item, cause: unknown): void {
  const said = 'The server has this idempotency key with another payload: the change is set aside.'
  deps.report(new SyncError('protocol', said, { cause, mutationKey: entry.mutationKey }))
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
    if (entry.sequence !== undefined && sequences.get(entry.scope) === entry.sequence) {
      sequences.set(entry.scope, entry.sequence - 1)
      entry.sequence = undefined
    }
  }
  setStatus(state, item, entry.sent ? 'uncertain' : 'queued')
  await save(state, item)
  state.pump()
}

function again(state: QueueState, item: Item, error: SyncError): void {
  const { clock, network } = state.deps
  if (error.status === undefined && !network.isOnline()) state.doubtsOffline(false)
  item.entry.failure = failureOf(error)
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
  item.entry.failure = failureOf(error)
  setStatus(state, item, 'blocked')
  void save(state, item)
}

/** The answer says that the write did not happen (too many, too early, busy) or that it is happening. */
function isUntouched(status: number | undefined, meaning: Meaning): boolean {
  return meaning === 'in-progress' || status === 425 || status === 429 || status === 503
}

function toSyncError(error: unknown, meaning: Meaning, mutationKey: readonly unknown[]): SyncError {
  const status = statusOf(error)
  const message = saidBy(error) ?? messageOf(error)
  const { retryAfter } = (error ?? {}) as { retryAfter?: unknown }
  const details = {
    status,
    problem: problemOf(error),
    mutationKey,
    cause: error,
    retryAfter: typeof retryAfter === 'number' ? retryAfter : undefined,
  }
  const { code } = MEANINGS[meaning]
  switch (meaning) {
    case 'conflict':
      return new SyncError(code, sentence(`The server has a newer version: ${message}`), details)
    case 'bug':
      return new SyncError(
        code,
        sentence(isError(error) && !isSyncError(error) ? `"mutationFn" threw: ${message}` : message),
        details,
      )
    case 'unanswered':
      if (status !== undefined) return new SyncError('http', message, details)
      return new SyncError(isSyncError(error, 'timeout') ? 'timeout' : code, sentence(message), details)
    default:
      return new SyncError(code, message, details)
  }
}
