/** What an application gives the kit: its mutations and queries, and what they are told. */
import type { ReadTransaction, WriteTransaction } from './transaction'

/** Who is asking. Outcomes, sequences and limits are kept per `id`. */
export interface Principal {
  id: string
  /** One login; logging out ends its streams. */
  session?: string | undefined
  /** When the credentials end, in milliseconds since the Unix epoch; the streams end then too. */
  expiresAt?: number | undefined
}

/** What a query is told beside its parameters. */
export interface QueryContext<P extends Principal = Principal> {
  principal: P
  request: Request
}

/** What a mutation is told beside its variables. */
export interface MutationContext<P extends Principal = Principal> {
  principal: P
  request: Request
  /** The idempotency key. */
  mutationId: string
  name: string
}

/** What validates input: anything that speaks Standard Schema (zod, valibot, arktype), or a function that throws. */
export type Validator<T = unknown> = StandardSchema<T> | ((input: unknown) => T | Promise<T>)

/** The part of `@standard-schema/spec` that is used here. */
export interface StandardSchema<T = unknown> {
  readonly '~standard': {
    readonly validate: (input: unknown) => StandardResult<T> | Promise<StandardResult<T>>
  }
}
/** What a validator of Standard Schema returns: the value, or what is wrong with it. */
export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

// Written as methods so that an author may annotate `variables` with what the mutation takes; without a validator that
// is a promise the client is trusted to keep.
interface Functions<P extends Principal> {
  mutation(tx: WriteTransaction, variables: unknown, context: MutationContext<P>): unknown
  query(tx: ReadTransaction, params: unknown, context: QueryContext<P>): unknown
  mutationRule(tx: ReadTransaction, variables: unknown, context: MutationContext<P>): boolean | Promise<boolean>
  queryRule(tx: ReadTransaction, params: unknown, context: QueryContext<P>): boolean | Promise<boolean>
}

/** Runs in one transaction; what it returns is the answer's body. Throw `conflict`, `reject`, `forbid`, `retryLater` to say no. */
export type MutationFunction<P extends Principal = Principal> = Functions<P>['mutation']

/** A mutation with a validator, or with a word on who may call it. */
export interface MutationDefinition<P extends Principal = Principal> {
  run: MutationFunction<P>
  /** Checks and converts the variables; a failure is 422 `validation` with `errors`. */
  variables?: Validator | undefined
  /** Asked first, before a stored answer is given again too, with variables as they came. `false`: 403. */
  authorize?: Functions<P>['mutationRule'] | undefined
}

/** Reads one snapshot; what it returns is the answer's body. */
export type QueryFunction<P extends Principal = Principal> = Functions<P>['query']

/** A query with a validator, or with a word on who may ask. */
export interface QueryDefinition<P extends Principal = Principal> {
  run: QueryFunction<P>
  params?: Validator | undefined
  authorize?: Functions<P>['queryRule'] | undefined
}
