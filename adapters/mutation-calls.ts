/**
 * What a hook for a defined mutation watches: its newest call, in the shape of TanStack's mutation results. A call is
 * pending until the server accepted or refused it, however long that takes; it belongs to the outbox, not to the hook.
 */
import type { DefinedMutation, OutboxEntry, OutboxState, QueryClient, SyncClient } from 'tidemark'
import { isSyncError, SyncError } from 'tidemark'

/** TanStack's fields of a mutation's state, and no others. */
export interface CallState<TVariables, TData> {
  readonly context: undefined
  readonly data: TData | undefined
  readonly error: SyncError | null
  readonly failureCount: number
  readonly failureReason: SyncError | null
  readonly isPaused: boolean
  readonly status: 'idle' | 'pending' | 'success' | 'error'
  readonly variables: TVariables | undefined
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

/** TanStack's callbacks of one call: they fire while somebody listens, and for the newest call only. */
export interface CallCallbacks<TVariables, TData> {
  onSuccess?:
    | ((data: TData, variables: TVariables, onMutateResult: undefined, context: CallContext) => unknown)
    | undefined
  onError?:
    | ((error: SyncError, variables: TVariables, onMutateResult: undefined, context: CallContext) => unknown)
    | undefined
  onSettled?:
    | ((
        data: TData | undefined,
        error: SyncError | null,
        variables: TVariables,
        onMutateResult: undefined,
        context: CallContext,
      ) => unknown)
    | undefined
}

export interface MutationCalls<TVariables, TData> {
  getState(): CallState<TVariables, TData>
  subscribe(listener: () => void): () => void
  /** Throws `usage` errors at once, everything else is in the state and in the promise. */
  mutate(variables: TVariables, callbacks?: CallCallbacks<TVariables, TData>): Promise<TData>
  /** Forgets the newest call; the call itself goes on. */
  reset(): void
}

/** Whether these options are a mutation made by `defineMutation`. */
export function isDefined(options: unknown): options is DefinedMutation {
  return (options as { defined?: unknown } | null | undefined)?.defined === true
}

/** Makes the calls of one hook. Nothing is held or watched before the first `mutate`. */
export function createMutationCalls<TVariables, TData>(
  sync: SyncClient,
  mutation: DefinedMutation<TVariables, TData>,
): MutationCalls<TVariables, TData> {
  type State = CallState<TVariables, TData>
  const listeners = new Set<() => void>()
  let state: State = idle()
  let call = 0
  let stop = (): void => {}

  function show(change: Partial<State>): void {
    const next = withFlags({ ...state, ...change })
    if ((Object.keys(next) as Array<keyof State>).every((name) => Object.is(next[name], state[name]))) return
    state = next
    for (const listener of [...listeners]) listener()
  }

  /** Shows what the outbox and the status say of a call, until it ends or another takes its place. */
  function follow(id: string): () => void {
    let current = id
    const update = (): void => {
      const entry = entryOf(sync.outbox.getState(), current)
      if (entry === undefined) return
      current = entry.id
      show(progressOf(sync, entry))
    }
    update()
    const stops = [sync.outbox.subscribe(update), sync.status.subscribe(update)]
    return () => {
      for (const end of stops) end()
    }
  }

  function begin(variables: TVariables): number {
    stop()
    stop = () => {}
    state = withFlags({ ...idle<TVariables, TData>(), status: 'pending', variables, submittedAt: Date.now() })
    return ++call
  }

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    mutate(variables, callbacks = {}) {
      const confirmed = send(sync, mutation, variables)
      const mine = begin(variables)
      if ('id' in confirmed) stop = follow(confirmed.id)
      for (const listener of [...listeners]) listener()
      const context = { client: sync.queryClient, meta: mutation.meta, mutationKey: mutation.mutationKey }
      const end = (data: TData | undefined, error: SyncError | null): void => {
        if (mine !== call) return
        stop()
        if (listeners.size > 0) tell(callbacks, { data, error, variables, context })
        show({
          status: error === null ? 'success' : 'error',
          data,
          error,
          isPaused: false,
          ...failuresOf(state, error),
        })
      }
      confirmed.promise.then(
        (data) => end(data, null),
        (error: SyncError) => end(undefined, error),
      )
      return confirmed.promise
    },
    reset() {
      call++
      stop()
      stop = () => {}
      show(idle())
    },
  }
}

