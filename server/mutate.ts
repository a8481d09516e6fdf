/**
 * One mutation inside one store transaction, in the order that makes it happen once:
 * authorize, look its key up, look its sequence up, run in a savepoint, append to the log, store the outcome.
 *
 * Authorize comes before the look-up, or a stored answer would be given to who may no longer have it. The look-up comes
 * before every precondition, or a resend of an applied mutation would get a 412 and be applied again under a new id.
 */
import type { Problem } from '../src/base/errors'
import { canonical } from '../src/base/key'
import type { MutationOutcome } from '../src/base/messages'
import { withTimeLimit } from './clock'
import { fingerprint } from './fingerprint'
import type { MutationContext, MutationDefinition, Principal } from './functions'
import type { Metrics } from './metrics'
import type { ResolvedOptions } from './options'
import { isRefusal, makeProblem, refuse } from './problem'
import type { LogPart, Position, StoredOutcome, StoreTransaction } from './store'
import { isStoreError } from './store'
import type { Expected, WrittenEntity } from './transaction'
import { openRead, openWrite } from './transaction'
import { validate } from './validate'

/** A mutation as it came in. */
export interface MutationCall {
  id: string
  /** The mutation key's parts joined by `/`. */
  name: string
  variables: unknown
  outbox?: string | undefined
  scope?: string | undefined
  sequence?: number | undefined
  expected?: Expected | undefined
}

/** How a mutation ended. All but `replayed` are what the first attempt was answered. */
export interface MutationResult {
  id: string
  status: 'applied' | 'noop' | 'duplicate' | 'conflict' | 'rejected' | 'not-attempted'
  /** Position of its commit. */
  position?: Position | undefined
  /** What the function returned. */
  data?: unknown
  entities?: WrittenEntity[] | undefined
  problem?: Problem | undefined
  /** Milliseconds, for `Retry-After`. */
  retryAfter?: number | undefined
  /** Read from a stored outcome. */
  replayed: boolean
}

/** What a run left, before it is written to the log. */
export interface MutationEffect {
  call: MutationCall
  outcome: 'applied' | 'noop' | 'conflict' | 'rejected'
  parts: LogPart[]
  body: StoredBody
}

interface StoredBody {
  data?: unknown
  entities?: WrittenEntity[] | undefined
  problem?: Problem | undefined
}

export interface MutatorDeps<P extends Principal> {
  options: ResolvedOptions<P>
  metrics: Metrics
}

/** Who runs it, in which transaction. */
export interface MutationScene<P extends Principal> {
  store: StoreTransaction
  principal: P
  request: Request
}

export interface Mutator<P extends Principal> {
  /** A result if the mutation has ended before or may not run; `undefined` if it is to be run. */
  settle(scene: MutationScene<P>, call: MutationCall): Promise<MutationResult | undefined>
  /** Runs the function in a savepoint. Final refusals are effects too; whatever may pass later rejects. */
  attempt(scene: MutationScene<P>, call: MutationCall): Promise<MutationEffect>
  /** Writes the log entry, outcomes and sequences of one or more effects at one position. */
  record(scene: MutationScene<P>, effects: readonly MutationEffect[]): Promise<MutationResult[]>
}

export function createMutator<P extends Principal>({ options, metrics }: MutatorDeps<P>): Mutator<P> {
  return {
    async settle(scene, call) {
      await authorize(options, scene, call)
      const stored = await scene.store.outcome(scene.principal.id, call.id)
      if (stored !== undefined) return replay(stored, call, metrics)
      if (!options.mutations.has(call.name)) {
        throw refuse('not-found', `no mutation is called "${call.name}"`, { mutationId: call.id })
      }
      const key = sequenceKey(scene.principal, call)
      const last = key && (await scene.store.lastSequence(key))
      assertJump(call, last, options.limits.sequenceJump)
      if (last === undefined || (call.sequence ?? Infinity) > last) return undefined
      metrics.count('mutations{duplicate}')
      return { id: call.id, status: 'duplicate', replayed: true }
    },
    async attempt(scene, call) {
      const definition = options.mutations.get(call.name)
      if (definition === undefined) throw refuse('not-found', `no mutation is called "${call.name}"`)
      try {
        return await scene.store.savepoint(() => run(options, scene, call, definition))
      } catch (error) {
        return failure(error, call, options)
      }
    },
    async record(scene, effects) {
      const position = await scene.store.append({
        principal: scene.principal.id,
        mutations: effects.map(toOutcome),
        parts: effects.flatMap((effect) => effect.parts),
      })
      const results: MutationResult[] = []
      for (const { call, outcome, body } of effects) {
        await scene.store.saveOutcome({
          principal: scene.principal.id,
          id: call.id,
          fingerprint: fingerprintOf(call),
          status: outcome,
          position,
          body: JSON.stringify(body),
          createdAt: options.clock.now(),
        })
        await saveSequence(scene, call, options.limits.sequenceJump)
        results.push({ id: call.id, status: outcome, position, ...body, replayed: false })
      }
      return results
    },
  }
}

