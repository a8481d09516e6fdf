/** A conflict (409, 412): its id's outcome is 'not applied', and another payload may take its place in the log. */

import { isEqual } from '../base/equal'
import { SyncError } from '../base/errors'
import { isThenable } from '../base/kinds'
import { startAnew } from './attempts'
import type { Current } from './conflicts'
import { CONFLICT_ROUNDS, currentOf, fromResolution, resolveConflict } from './conflicts'
import type { QueueContext } from './context'
import { change, save } from './context'
import type { Resolution } from './definition'
import { optimisticOps } from './functions'
import { decide, end, failureOf, takeCurrent } from './outcome'
import type { WriteRecord } from './stored'
import { copyVariables } from './variables'
import type { Write } from './write'
import { renew } from './write'

/** What the server answered: the policy of the mutation says what becomes of the change. */
export async function conflict(queue: QueueContext, write: Write, error: SyncError): Promise<void> {
  const { core } = queue.deps.cache
  const { mutation, record, id } = write
  if (mutation === undefined || record.rounds >= CONFLICT_ROUNDS || mutation.conflict === 'server-wins')
    return end(queue, write, 'refused', error)
  const current = currentOf(error.problem)
  const { variables } = record
  const sides = { base: record.before, mine: variables, theirs: current.value }
  const decideOnIt = (): void => {
    decide(queue, write, 'conflict')
    takeCurrent(queue, write, error)
  }
  try {
    const decision = resolveConflict(mutation, { ...sides, variables: variables as never })
    if (isThenable(decision)) core.transition(decideOnIt)
    const decided = isThenable(decision) ? await decision : decision
    if (write.id !== id || queue.log.writes.get(id) !== write) return // ended meanwhile
    if (typeof decided === 'object' && 'reject' in decided) return end(queue, write, 'refused', error)
    // The replacement is on top in the transition that publishes what waited for the outcome.
    await core.transition(() => {
      decideOnIt()
      if (decided === 'park')
        return park(queue, write, { conflict: { ...sides, version: current.version }, failure: failureOf(error) })
      const version = decided.checked ? current.version : undefined
      return replace(queue, write, decided.variables, { value: current.value, version })
    })
  } catch (cause) {
    const message = 'The conflict could not be resolved: the policy of the mutation threw.'
    end(queue, write, 'refused', new SyncError('conflict', message, { cause, mutationKey: write.mutationKey }))
  }
}

/** Waits for `resolve()`: a person decides. */
function park(queue: QueueContext, write: Write, sides: Pick<WriteRecord, 'conflict' | 'failure'>): Promise<void> {
  change(queue, write, { status: 'conflicted', ...sides })
  return save(queue, write)
}

/** A person has decided; `false`: it waits for nobody. */
export function resolve(queue: QueueContext, id: string, resolution: Resolution<never>): boolean {
  const write = queue.log.writes.get(id)
  const sides = write?.record.conflict
  if (write === undefined || write.record.status !== 'conflicted' || sides === undefined) return false
  const { mutationKey } = write
  const decided = fromResolution(resolution)
  if ('reject' in decided) {
    const message = 'The server has a newer version, and the change was given up.'
    end(queue, write, 'refused', new SyncError('conflict', message, { mutationKey }))
    return true
  }
  const variables = copyVariables(decided.variables, queue.deps.serializer, mutationKey)
  void replace(queue, write, variables, { value: sides.theirs, version: sides.version })
  return true
}

/** A changed payload is a new id and a new sequence at the same place in the log; `base` is what it is a change of now. */
async function replace(queue: QueueContext, write: Write, variables: unknown, base: Current): Promise<void> {
  const { cache, clock, random, changed } = queue.deps
  const { record, mutation, id: old } = write
  const next: WriteRecord = {
    ...record,
    replaces: old,
    id: random.id(clock.now()),
    variables,
    baseVersion: base.version,
    before: base.value,
    sequence: undefined,
    sent: false,
    status: 'queued',
    attempt: 0,
    confirmedAt: undefined,
    conflict: undefined,
    failure: undefined,
    rounds: record.rounds + 1,
  }
  const isSame = isEqual(variables, record.variables)
  const ops = isSame ? write.ops : optimisticOps(queue, mutation, next)
  const dependents = cache.core.transition(() => {
    if (!isSame) cache.core.removeLayer(write) // the same intent shows what it showed
    renew(write, next, ops)
    const following = queue.log.rename(write, old)
    if (!isSame) cache.core.addLayer(write)
    changed(write, 'updated')
    return following
  })
  startAnew(write.attempts)
  await save(queue, write, ...dependents)
  queue.pump()
}
