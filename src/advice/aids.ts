/** What the cache does for developers alone: base is frozen, recipes run twice, and what waits or overwrites is said. */
import { canonical } from '../base/key'
import { freezeDeep } from '../data/copies'
import type { Located } from '../data/entities'
import type { Aids } from '../queries/core'

/** A heartbeat that proxies in their usual configuration do not wait for. */
const LONG_HEARTBEAT = 25_000

export function createAids(warn: (message: string) => void): Aids {
  const said = new Set<string>()
  const unplaced = new WeakSet<object>()
  const say = (topic: string, message: string): void => {
    if (!said.has(topic)) warn(message)
    said.add(topic)
  }
  return {
    say,
    freeze: freezeDeep,
    impure(recipe) {
      const shown = String(recipe).slice(0, 120)
      say(
        `impure ${shown}`,
        `A recipe gave two results on the same data: ${shown} … It is replayed on every new base, so let it depend on its draft alone; put dates, ids and random values into the variables.`,
      )
    },
    waits({ queryKey }, { mutationKey }) {
      const key = canonical(mutationKey)
      say(
        `waits ${key}`,
        `Mutation ${key} has a recipe that changes its own result when it runs again (it counts or pushes), and the endpoint of ${canonical(queryKey)} does not say which writes its answers contain. While such a write is open, the query gets no news. Write it by id (insert, upsert, set), or let the server answer Sync-Reflects.`,
      )
    },
    heartbeat(interval) {
      if (interval <= LONG_HEARTBEAT) return
      const often = `The stream's heartbeat is ${interval / 1000} s`
      say(
        'heartbeat',
        `${often}: several proxies cut what is silent for 30 s; let the server ping each 25 s or sooner.`,
      )
    },
    twice(mutationKey) {
      const key = canonical(mutationKey)
      say(`twice ${key}`, `Mutation ${key} was defined twice; the one given to createSyncClient is used.`)
    },
    unplaced: (query) => void unplaced.add(query),
    reread(query, before, after) {
      const isDeclared = after.shape === undefined || after.lists.some(({ rule }) => rule !== undefined)
      if (!unplaced.delete(query) || isDeclared || rowsOf(before) !== rowsOf(after)) return
      const key = canonical(query.queryKey)
      say(
        `undeclared ${key}`,
        `Query ${key} was read again because a row had changed, and has the same rows in the same order. Say how the list is made, and such a change costs no read: rows: [entity, locate, { where: (row) => …, orderBy: (a, b) => … }].`,
      )
    },
    overwrites({ queryKey }) {
      warn(
        `setQueryData was called on ${canonical(queryKey)} while a mutation of it is pending: its data now counts as the server's. To show a change before the server has answered, use a mutation's "optimistic".`,
      )
    },
  }
}

/** Which rows stand where, in one text. */
function rowsOf({ lists }: Located): string {
  return JSON.stringify(lists.map(({ entity, rows }) => rows.map((row) => row && String(entity.idOf(row)))))
}
