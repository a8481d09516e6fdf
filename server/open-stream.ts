/** A stream that a client wants. */
import type { Cursor } from '../src/base/cursor'
import type { Principal } from './functions'

/** What a client asks for when it opens a stream. */
export interface OpenStream<P extends Principal> {
  principal: P
  /** What the client asked for, and what of it is allowed. */
  asked: readonly string[]
  topics: readonly string[]
  /** Where the client is; `undefined`: nowhere yet. */
  cursor: Cursor | undefined
  signal: AbortSignal | undefined
}