/** Asks the mutation's own rule, if it has one; rejects with the refusal. */
async function authorize<P extends Principal>(
  options: ResolvedOptions<P>,
  scene: MutationScene<P>,
  call: MutationCall,
): Promise<void> {
  const rule = options.mutations.get(call.name)?.authorize
  if (rule === undefined) return
  const view = openRead(scene.store, lateUse(options, call))
  try {
    const allowed = await inTime(options, async () => rule(view.tx, call.variables, contextOf(scene, call)))
    if (!allowed) throw refuse('forbidden', `you may not run "${call.name}"`)
  } catch (error) {
    if (view.failure) throw view.failure
    if (isRefusal(error)) throw error
    options.onError(error, `the rule of mutation "${call.name}" failed; it was refused`)
    throw refuse('forbidden', `you may not run "${call.name}"`)
  } finally {
    await view.end()
  }
}

/** Runs the mutation's function. What it did counts only if it has returned, and awaited all that it began. */
async function run<P extends Principal>(
  options: ResolvedOptions<P>,
  scene: MutationScene<P>,
  call: MutationCall,
  definition: MutationDefinition<P>,
): Promise<MutationEffect> {
  const { topicsOf } = options
  const write = openWrite(scene.store, { topicsOf, expected: call.expected, onLate: lateUse(options, call) })
  try {
    const data: unknown = await inTime(options, async () =>
      definition.run(write.tx, await validate(definition.variables, call.variables), contextOf(scene, call)),
    )
    const forgotten = write.leftBehind()
    await write.end()
    if (write.failure ?? forgotten) throw write.failure ?? forgotten
    const entities = [...write.entities.values()]
    const outcome = write.hasEffects ? ('applied' as const) : ('noop' as const)
    return { call, outcome, parts: write.parts, body: plain({ data, entities }) }
  } catch (error) {
    await write.end()
    throw write.failure ?? error
  }
}

function contextOf<P extends Principal>(
  { principal, request }: MutationScene<P>,
  { id, name }: MutationCall,
): MutationContext<P> {
  return { principal, request, mutationId: id, name }
}

function lateUse<P extends Principal>(options: ResolvedOptions<P>, { name }: MutationCall) {
  return (error: Error) =>
    options.onError(error, `the mutation "${name}" used its transaction too late; nothing of that happened`)
}

function inTime<P extends Principal, T>({ clock, limits }: ResolvedOptions<P>, work: () => Promise<T>): Promise<T> {
  return withTimeLimit(clock, limits.time, work(), () =>
    refuse('unavailable', `it took longer than ${limits.time} ms and was undone`, {}, 1_000),
  )
}

/** What an error from a mutation means: an effect if that is the end of it, else it is thrown on. */
function failure<P extends Principal>(error: unknown, call: MutationCall, options: ResolvedOptions<P>): MutationEffect {
  if (isRefusal(error)) {
    if (!error.final) throw error
    const isConflict = error.problem.status === 409 || error.problem.status === 412
    const problem = { ...error.problem, mutationId: call.id }
    return { call, outcome: isConflict ? 'conflict' : 'rejected', parts: [], body: plain({ problem }) }
  }
  if (isStoreError(error)) throw error
  // A mutation that throws once would throw for ever, and nothing behind it in its scope would be sent. So this is an
  // end: stored, and final for the client. What may pass is said with `retryLater`.
  options.onError(error, `the mutation "${call.name}" failed; its effects were undone`)
  const problem = makeProblem('application-error', `the mutation "${call.name}" failed`, { mutationId: call.id })
  return { call, outcome: 'rejected', parts: [], body: { problem } }
}

function replay(stored: StoredOutcome, call: MutationCall, metrics: Metrics): MutationResult {
  if (stored.fingerprint !== fingerprintOf(call)) {
    metrics.count('mutations{key-reused}')
    const detail = 'this idempotency key was used for another mutation or other variables; make a new one'
    throw refuse('key-reused', detail, { mutationId: call.id })
  }
  metrics.count('mutations{replayed}')
  const body = JSON.parse(stored.body) as StoredBody
  return { id: call.id, status: stored.status, position: stored.position, ...body, replayed: true }
}

// Not the precondition: a resend may name another version and is still the same mutation.
function fingerprintOf({ name, variables }: MutationCall): string {
  return fingerprint(canonical([name, variables]))
}

/** A sequence that leaps would let one request of a stranger silence an outbox for good. */
function assertJump({ id, sequence }: MutationCall, last: number | undefined, most: number): void {
  if (last === undefined || sequence === undefined || sequence <= last + most) return
  throw refuse('malformed', `the sequence ${sequence} is more than ${most} past the last one (${last})`, {
    mutationId: id,
  })
}

function sequenceKey(principal: Principal, { outbox, scope }: MutationCall) {
  return outbox === undefined ? undefined : { principal: principal.id, outbox, scope: scope ?? '' }
}

async function saveSequence(scene: MutationScene<Principal>, call: MutationCall, jump: number): Promise<void> {
  const key = sequenceKey(scene.principal, call)
  // A first one that is far along (the server's memory is younger than the client's) is believed, not remembered.
  const last = key && (await scene.store.lastSequence(key))
  const isNear = (call.sequence ?? 0) <= (last ?? 0) + jump
  if (key && call.sequence !== undefined && isNear) await scene.store.saveSequence(key, call.sequence)
}

function toOutcome({ call, outcome, body }: MutationEffect): MutationOutcome {
  // Not whose outbox it was: who knows that could use up its sequences.
  if (outcome === 'applied' || outcome === 'noop') return { id: call.id, status: outcome }
  return { id: call.id, status: 'rejected', ...(body.problem ? { problem: body.problem } : {}) }
}

/** As JSON will have it, so that the first answer and a replay are the same. */
function plain(body: StoredBody): StoredBody {
  return JSON.parse(JSON.stringify(body)) as StoredBody
}
