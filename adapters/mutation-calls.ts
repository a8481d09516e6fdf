/**
 * What a hook for a defined mutation watches: its newest call, in the shape of TanStack's mutation results. A call is
 * pending until the server accepted or refused it, however long that takes; it belongs to the outbox, not to the hook.
 */
import type { DefinedMutation, Progress, QueryClient, ReadonlyStore, SyncClient, SyncError } from 'tidemark'
import { isSyncError, shouldThrowError } from 'tidemark'

/** TanStack's fields of a mutation's state, and no others. */
export interface CallState {
  readonly context: undefined
  readonly data: unknown
  readonly error: SyncError | null
  readonly failureCount: number
  readonly failureReason: SyncError | null
  readonly isPaused: boolean
  readonly status: 'idle' | 'pending' | 'success' | 'error'
  readonly variables: unknown
  readonly submittedAt: number
  readonly isIdle: boolean
  readonly isPending: boolean
  readonly isSuccess: boolean
  readonly isError: boolean
}

/** What TanStack's callbacks get as their last argument. */
interface CallContext {
  client: QueryClient
  meta: Record<string, unknown> | undefined
  mutationKey: readonly unknown[]
}

type OnMutateResult = undefined

/** TanStack's callbacks. Those of one call fire while somebody listens, and for the newest call only. */
export interface CallCallbacks {
  onSuccess?: ((data: never, variables: never, result: OnMutateResult, context: CallContext) => unknown) | undefined
  onError?: ((error: SyncError, variables: never, result: OnMutateResult, context: CallContext) => unknown) | undefined
  onSettled?:
    | ((
        data: never,
        error: SyncError | null,
        variables: never,
        result: OnMutateResult,
        context: CallContext,
      ) => unknown)
    | undefined
}

export interface MutationCalls {
  getState(): CallState
  subscribe(listener: () => void): () => void
  /** Throws `usage` errors at once; every other failure is in the state and in the promise. */
  mutate(variables: unknown, callbacks?: CallCallbacks): Promise<unknown>
  /** Forgets the newest call; the call itself goes on. */
  reset(): void
}

/** Options of a hook for a defined mutation. */
export interface CallOptions {
  /** Whether an error is thrown while rendering, to the nearest boundary. @defaultValue TanStack's defaults for mutations */
  throwOnError?: boolean | ((error: SyncError) => boolean) | undefined
}

/** Whether a failed call is to be thrown while rendering. */
export function isThrown(sync: SyncClient, options: DefinedMutation & CallOptions, error: SyncError | null): boolean {
  if (error === null) return false
  const { mutationKey, throwOnError } = options
  const defaults = sync.queryClient.defaultMutationOptions({ mutationKey }) as CallOptions & object
  return shouldThrowError(throwOnError ?? defaults.throwOnError, [error])
}

/** Whether these options are a mutation made by `defineMutation`. */
export function isDefined(options: unknown): options is DefinedMutation {
  return (options as { defined?: unknown } | null | undefined)?.defined === true
}

const ORIGIN = Symbol.for('tidemark.mutation')

/** What `defineMutation` returned, whether the hook was given that or a copy with callbacks of its own. */
export function originOf(options: DefinedMutation): DefinedMutation {
  return (options as { [ORIGIN]?: DefinedMutation })[ORIGIN] ?? options
}

/** The callbacks of a copy; those of the mutation itself are called by the outbox, also after a reload. */
export function ownCallbacks(options: DefinedMutation): CallCallbacks {
  const origin = originOf(options)
  const own = (name: keyof CallCallbacks) => (options[name] === origin[name] ? undefined : options[name])
  return { onSuccess: own('onSuccess'), onError: own('onError'), onSettled: own('onSettled') } as CallCallbacks
}

