/**
 * The outbox in query-core's MutationCache: what TanStack's `useIsMutating`, `useMutationState`, devtools and global
 * callbacks look at. A mirror only: each entry is one Mutation whose state is written here, and which never runs anything.
 */
import type { Mutation, MutationCache, MutationFunctionContext, MutationState, QueryClient } from '@tanstack/query-core'
import { SyncError } from '../base/errors'
import type { Movement } from '../writes/context'
import type { Write } from '../writes/write'
import type { Announce } from './live'
import { failuresOf, isPausedWrite, reasonOf } from './progress'

/** Under this name the `meta` of a mirrored mutation has its entry's id. */
const ENTRY = 'outboxEntry'

export interface MutationMirror {
  moved(of: Write, how: Movement): void
  /** The network, or a switch of the queue, may have changed. */
  changed(): void
  stop(): void
}

interface MirrorDeps {
  queryClient: QueryClient
  /** Whether nothing is sent now. */
  isHeldBack(): boolean
  announce: Announce
  report(error: SyncError): void
}

type UpdatedEvent = Extract<Parameters<MutationCache['notify']>[0], { type: 'updated' }>
type Standing = Pick<MutationState, 'failureCount' | 'failureReason' | 'isPaused' | 'variables'>

export function createMutationMirror(deps: MirrorDeps): MutationMirror {
  const { queryClient } = deps
  const announce = (tell: () => void): void => deps.announce(tell, true)
  const cache = queryClient.getMutationCache()
  const mirrored = new Map<Write, Mutation>()
  let isBuilding = false
  let wasHeld = false
  // What a persister or a server kept of a mirror is dropped: the outbox has the entry itself.
  const unsubscribe = cache.subscribe(({ type, mutation }) => {
    if (type === 'added' && !isBuilding && mutation.meta?.[ENTRY] !== undefined) cache.remove(mutation)
  })

  function build(of: Write): Mutation {
    const { id, mutationKey, record } = of
    const options = { mutationKey, meta: { ...of.mutation?.meta, [ENTRY]: id } }
    const state = { ...START, submittedAt: record.createdAt, ...standingOf(of, deps.isHeldBack()) }
    isBuilding = true
    try {
      const mutation = cache.build<unknown, Error, unknown, unknown>(queryClient, options, state)
      // query-core resumes what is paused when the network returns; these are the queue's to resume.
      return Object.assign(mutation, { continue: async () => {}, execute: () => of.confirmed.promise })
    } finally {
      isBuilding = false
    }
  }

  function write(mutation: Mutation, change: Partial<MutationState>, action: UpdatedEvent['action']): void {
    const names = Object.keys(change) as Array<keyof MutationState>
    if (names.every((name) => Object.is(mutation.state[name], change[name]))) return
    mutation.state = { ...mutation.state, ...change }
    announce(() => cache.notify({ type: 'updated', mutation, action }))
  }

  function update(of: Write, mutation: Mutation): void {
    const standing = standingOf(of, deps.isHeldBack(), mutation.state)
    const { failureCount, failureReason, isPaused } = standing
    const { id } = of
    if (mutation.meta?.[ENTRY] !== id)
      mutation.setOptions({ ...mutation.options, meta: { ...mutation.meta, [ENTRY]: id } })
    const failed = failureCount !== mutation.state.failureCount
    const type = isPaused ? 'pause' : 'continue'
    write(mutation, standing, failed ? { type: 'failed', failureCount, error: failureReason } : { type })
  }

  function succeed(mutation: Mutation, variables: unknown, data: unknown): void {
    tell(deps, mutation, 'onSuccess', [data, variables])
    tell(deps, mutation, 'onSettled', [data, null, variables])
    write(mutation, { ...DONE, status: 'success', data }, { type: 'success', data })
  }

  function fail(mutation: Mutation, variables: unknown, error: SyncError): void {
    tell(deps, mutation, 'onError', [error, variables])
    tell(deps, mutation, 'onSettled', [undefined, error, variables])
    const failureCount = mutation.state.failureCount + 1
    const change = { ...DONE, status: 'error' as const, error, failureCount, failureReason: error }
    write(mutation, change, { type: 'error', error })
  }

  function end(of: Write, mutation: Mutation): void {
    mirrored.delete(of)
    const { variables } = of.record
    announce(() => {
      const { data, error } = of.result ?? { data: undefined, error: null }
      if (error === null) succeed(mutation, variables, data)
      else if (error.code !== 'stopped') fail(mutation, variables, error)
      else cache.remove(mutation) // taken back by the user: nothing went wrong
    })
  }

  return {
    stop() {
      unsubscribe()
      mirrored.clear()
    },
    moved(of, how) {
      const mutation = mirrored.get(of)
      if (how === 'added' || how === 'restored') {
        if (of.record.status === 'confirmed') return
        announce(() => {
          const added = build(of)
          mirrored.set(of, added)
          if (how === 'added') tell(deps, added, 'onMutate', [of.record.variables])
        })
      } else if (mutation === undefined) return
      else if (how === 'updated') update(of, mutation)
      else end(of, mutation)
    },
    changed() {
      const isHeld = deps.isHeldBack()
      if (isHeld === wasHeld) return
      wasHeld = isHeld
      announce(() => {
        for (const [of, mutation] of mirrored) update(of, mutation)
      })
    },
  }
}

const START: MutationState = {
  context: undefined,
  data: undefined,
  error: null,
  failureCount: 0,
  failureReason: null,
  isPaused: false,
  status: 'pending',
  variables: undefined,
  submittedAt: 0,
}

const DONE = { isPaused: false, failureCount: 0, failureReason: null }

type CallbackName = 'onMutate' | 'onSuccess' | 'onError' | 'onSettled'

/** Calls one of the MutationCache's own callbacks. `args` without what TanStack adds to all of them. */
function tell({ queryClient, report }: MirrorDeps, mutation: Mutation, name: CallbackName, args: unknown[]): void {
  const callback = queryClient.getMutationCache().config[name] as ((...args: unknown[]) => unknown) | undefined
  if (callback === undefined) return
  const { mutationKey = [], meta } = mutation.options
  const context: MutationFunctionContext = { client: queryClient, meta, mutationKey }
  const failed = (cause: unknown): void =>
    report(new SyncError('usage', `${name} of the MutationCache threw; the mutation goes on.`, { mutationKey, cause }))
  try {
    // `undefined` is the result of `onMutate`, which a mirrored mutation does not have.
    const result = callback(...args, ...(name === 'onMutate' ? [] : [undefined]), mutation, context)
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function')
      (result as PromiseLike<unknown>).then(undefined, failed)
  } catch (cause) {
    failed(cause)
  }
}

function standingOf({ record }: Write, heldBack: boolean, before: MutationState = START): Standing {
  const failureCount = failuresOf(record)
  return {
    variables: record.variables,
    isPaused: isPausedWrite(record, heldBack),
    failureCount,
    failureReason: failureCount === before.failureCount ? before.failureReason : reasonOf(record),
  }
}
