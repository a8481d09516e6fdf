/**
 * TanStack's React hooks hear of a change after a timer of 0 ms. What a write of a sync client publishes they hear at
 * once, so that the screen follows `mutate()` in the same turn; everything else keeps TanStack's timing. See
 * docs/decisions/rendering-in-the-turn.md.
 */
import { defaultScheduler, notifyManager } from '@tanstack/react-query'
import type { SyncClient } from 'tidemark'

/** Lives on the notify manager, so that two copies of this module share it. */
const TURNS = Symbol.for('tidemark.turns')

interface Turns {
  /** Publishes that are going on. */
  depth: number
}

/** Lets React's hooks hear this client's writes in the turn. Returns a function that ends it. */
export function renderInTurn(client: SyncClient): () => void {
  const turns = turnsOf(notifyManager)
  return client.wrapPublish((publish) => {
    turns.depth++
    try {
      publish()
    } finally {
      turns.depth--
    }
  })
}

function turnsOf(manager: typeof notifyManager & { [TURNS]?: Turns }): Turns {
  if (manager[TURNS] !== undefined) return manager[TURNS]
  const turns: Turns = { depth: 0 }
  manager.setScheduler((callback) => (turns.depth > 0 ? callback() : defaultScheduler(callback)))
  Object.defineProperty(manager, TURNS, { value: turns })
  return turns
}