/** Makes the calls of one hook. Nothing is held or watched before the first `mutate`. */
export function createMutationCalls(sync: SyncClient, options: () => DefinedMutation): MutationCalls {
  const listeners = new Set<() => void>()
  let state: CallState = IDLE
  let newest = 0

  function show(change: Partial<CallState>): void {
    if (!(Object.keys(change) as Array<keyof CallState>).some((name) => change[name] !== state[name])) return
    const { status = state.status } = change
    const flags = { isIdle: status === 'idle', isPending: status === 'pending', isError: status === 'error' }
    state = { ...state, ...change, ...flags, isSuccess: status === 'success' }
    for (const listener of [...listeners]) listener()
  }

  function mutate(variables: unknown, callbacks: CallCallbacks = {}): Promise<unknown> {
    const { id, confirmed } = send(sync, originOf(options()), variables)
    const mine = ++newest
    show({ ...IDLE, status: 'pending', variables })
    const finish = (ended: Pick<CallState, 'status' | 'data' | 'error' | 'failureCount' | 'failureReason'>): void => {
      const told = { sync, options: options(), data: ended.data, error: ended.error, variables }
      tell(ownCallbacks(told.options), told)
      if (mine !== newest) return
      if (listeners.size > 0) tell(callbacks, told)
      const { status, data, error, failureCount, failureReason } = ended
      show({ isPaused: false, status, data, error, failureCount, failureReason })
    }
    const progress = id === undefined ? undefined : sync.progress(id)
    if (progress === undefined) confirmed.then(undefined, (error: SyncError) => finish(failedWith(error)))
    else follow(progress, { isShown: () => mine === newest, show, finish })
    return confirmed
  }

  return {
    mutate,
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    reset() {
      newest++
      show(IDLE)
    },
  }
}

const IDLE: CallState = {
  context: undefined,
  data: undefined,
  error: null,
  failureCount: 0,
  failureReason: null,
  isPaused: false,
  status: 'idle',
  variables: undefined,
  submittedAt: 0,
  isIdle: true,
  isPending: false,
  isSuccess: false,
  isError: false,
}

// A client that is closed is no mistake of the code that calls it: the call fails as any other may.
function send(
  sync: SyncClient,
  mutation: DefinedMutation,
  variables: unknown,
): { id?: string; confirmed: Promise<unknown> } {
  try {
    return sync.mutate(mutation as unknown as DefinedMutation<unknown>, variables)
  } catch (error) {
    if (!isSyncError(error, 'stopped')) throw error
    const confirmed = Promise.reject(error)
    confirmed.catch(() => {})
    return { confirmed }
  }
}

/** How a call ended, and whose it was. */
export interface Told {
  sync: SyncClient
  options: DefinedMutation
  data: unknown
  error: SyncError | null
  variables: unknown
}

/** Calls them; what one throws reaches the page's own handler and stops nothing. */
export function tell(callbacks: CallCallbacks, { sync, options: { meta, mutationKey }, error, ...rest }: Told): void {
  const { data, variables } = rest as { data: never; variables: never }
  const context = { client: sync.queryClient, meta, mutationKey }
  const run = (callback: () => unknown): void => {
    try {
      callback()
    } catch (thrown) {
      void Promise.reject(thrown) // as TanStack does: it reaches the page's own handler and stops nothing here
    }
  }
  if (error) run(() => callbacks.onError?.(error, variables, undefined, context))
  else run(() => callbacks.onSuccess?.(data, variables, undefined, context))
  run(() => callbacks.onSettled?.(data, error, variables, undefined, context))
}

/** Shows how a write goes until it ends. What it shows is published with the views. */
function follow(
  progress: ReadonlyStore<Progress>,
  to: { isShown(): boolean; show(change: Partial<CallState>): void; finish(ended: Progress): void },
): void {
  const update = (): void => {
    const now = progress.getState()
    const { status, isPaused, failureCount, failureReason, submittedAt } = now
    if (status === 'pending') {
      if (to.isShown()) to.show({ isPaused, failureCount, failureReason, submittedAt })
      return
    }
    stop()
    to.finish(now)
  }
  const stop = progress.subscribe(update)
  update()
}

function failedWith(error: SyncError): Pick<CallState, 'status' | 'data' | 'error' | 'failureCount' | 'failureReason'> {
  return { status: 'error', data: undefined, error, failureCount: 1, failureReason: error }
}
