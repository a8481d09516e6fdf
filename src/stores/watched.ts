/** What a sync client lets be seen of its writes and rows, for what it does not carry itself: the mirror, stores of rows. */
import type { QueryClient } from '@tanstack/query-core'
import type { SyncError } from '../base/errors'
import type { Core } from '../queries/core'
import type { Movement } from '../writes/context'
import type { Write } from '../writes/write'
import type { Announce } from './live'

/** Under this name a sync client carries what is watched of it. A symbol of all realms and copies: an adapter may bring its own. */
export const WATCHED: symbol = Symbol.for('tidemark.watched')

/** What a sync client lets them see. */
export interface Watched {
  readonly queryClient: QueryClient
  readonly core: Core
  readonly writes: ReadonlyMap<string, Write>
  /** Whether nothing is sent now. */
  isHeldBack(): boolean
  announce: Announce
  report(error: SyncError): void
  /** Calls `look` with what has happened to a write, or without when something else has; inside a transition. */
  watch(look: (write?: Write, how?: Movement) => void): void
  /** Runs `stop` when the client is closed. */
  atClose(stop: () => void): void
}
