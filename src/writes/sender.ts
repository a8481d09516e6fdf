/**
 * One attempt of one entry. Written down before it leaves; the outcome only ever moves on evidence from the server: no
 * answer leaves the entry uncertain, to be sent again with the same id.
 */
import { laterCursor } from '../base/cursor'
import { isSyncError, SyncError, sentence } from '../base/errors'
import { canonical } from '../base/key'
import { isRequest } from '../base/kinds'
import type { Meaning } from '../base/meaning'
import { MEANINGS, statusOf } from '../base/meaning'
import { HEADERS, PENDING_MAX } from '../base/messages'
import { isNotSent, WAITING } from '../platform/http'
import { evidenceOf } from '../queries/context'
import {
  awaitAnswer,
  begin,
  countFailure,
  finish,
  isAsQuiet,
  noteAnswer,
  noteRefreshed,
  setHeldBack,
  wait,
} from './attempts'
import type { QueueContext } from './context'
import { change, save } from './context'
import type { MutationContext } from './definition'
import { isUntouched, judge, toSyncError } from './judge'
import { returnSequence, takeSequence } from './log'
import type { AttemptEvidence } from './outcome'
import { block, confirm, end, failureOf } from './outcome'
import { conflict } from './replace'
import { refuseFailedAnswer } from './returned'
import { readUnread } from './unread'
import type { Write } from './write'
import { noteLeft, noteNotLeft, revise } from './write'

/** What is known of one attempt while it runs. */
interface Sending extends AttemptEvidence {
  /** A request of it has left. */
  left: boolean
  /** A 2xx of it was handed to the caller: the server has accepted it, whatever the caller then makes of the answer. */
  accepted: boolean
  /** Where its last request went. */
  origin: string
  /** What {@link FlowState.breakerTurns} was when the circuit breaker let a request of it not out. */
  heldAt: number | undefined
}

/** A turn of the circuit breaker that never comes: nothing waits for it. */
const NEVER = -1

export async function send(queue: QueueContext, write: Write): Promise<void> {
  const { deps, options, log, flow } = queue
  const { id, attempts } = write
  const isFirst = !write.record.sent
  const request = begin(attempts)
  takeSequence(log, write)
  change(queue, write, { sent: true, attempt: write.record.attempt + 1, status: 'sending' })
  await save(queue, write)
  // Not whether it is still listed: an echo may have settled it, and its answer then brings the result.
  const isMine = () => attempts.request === request && write.id === id && !flow.state.isClosed
  if (!isMine()) return
  const evidence: Sending = {
    cursor: undefined,
    named: undefined,
    left: false,
    accepted: false,
    origin: '',
    heldAt: undefined,
  }
  if (!flow.isFlowing() && write.outcome === undefined)
    return await holdBack(queue, write, isFirst, { ...evidence, heldAt: NEVER }) // stopped meanwhile
  noteLeft(write, deps.cache.core.tick(), isFirst)
  awaitAnswer(attempts, deps.clock, WAITING, () => deps.http.noteWaiting(evidence.origin))
  const cancelTimeout = deps.clock.after(options.timeout, () =>
    request.abort(new SyncError('timeout', `No answer within ${options.timeout} ms.`)),
  )
  try {
    const data = await run(queue, write, request.signal, evidence)
    cancelTimeout()
    noteAnswer(attempts)
    if (!isMine()) return
    finish(attempts)
    confirm(queue, write, data, evidence)
  } catch (thrown) {
    const error = await readUnread(thrown, request.signal)
    cancelTimeout()
    if (statusOf(error) !== undefined || isNotSent(error)) noteAnswer(attempts)
    if (!isMine()) return
    finish(attempts)
    if (write.outcome === 'confirmed') return confirm(queue, write, undefined, evidence) // the stream was faster
    if (isNotSent(error) && !evidence.left) return await holdBack(queue, write, isFirst, evidence)
    await failed(queue, write, request.signal.aborted ? (request.signal.reason as unknown) : error, evidence)
  }
}

/** Ends when the function does or when the attempt is aborted, whichever is first. */
function run(queue: QueueContext, write: Write, signal: AbortSignal, evidence: Sending): Promise<unknown> {
  const { record, mutation } = write
  const { id, variables, attempt, baseVersion, mutationKey } = record
  const fetch = createFetch(queue, write, signal, evidence)
  const context: MutationContext = { fetch, idempotencyKey: id, signal, attempt, baseVersion, mutationKey }
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    Promise.resolve()
      .then(() => mutation?.mutationFn(variables as never, context))
      .then(refuseFailedAnswer)
      .then(resolve, reject)
  })
}

function createFetch(
  { deps, options, log, flow }: QueueContext,
  write: Write,
  signal: AbortSignal,
  evidence: Sending,
): MutationContext['fetch'] {
  const { cache, http } = deps
  const { id, scope, sequence, attempt } = write.record
  return async (input, init) => {
    const names = cache.neighbours(write).slice(0, PENDING_MAX)
    const fields: Record<string, string> = { [HEADERS.idempotencyKey]: options.bareKey ? id : `"${id}"` }
    evidence.origin = http.origin(input)
    if (http.speaksSync(input)) {
      fields[HEADERS.outbox] = log.meta.outboxId
      fields[HEADERS.scope] = encodeScope(scope)
      fields[HEADERS.sequence] = String(sequence ?? 0)
      if (names.length > 0) fields[HEADERS.pending] = names.join(', ')
    }
    const method = isRequest(input) ? input.method : 'POST'
    const request = http.request(input, { method, ...init, signal: init?.signal ?? signal }, fields, true)
    const response = await request.catch((error: unknown) => {
      if (isNotSent(error)) evidence.heldAt = flow.state.breakerTurns
      else evidence.left ||= !isSyncError(error, 'usage')
      throw error
    })
    evidence.left = evidence.accepted = true
    noteAnswer(write.attempts)
    const found = evidenceOf(cache.core, response, HEADERS.pending in fields ? names : [])
    evidence.cursor = laterCursor(evidence.cursor, found.cursor)
    const isReplayed = response.headers.get(HEADERS.replayed) === 'true'
    if (found.cursor !== undefined) cache.core.told(found.cursor, !isReplayed)
    // A stored answer names what it was asked for then: what it does not name may be in it all the same.
    const isFirst = attempt === 1 && !isReplayed
    if (found.asked !== undefined) evidence.named = { asked: isFirst ? found.asked : NOBODY, reflects: found.reflects }
    return response
  }
}

