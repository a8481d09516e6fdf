/** Transactions in parts: collected until the last, bounded, never handed on half. */
import type { MutationOutcome } from '../base/messages'

/** A message that changes something: what a transaction consists of. */
import type { ChangeMessage } from './target'

/** `more`: wait for the rest. `whole`: here is all of it. `foreign`: the one before was never finished. */
export type Collected =
  | { kind: 'more' }
  | { kind: 'foreign' }
  | { kind: 'whole'; messages: readonly ChangeMessage[] }
  /** It is over, but a part of it was lost or too large: nothing of it may be applied. */
  | { kind: 'spoiled'; isTooLarge: boolean }

export interface Parts {
  /** Takes a message that is `size` characters long. After `foreign` the message has to be added again. */
  add(message: ChangeMessage, size: number): Collected
  /** A transaction that is being collected cannot be completed any more. */
  spoil(): void
  /** A message was lost that may have been a part of the transaction that goes on next. */
  doubt(): void
  clear(): void
}

const MAX_CHANGES = 10_000
const MAX_SIZE = 8_388_608

export function createParts(): Parts {
  let messages: ChangeMessage[] = []
  let changes = 0
  let total = 0
  let isOpen = false
  let isSpoiled = false
  let isDoubtful = false
  let txn: string | undefined
  const clear = () => {
    messages = []
    changes = 0
    total = 0
    isOpen = false
    isSpoiled = false
    isDoubtful = false
    txn = undefined
  }
  const isTooLarge = () => changes > MAX_CHANGES || total > MAX_SIZE
  return {
    clear,
    spoil() {
      isSpoiled = isOpen
      messages = []
    },
    doubt() {
      isSpoiled = isOpen
      isDoubtful = true
    },
    add(message, size) {
      if (isOpen && message.txn !== txn) {
        const doubtful = isDoubtful
        clear()
        isDoubtful = doubtful
        return { kind: 'foreign' }
      }
      if (!isOpen) {
        isSpoiled = isDoubtful && message.txn !== undefined
        if (!isSpoiled && message.more !== true) {
          isDoubtful = false
          return { kind: 'whole', messages: [message] }
        }
      }
      isOpen = true
      isDoubtful = false
      txn = message.txn
      changes += weigh(message)
      total += size
      if (isSpoiled || isTooLarge()) messages = []
      else messages.push(message)
      if (message.more === true) return { kind: 'more' }
      const whole = messages
      const large = isTooLarge()
      const spoiled = isSpoiled || large
      clear()
      return spoiled ? { kind: 'spoiled', isTooLarge: large } : { kind: 'whole', messages: whole }
    },
  }
}

/** The outcomes that a transaction carries. */
export function outcomesOf(messages: readonly ChangeMessage[]): readonly MutationOutcome[] {
  const [first] = messages
  if (messages.length === 1 && first !== undefined) return first.mutations ?? []
  return messages.flatMap((message) => message.mutations ?? [])
}

function weigh(message: ChangeMessage): number {
  if (message.event === 'patch') return message.changes.length
  if (message.event !== 'invalidate') return 1
  return (message.keys?.length ?? 0) + (message.topics?.length ?? 0) + (message.entities?.length ?? 0)
}
