/**
 * When React's hooks hear of a change. TanStack's hear after a timer of 0 ms, all those of one batch together. What a sync
 * client publishes is one batch of the hooks' own notify manager; what a write of it publishes they hear at once, so that
 * the screen follows `mutate()` in the same turn. See docs/decisions/rendering-in-the-turn.md.
 */
import { notifyManager, QueryClient } from '@tanstack/react-query'
import type { SyncClient } from 'tidemark'
import { defaultScheduler } from './peers'

/** Lives on the notify manager, so that two copies of this module share it. */
const TURNS = Symbol.for('tidemark.turns')

interface Turns {
  /** Publishes of own writes that are going on. */
  depth: number
  /** Mounted clients whose QueryClient is of another copy of query-core. */
  foreign: number
}

/** Lets React's hooks hear what this client publishes as one batch, its own writes in the turn. Returns a function that ends it. */
export function renderInTurn(client: SyncClient): () => void {
  const turns = turnsOf(notifyManager)
  const foreign = isOfThisCopy(client.queryClient) ? 0 : 1
  turns.foreign += foreign
  const stop = client.wrapPublish((publish, isOwn) => {
    if (isOwn) turns.depth++
    try {
      notifyManager.batch(publish)
    } finally {
      if (isOwn) turns.depth--
    }
  })
  return () => {
    stop()
    turns.foreign -= foreign
  }
}

/** Whether its queries batch with the notify manager of these hooks. */
function isOfThisCopy(queryClient: object): boolean {
  let above: unknown = queryClient
  while (above !== null && above !== QueryClient.prototype) above = Object.getPrototypeOf(above)
  return above !== null
}

function turnsOf(manager: typeof notifyManager & { [TURNS]?: Turns }): Turns {
  if (manager[TURNS] !== undefined) return manager[TURNS]
  const turns: Turns = { depth: 0, foreign: 0 }
  const later = together()
  manager.setScheduler((callback) => {
    if (turns.depth > 0) callback()
    else if (turns.foreign > 0) later(callback)
    else defaultScheduler(callback)
  })
  Object.defineProperty(manager, TURNS, { value: turns })
  return turns
}

/**
 * TanStack's default scheduler, but the calls of one turn come together in one task. A QueryClient of another copy of
 * query-core batches what its reads change with that copy's notify manager, so observers of this copy are told one by one:
 * in a task each, React would render each by itself. Every call has a timer of its own, so that no timer that is lost (fake
 * timers) ends it.
 */
function together(): (callback: () => void) => void {
  const waiting: Array<() => void> = []
  const run = (): void => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next()
  }
  return (callback) => {
    waiting.push(callback)
    defaultScheduler(run)
  }
}