/** Any text is a scope: halves of a surrogate pair, which cannot be encoded, are spelled out. */
function encodeScope(scope: string): string {
  return encodeURIComponent(scope.replace(/\p{Cs}/gu, (half) => `%u${half.charCodeAt(0).toString(16)}`))
}

const NOBODY: ReadonlySet<string> = new Set()

async function failed(queue: QueueContext, write: Write, error: unknown, evidence: Sending): Promise<void> {
  const { mutation, mutationKey, attempts } = write
  const meaning = judge(queue, write, error, evidence.accepted)
  const wrapped = toSyncError(error, meaning, mutationKey)
  if (meaning !== 'credentials') noteRefreshed(attempts, false)
  const isOnce = mutation?.idempotent === false
  switch (meaning) {
    case 'credentials':
      return await unauthorized(queue, write, error)
    case 'conflict':
      return await conflict(queue, write, wrapped)
    case 'key-reused':
      reportReused(queue, write, error)
      return end(queue, write, 'refused', wrapped)
    case 'refused':
      return end(queue, write, 'refused', wrapped)
    case 'applied':
      return acceptUnknown(queue, write, wrapped, evidence)
    case 'bug':
      return end(queue, write, isSyncError(error, 'usage') && !evidence.left ? 'refused' : 'given-up', wrapped)
    default:
      if (isOnce ? isUntouched(statusOf(error), meaning) : mayGoAgain(queue, write, meaning, evidence))
        return again(queue, write, wrapped)
      if (meaning === 'cut') return acceptUnknown(queue, write, wrapped, evidence)
      return isOnce ? block(queue, write, wrapped) : end(queue, write, 'given-up', wrapped)
  }
}

/** Whether it is sent once more after what may end by itself. */
function mayGoAgain({ deps }: QueueContext, write: Write, meaning: Meaning, { origin }: Sending): boolean {
  // While nobody else of the origin is heard either, a page is a network that lets nobody through.
  const isQuiet = isAsQuiet(write.attempts, deps.http.heard(origin))
  const isAlone = meaning === 'page' && isQuiet
  return isAlone || MEANINGS[meaning].again === 'without-end' || !isUsedUp(write)
}

/** Whether it has been tried as often as may be, now that it has failed once more. */
function isUsedUp({ attempts, mutation }: Write): boolean {
  return countFailure(attempts) > (mutation?.retry ?? 8)
}

/** The server has said yes; what it said beyond that is not known. */
function acceptUnknown(queue: QueueContext, write: Write, cause: SyncError, evidence: Sending): void {
  const { mutationKey } = write
  const said = `The server accepted mutation ${canonical(mutationKey)}, but its answer could not be used, so it counts as confirmed without a result: ${cause.message}`
  queue.deps.report(new SyncError('protocol', sentence(said), { mutationKey, cause: cause.cause ?? cause }))
  confirm(queue, write, undefined, evidence)
}

function reportReused({ deps }: QueueContext, { mutationKey }: Write, cause: unknown): void {
  const said = 'The server has this idempotency key with another payload: the change is set aside.'
  deps.report(new SyncError('protocol', said, { cause, mutationKey }))
}

async function unauthorized(queue: QueueContext, write: Write, error: unknown): Promise<void> {
  const { deps, log, flow } = queue
  const { attempts } = write
  revise(write, { attempt: write.record.attempt - 1 })
  // Our own `fetch` has asked for new credentials already; another transport has not.
  const mayRefresh = !isSyncError(error) && !attempts.hasRefreshed
  if (mayRefresh) noteRefreshed(attempts, true)
  const isRefreshed = mayRefresh && (await deps.http.refresh())
  if (write.record.status !== 'sending' || log.writes.get(write.id) !== write) return // settled, or given up, meanwhile
  if (!isRefreshed) flow.set({ needsAuth: true })
  change(queue, write, { status: isRefreshed ? 'uncertain' : 'paused' })
  await save(queue, write)
  queue.pump()
}

/** Nothing was let out, by the circuit breaker or the application: as if it had not been tried. */
async function holdBack(queue: QueueContext, write: Write, isFirst: boolean, { heldAt }: Sending): Promise<void> {
  const { attempts, record } = write
  finish(attempts)
  setHeldBack(attempts, heldAt === undefined || heldAt === queue.flow.state.breakerTurns) // else it has changed its mind
  if (isFirst) {
    returnSequence(queue.log, write)
    noteNotLeft(write)
  }
  change(queue, write, {
    attempt: record.attempt - 1,
    sent: !isFirst,
    status: isFirst ? 'queued' : 'uncertain',
  })
  await save(queue, write)
  queue.pump()
}

function again(queue: QueueContext, write: Write, error: SyncError): void {
  const { deps, flow } = queue
  if (error.status === undefined && !deps.network.isOnline()) flow.doubtOffline(false)
  change(queue, write, { failure: failureOf(error), status: 'uncertain' })
  void save(queue, write)
  wait(write.attempts, deps.clock, error.retryAfter ?? 0, queue.pump)
}
