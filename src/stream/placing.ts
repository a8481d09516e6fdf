/**
 * Where the position goes. CORS rules that lack `Last-Event-ID` fail each attempt without an answer: then it goes into the
 * address, and then away. A header that was once answered to is never doubted: what fails after that is an outage.
 */
import type { Cursor } from '../base/cursor'
import type { Network } from '../platform/network'
import type { Outcome } from '../wire/outcome'

export interface Placing {
  /** Whether the position goes into the address, and into no header. */
  inAddress(): boolean
  /** An attempt begins. */
  began(url: string): void
  /** It was answered by a stream. */
  answered(): void
  over(outcome: Outcome): void
}

export interface PlacingDeps {
  network: Network
  isForeign?: ((url: string) => boolean) | undefined
  cursor(): Cursor | undefined
  /** The position is of no use. */
  drop(): void
}

export function createPlacing({ network, isForeign, cursor, drop }: PlacingDeps): Placing {
  let unanswered = 0
  let inAddress = false
  /** Whether this attempt may fail because of its header. */
  let isDoubted = false
  let hasHeader = false
  let isAllowed = false

  return {
    inAddress: () => inAddress,
    began(url) {
      isDoubted = !isAllowed && cursor() !== undefined && isForeign?.(url) === true
      hasHeader = !inAddress && cursor() !== undefined
    },
    answered() {
      isAllowed ||= hasHeader
    },
    over(outcome) {
      const isUnanswered = outcome.kind === 'failed' && outcome.isUnanswered === true && network.isOnline()
      unanswered = isUnanswered && isDoubted ? unanswered + 1 : 0
      if (unanswered >= 2) inAddress = true
      if (unanswered < 4) return
      unanswered = 0
      inAddress = false
      drop()
    },
  }
}
