/**
 * The outbox in query-core's MutationCache: what TanStack's `useIsMutating`, `useMutationState`, devtools and global
 * callbacks look at. A mirror only: each entry is one Mutation whose state is written here, and which never runs anything.
 */
import type { Mutation, MutationCache, MutationFunctionContext, MutationState, QueryClient } from '@tanstack/query-core'
import { SyncError } from '../base/errors'
import type { Item, Movement, QueueState } from '../writes/log'
import type { Announce } from './live'
import { failuresOf, isHeldBack, isPausedEntry, reasonOf } from './progress'

/** Under this name the `meta` of a mirrored mutation has its entry's id. */
const ENTRY = 'outboxEntry'

export interface MutationMirror {
  moved(item: Item, how: Movement): void
  /** The network, or a switch of the queue, may have changed. */
  changed(): void
  stop(): void
}

interface MirrorDeps {
  queryClient: QueryClient
  /** Asked late: the queue is made after its mirror. */
  queue(): QueueState
  announce: Announce
  report(error: SyncError): void
}

type UpdatedEvent = Extract<Parameters<MutationCache['notify']>[0], { type: 'updated' }>
type Standing = Pick<MutationState, 'failureCount' | 'failureReason' | 'isPaused' | 'variables'>

export function createMutationMirror(deps: MirrorDeps): MutationMirror {
  const { queryClient } = deps
  const announce = (tell: () => void): void => deps.announce(tell, true)
  const cache = queryClient.getMutationCache()
  const mirrored = new Map<Item, Mutation>()
  let isBuilding = false
  let wasHeld = false
  // What a persister or a server kept of a mirror is dropped: the outbox has the entry itself.
  const unsubscribe = cache.subscribe(({ type, mutation }) => {
    if (type === 'added' && !isBuilding && mutation.meta?.[ENTRY] !== undefined) cache.remove(mutation)
  })

  function build(item: Item): Mutation {
    const { entry } = item
    const options = { mutationKey: entry.mutationKey, meta: { ...item.mutation?.meta, [ENTRY]: entry.id } }
    const state = { ...START, submittedAt: entry.createdAt, ...progressOf(deps.queue(), item) }
    isBuilding = true
    try {
      const mutation = cache.build<unknown, Error, unknown, unknown>(queryClient, options, state)
      // query-core resumes what is paused when the network returns; these are the queue's to resume.
      return Object.assign(mutation, { continue: async () => {}, execute: () => item.confirmed.promise })
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

  function update(item: Item, mutation: Mutation): void {
    const progress = progressOf(deps.queue(), item, mutation.state)
    const { failureCount, failureReason, isPaused } = progress
    const { id } = item.entry
    if (mutation.meta?.[ENTRY] !== id)
      mutation.setOptions({ ...mutation.options, meta: { ...mutation.meta, [ENTRY]: id } })
    const failed = failureCount !== mutation.state.failureCount
    const type = isPaused ? 'pause' : 'continue'
    write(mutation, progress, failed ? { type: 'failed', failureCount, error: failureReason } : { type })
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

  function end(item: Item, mutation: Mutation): void {
    mirrored.delete(item)
    const { outcome, entry } = item
    announce(() => {
      const { data, error } = outcome ?? { data: undefined, error: null }
      if (error === null) succeed(mutation, entry.variables, data)
      else if (error.code !== 'stopped') fail(mutation, entry.variables, error)
      else cache.remove(mutation) // taken back by the user: nothing went wrong
    })
  }

  return {
    stop() {
      unsubscribe()
      mirrored.clear()
    },
    moved(item, how) {
      const mutation = mirrored.get(item)
      if (how === 'added' || how === 'restored') {
        if (item.entry.status === 'confirmed') return
        announce(() => {
          const added = build(item)
          mirrored.set(item, added)
          if (how === 'added') tell(deps, added, 'onMutate', [item.entry.variables])
        })
      } else if (mutation === undefined) return
      else if (how === 'updated') update(item, mutation)
      else end(item, mutation)
    },
    changed() {
      const isHeld = isHeldBack(deps.queue())
      if (isHeld === wasHeld) return
      wasHeld = isHeld
      announce(() => {
        for (const [item, mutation] of mirrored) update(item, mutation)
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

function progressOf(queue: QueueState, { entry }: Item, before: MutationState = START): Standing {
  const failureCount = failuresOf(entry)
  return {
    variables: entry.variables,
    isPaused: isPausedEntry(entry, isHeldBack(queue)),
    failureCount,
    failureReason: failureCount === before.failureCount ? before.failureReason : reasonOf(entry),
  }
}
