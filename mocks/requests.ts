/** What arrived at the mock server, one entry for each request, in the order in which they were sent. */
import type { RouteKind } from './routes'

/** One request, and what became of it. */
export interface MockRequest {
  /** 1 for the first. */
  readonly number: number
  /** When it was sent, in milliseconds of the server's clock. */
  readonly at: number
  readonly method: string
  readonly url: string
  /** The address without origin and search. */
  readonly path: string
  readonly search: URLSearchParams
  readonly headers: Headers
  /** Parsed, if it was JSON; text otherwise; `undefined` without one. */
  readonly body: unknown
  readonly kind: RouteKind
  /** Name of the query or mutation: `todos`, `todos/create`, your own. Empty for a batch or a stream. */
  readonly name: string
  /** How often it reached the server: 0 if it was lost or answered by a fault, 2 if it was duplicated. */
  readonly delivered: number
  /** Status that the client was answered; `undefined` while it waits, and if it got no answer. */
  readonly status: number | undefined
  /** `failed`: no answer came. `aborted`: the client did not wait for it. */
  readonly outcome: 'pending' | 'answered' | 'failed' | 'aborted'
  /** Kinds of the faults that it met, in order. */
  readonly faults: readonly string[]
}

/** The same, while it is on its way. */
export type OpenRequest = { -readonly [TName in keyof MockRequest]: MockRequest[TName] } & { faults: string[] }
