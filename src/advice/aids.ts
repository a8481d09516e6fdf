/** What the cache does for developers alone: base is frozen, recipes run twice, and what waits or overwrites is said. */
import { canonical } from '../base/key'
import { freezeDeep } from '../data/copies'
import type { Aids, Sayer } from '../queries/core'

export function createAids({ warn, warnOnce }: Sayer): Aids {
  return {
    freeze: freezeDeep,
    impure(recipe) {
      const shown = String(recipe).slice(0, 120)
      warnOnce(
        `impure ${shown}`,
        `A recipe gave two results on the same data: ${shown} … It is replayed on every new base, so let it depend on its draft alone; put dates, ids and random values into the variables.`,
      )
    },
    waits({ queryKey }, { mutationKey }) {
      const key = canonical(mutationKey)
      warnOnce(
        `waits ${key}`,
        `Mutation ${key} has a recipe that changes its own result when it runs again (it counts or pushes), and the endpoint of ${canonical(queryKey)} does not say which writes its answers contain. While such a write is open, the query gets no news. Write it by id (insert, upsert, set), or let the server answer Sync-Reflects.`,
      )
    },
    overwrites({ queryKey }) {
      warn(
        `setQueryData was called on ${canonical(queryKey)} while a mutation of it is pending: its data now counts as the server's. To show a change before the server has answered, use a mutation's "optimistic".`,
        queryKey,
      )
    },
  }
}
