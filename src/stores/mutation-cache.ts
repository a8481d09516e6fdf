/**
 * The outbox in query-core's MutationCache: what TanStack's `useIsMutating`, `useMutationState`, devtools and global
 * callbacks look at. A mirror only: each entry is one Mutation whose state is written here, and which never runs anything.
 */
import type { Mutation, MutationCache, MutationFunctionContext, MutationState } from '@tanstack/query-core'
import { SyncError, usageError } from '../base/errors'
import { guard } from '../base/guard'
import type { Movement } from '../writes/context'
import type { Write } from '../writes/write'
import { failuresOf, isPausedWrite, reasonOf } from './progress'
import type { Watched } from './watched'
import { WATCHED } from './watched'

/** Under this name the `meta` of a mirrored mutation has its entry's id. */
const ENTRY = 'outboxEntry'

/**
 * Shows a sync client's writes in the `MutationCache` of its QueryClient, so that TanStack's `useIsMutating`,
 * `useMutationState`, devtools and the cache's own callbacks see them. `SyncProvider` and `syncPlugin` call it; without them an
 * application that wants it does. Once per client, until the client is closed; writes that are pending are shown at once.
 *
 * @example
 * ```ts
 * mirrorMutations(sync)
 * sync.queryClient.isMutating({ mutationKey: ['todos'] })
 * ```
 */
export function mirrorMutations(client: { readonly queryClient: object }): void {
  const watched = (client as Record<symbol, Watched | undefined> | undefined)?.[WATCHED]
  if (watched === undefined) throw usageError('mirrorMutations needs a sync client: what createSyncClient() returned.')
  if (ENTRY in watched) return
  Object.defineProperty(watched, ENTRY, { value: true })
  const mirror = createMutationMirror(watched)
  watched.watch(mirror.look)
  watched.atClose(mirror.stop)
  for (const write of watched.writes.values()) mirror.look(write, 'restored')
}

interface MutationMirror {
  look(write?: Write, how?: Movement): void
  stop(): void
}

type UpdatedEvent = Extract<Parameters<MutationCache['notify']>[0], { type: 'updated' }>
type Standing = Pick<MutationState, 'failureCount' | 'failureReason' | 'isPaused' | 'variables'>

function createMutationMirror(deps: Watched): MutationMirror {
  const { queryClient } = deps
  const announce = (tell: () => void): void => deps.announce(tell, true)
  const cache = queryClient.getMutationCache()
  const mirrored = new Map<Write, Mutation>()
  let isBuilding = false
  let wasHeld = false
  // What a persister or a server kept of a mirror is dropped: the outbox has the entry itself.
  const drop = (mutation: Mutation): void => {
    if (mutation.meta?.[ENTRY] !== undefined) cache.remove(mutation)
  }
  cache.getAll().forEach(drop)
  const unsubscribe = cache.subscribe(({ type, mutation }) => {
    if (type === 'added' && !isBuilding) drop(mutation)
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

  function moved(of: Write, how: Movement): void {
    const mutation = mirrored.get(of)
    if (how === 'added' || how === 'restored') {
      if (of.record.status === 'confirmed') return
      announce(() => {
        const added = build(of)
        mirrored.set(of, added)
        if (how === 'added') tell(deps, added, 'onMutate', [of.record.variables])
      })
    } else if (mutation === undefined) return
    else if (how === 'updated') update(deps, of, mutation)
    else {
      mirrored.delete(of)
      announce(() => end(deps, of, mutation))
    }
  }

  return {
    stop() {
      unsubscribe()
      mirrored.clear()
    },
    look(of, how) {
      if (of !== undefined && how !== undefined) moved(of, how)
      const isHeld = deps.isHeldBack()
      if (isHeld === wasHeld) return
      wasHeld = isHeld
      announce(() => {
        for (const [each, mutation] of mirrored) update(deps, each, mutation)
      })
    },
  }
}

function write(
  deps: Watched,
  mutation: Mutation,
  change: Partial<MutationState>,
  action: UpdatedEvent['action'],
): void {
  const names = Object.keys(change) as Array<keyof MutationState>
  if (names.every((name) => Object.is(mutation.state[name], change[name]))) return
  mutation.state = { ...mutation.state, ...change }
  deps.announce(() => deps.queryClient.getMutationCache().notify({ type: 'updated', mutation, action }), true)
}

function update(deps: Watched, of: Write, mutation: Mutation): void {
  const standing = standingOf(of, deps.isHeldBack(), mutation.state)
  const { failureCount, failureReason, isPaused } = standing
  const { id } = of
  if (mutation.meta?.[ENTRY] !== id)
    mutation.setOptions({ ...mutation.options, meta: { ...mutation.meta, [ENTRY]: id } })
  const failed = failureCount !== mutation.state.failureCount
  const type = isPaused ? 'pause' : 'continue'
  write(deps, mutation, standing, failed ? { type: 'failed', failureCount, error: failureReason } : { type })
}

function end(deps: Watched, of: Write, mutation: Mutation): void {
  const { variables } = of.record
  const { data, error } = of.result ?? { data: undefined, error: null }
  if (error === null) {
    tell(deps, mutation, 'onSuccess', [data, variables])
    tell(deps, mutation, 'onSettled', [data, null, variables])
    write(deps, mutation, { ...DONE, status: 'success', data }, { type: 'success', data })
  } else if (error.code !== 'stopped') {
    tell(deps, mutation, 'onError', [error, variables])
    tell(deps, mutation, 'onSettled', [undefined, error, variables])
    const failureCount = mutation.state.failureCount + 1
    const change = { ...DONE, status: 'error' as const, error, failureCount, failureReason: error }
    write(deps, mutation, change, { type: 'error', error })
  } else deps.queryClient.getMutationCache().remove(mutation) // taken back by the user: nothing went wrong
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
function tell({ queryClient, report }: Watched, mutation: Mutation, name: CallbackName, args: unknown[]): void {
  const callback = queryClient.getMutationCache().config[name] as ((...args: unknown[]) => unknown) | undefined
  if (callback === undefined) return
  const { mutationKey = [], meta } = mutation.options
  const context: MutationFunctionContext = { client: queryClient, meta, mutationKey }
  const failed = (cause: unknown): void =>
    report(new SyncError('usage', `${name} of the MutationCache threw; the mutation goes on.`, { mutationKey, cause }))
  // `undefined` is the result of `onMutate`, which a mirrored mutation does not have.
  void guard(() => callback(...args, ...(name === 'onMutate' ? [] : [undefined]), mutation, context), failed)
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