// A client that is closed is no mistake of the code that calls it: the call fails as any other may.
function send<TVariables, TData>(
  sync: SyncClient,
  mutation: DefinedMutation<TVariables, TData>,
  variables: TVariables,
): { id?: string; promise: Promise<TData> } {
  try {
    const handle = sync.mutate<TVariables, TData>(mutation, ...([variables] as never))
    return { id: handle.id, promise: handle.confirmed }
  } catch (error) {
    if (!isSyncError(error, 'stopped')) throw error
    const promise = Promise.reject<TData>(error)
    promise.catch(() => {})
    return { promise }
  }
}

function tell<TVariables, TData>(
  callbacks: CallCallbacks<TVariables, TData>,
  end: { data: TData | undefined; error: SyncError | null; variables: TVariables; context: CallContext },
): void {
  const { data, error, variables, context } = end
  const run = (callback: () => unknown): void => {
    try {
      callback()
    } catch (thrown) {
      void Promise.reject(thrown) // as TanStack does: it reaches the page's own handler and stops nothing here
    }
  }
  if (error === null) run(() => callbacks.onSuccess?.(data as TData, variables, undefined, context))
  else run(() => callbacks.onError?.(error, variables, undefined, context))
  run(() => callbacks.onSettled?.(data, error, variables, undefined, context))
}

function idle<TVariables, TData>(): CallState<TVariables, TData> {
  return withFlags<TVariables, TData>({
    context: undefined,
    data: undefined,
    error: null,
    failureCount: 0,
    failureReason: null,
    isPaused: false,
    status: 'idle',
    variables: undefined,
    submittedAt: 0,
  })
}

function withFlags<TVariables, TData>(
  state: Omit<CallState<TVariables, TData>, 'isIdle' | 'isPending' | 'isSuccess' | 'isError'>,
): CallState<TVariables, TData> {
  const { status } = state
  return {
    ...state,
    isIdle: status === 'idle',
    isPending: status === 'pending',
    isSuccess: status === 'success',
    isError: status === 'error',
  }
}

function failuresOf<TVariables, TData>(state: CallState<TVariables, TData>, error: SyncError | null) {
  return error === null
    ? { failureCount: 0, failureReason: null }
    : { failureCount: state.failureCount + 1, failureReason: error }
}

function progressOf(sync: SyncClient, entry: OutboxEntry) {
  const { network, isPaused, needsAuth } = sync.status.getState()
  const waits = entry.status === 'queued' || entry.status === 'uncertain' || entry.status === 'paused'
  const failures = entry.failure === undefined ? 0 : entry.status === 'sending' ? entry.attempt - 1 : entry.attempt
  return {
    submittedAt: entry.createdAt,
    isPaused: waits && (network === 'offline' || isPaused || needsAuth),
    failureCount: failures,
    failureReason: reasonOf(entry),
  }
}

const reasons = new WeakMap<object, SyncError>()

function reasonOf({ failure, mutationKey }: OutboxEntry): SyncError | null {
  if (failure === undefined) return null
  let reason = reasons.get(failure)
  if (reason === undefined) {
    const { code, message, status, problem } = failure
    reason = new SyncError(code as SyncError['code'], message, { status, problem, mutationKey })
    reasons.set(failure, reason)
  }
  return reason
}

const indexes = new WeakMap<OutboxState, Map<string, OutboxEntry>>()

/** The entry of this id, or the one that a resolved conflict put in its place. One pass per state, however many ask. */
function entryOf(state: OutboxState, id: string): OutboxEntry | undefined {
  let index = indexes.get(state)
  if (index === undefined) {
    index = new Map()
    for (const entry of state.entries) {
      if (entry.replaces !== undefined) index.set(entry.replaces, entry)
      index.set(entry.id, entry)
    }
    indexes.set(state, index)
  }
  return index.get(id)
}
