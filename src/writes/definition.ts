/**
 * Defined mutations: what a write is called, how it is sent, what it shows before the answer and what the answer says.
 * A definition is free of any client; the outbox stores its key and the variables, never its functions.
 */

import type { SyncError } from '../base/errors'
import { usageError } from '../base/errors'
import type { RowId, Version } from '../base/messages'
import type { Entity } from '../data/entities'
import type { View } from '../data/recipes'
import type { ContextFetch } from '../queries/context'

/** What `mutationFn` is given beside the variables. */
export interface MutationContext {
  /** `fetch` with the idempotency key, the common headers and the signal; rejects with a `SyncError` unless 2xx. */
  readonly fetch: ContextFetch
  /** One id from the first attempt to the last. */
  readonly idempotencyKey: string
  readonly signal: AbortSignal
  /** 1 for the first attempt. */
  readonly attempt: number
  /** Version of the row that the user saw, for `If-Match`; absent where it must not be checked (`client-wins`). */
  readonly baseVersion: Version | undefined
  readonly mutationKey: readonly unknown[]
}

/** Both sides of a conflict. */
export interface ConflictContext<TVariables> {
  /** What the user's change was based on. */
  readonly base: unknown
  /** What the user's change made of it, as far as the variables say. */
  readonly mine: unknown
  /** What the server has now (`current.value` of the answer). */
  readonly theirs: unknown
  readonly variables: TVariables
}

/** How a conflict ends: send these variables, send this merged value as the variables, or give up. */
export type Resolution<TVariables> = { variables: TVariables } | { value: TVariables } | { reject: true }

/** What becomes of a write that the server answers with 409 or 412: a policy by name, or a function that decides. */
export type ConflictPolicy<TVariables> =
  | 'rebase'
  | 'server-wins'
  | 'client-wins'
  | 'merge'
  | 'manual'
  | ((context: ConflictContext<TVariables>) => Resolution<TVariables> | Promise<Resolution<TVariables>>)

/** One row: its kind and its id. */
export type RowRef = readonly [entity: Pick<Entity<never>, 'type'>, id: RowId]

/** What {@link defineMutation} takes: how a write is called and sent, what it shows, and what its answer says. */
export interface MutationDefinition<TVariables, TData> {
  /** Its name; what the outbox stores. Unique within a client. */
  mutationKey: readonly unknown[]
  /** Sends the write. May run several times with the same id. */
  mutationFn: (variables: TVariables, context: MutationContext) => Promise<TData>
  /** Records recipes: what the views show until the base contains the write. Without it the mutation is pessimistic. */
  optimistic?: ((view: View, variables: TVariables) => void) | undefined
  /** Records what the answer says into the base, in the transition that drops the layer. */
  apply?: ((base: View, data: TData, variables: TVariables) => void) | undefined
  /** Keys to read again when the scope is idle. @defaultValue what `optimistic` touched and the answer did not cover */
  invalidates?: ((variables: TVariables, data: TData) => ReadonlyArray<readonly unknown[]>) | undefined
  /** Mutations of one scope go one after another. @defaultValue one scope for the whole namespace */
  scope?: { id: string } | ((variables: TVariables) => { id: string }) | undefined
  /**
   * Rows that this write builds on without changing them: it is sent after the writes that create them, and refused with
   * them. The rows that `optimistic` names are known anyway.
   */
  after?: ((variables: TVariables) => readonly RowRef[]) | undefined
  /** What to do when the server answers 409 or 412. @defaultValue 'rebase' */
  conflict?: ConflictPolicy<TVariables> | undefined
  /** With `conflict: 'rebase'`: the variables for the server's current state. @defaultValue the same variables */
  rebase?: ((current: unknown, variables: TVariables) => TVariables) | undefined
  /** How often an answered failure (500) is tried again before it is rejected. @defaultValue 8 */
  retry?: number | undefined
  /** `false`: never sent again once its outcome is uncertain; it is shown to the application instead. @defaultValue true */
  idempotent?: boolean | undefined
  /** What happens to this one when a mutation that it builds on is rejected. @defaultValue 'reject' */
  onDependencyRejected?: 'reject' | 'keep' | undefined
  /** Version of the variables' form; see `migrate`. @defaultValue 1 */
  version?: number | undefined
  /** Brings variables of an older version up to date. */
  migrate?: ((variables: unknown, version: number) => TVariables) | undefined
  meta?: Record<string, unknown> | undefined
  /** At confirmed. */
  onSuccess?: ((data: TData, variables: TVariables) => unknown) | undefined
  /** At rejected. */
  onError?: ((error: SyncError, variables: TVariables) => unknown) | undefined
  /** At confirmed or rejected. */
  onSettled?: ((data: TData | undefined, error: SyncError | null, variables: TVariables) => unknown) | undefined
}

/** A mutation that a client can be given; see {@link defineMutation}. */
export interface DefinedMutation<TVariables = never, TData = unknown> extends MutationDefinition<TVariables, TData> {
  readonly defined: true
}

/** Any defined mutation, whatever its variables and its result. */
// `never` in the places of input makes every DefinedMutation assignable to it.
export interface AnyMutation
  extends Omit<DefinedMutation<never, never>, 'mutationFn' | 'conflict' | 'rebase' | 'migrate'> {
  mutationFn: (variables: never, context: MutationContext) => Promise<unknown>
  conflict?: Exclude<ConflictPolicy<never>, (...args: never) => unknown> | AnyDecision | undefined
  rebase?: ((current: unknown, variables: never) => unknown) | undefined
  migrate?: ((variables: unknown, version: number) => unknown) | undefined
}

type AnyDecision = (context: ConflictContext<never>) => Resolution<unknown> | Promise<Resolution<unknown>>

/**
 * The variables of a mutation whose `mutationFn` takes none. TypeScript reads a definition from the top: where `optimistic`
 * stands above a `mutationFn` that does take some, it finds none yet, and the name says so in the compiler's error.
 */
export type NoVariablesOrMutationFnBelow = void | undefined

/**
 * Defines a mutation. It changes nothing and touches no client; give it to `createSyncClient({ mutations })`.
 *
 * @example
 * ```ts
 * const addTodo = defineMutation({
 *   mutationKey: ['todos', 'add'],
 *   mutationFn: (todo: Todo, { fetch }) =>
 *     fetch('/api/todos', { method: 'POST', body: JSON.stringify(todo) }).then((r): Promise<Todo> => r.json()),
 *   optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
 * })
 * ```
 */
export function defineMutation<TVariables = NoVariablesOrMutationFnBelow, TData = unknown>(
  definition: MutationDefinition<TVariables, TData>,
): DefinedMutation<TVariables, TData> {
  if (!Array.isArray(definition.mutationKey) || definition.mutationKey.length === 0)
    throw usageError(
      "A mutation has no \"mutationKey\": give it one such as ['todos', 'add'], which is what the outbox stores.",
    )
  const mutation: DefinedMutation<TVariables, TData> = { ...definition, defined: true }
  // A hook may be given a copy with callbacks of its own: `{ ...addTodo, onSuccess }`. The copy says what it is a copy of.
  return Object.assign(mutation, { [ORIGIN]: mutation })
}

const ORIGIN: unique symbol = Symbol.for('tidemark.mutation') as never
