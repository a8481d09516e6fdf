/**
 * Several mutations in one commit. Each in its own savepoint, so that a rejection leaves the others; a failure that may
 * pass stops there, and what was done before it is committed. With `atomic` all are applied at one position, or none.
 */

import type { Principal } from './functions'
import type { MutationCall, MutationEffect, MutationResult, MutationScene, Mutator } from './mutate'
import { isRefusal, refuse } from './problem'

export type RunCalls<P extends Principal> = (
  scene: MutationScene<P>,
  calls: readonly MutationCall[],
) => Promise<MutationResult[]>

export function createBatch<P extends Principal>(mutator: Mutator<P>): { each: RunCalls<P>; atomic: RunCalls<P> } {
  return {
    async each(scene, calls) {
      const results: MutationResult[] = []
      for (const call of calls) {
        const result = await one(mutator, scene, call)
        results.push(result)
        if (result.status === 'not-attempted') break
      }
      return [...results, ...calls.slice(results.length).map(notAttempted)]
    },
    async atomic(scene, calls) {
      const settled: (MutationResult | undefined)[] = []
      for (const call of calls) settled.push(await settleOrRefuse(mutator, scene, call))
      const known = settled.filter((result) => result !== undefined)
      const stop = known.find((result) => !isDone(result))
      if (stop !== undefined) return calls.map((call) => (call.id === stop.id ? stop : notAttempted(call)))
      if (known.length === calls.length) return known
      if (known.length > 0) {
        throw refuse('key-reused', 'some of these mutations were applied before, apart from the others; make new ids')
      }
      return allOrNothing(mutator, scene, calls)
    },
  }
}

/** One mutation with its own place in the log. A refusal that is not stored comes back as a result. */
async function one<P extends Principal>(
  mutator: Mutator<P>,
  scene: MutationScene<P>,
  call: MutationCall,
): Promise<MutationResult> {
  try {
    const before = await mutator.settle(scene, call)
    if (before !== undefined) return before
    const [result] = await mutator.record(scene, [await mutator.attempt(scene, call)])
    return result ?? notAttempted(call)
  } catch (error) {
    return refused(call, error)
  }
}

async function allOrNothing<P extends Principal>(
  mutator: Mutator<P>,
  scene: MutationScene<P>,
  calls: readonly MutationCall[],
): Promise<MutationResult[]> {
  const undo = new Error('undone')
  let stop: MutationEffect | undefined
  let last: MutationCall | undefined
  const run = async (): Promise<MutationResult[]> => {
    const effects: MutationEffect[] = []
    for (const call of calls) {
      last = call
      const effect = await mutator.attempt(scene, call)
      if (effect.outcome === 'conflict' || effect.outcome === 'rejected') {
        stop = effect
        throw undo
      }
      effects.push(effect)
    }
    return mutator.record(scene, effects)
  }
  try {
    return await scene.store.savepoint(run)
  } catch (error) {
    if (last === undefined) throw error
    // The one that was refused has ended, and keeps its outcome; the others were never attempted.
    const [result] = error === undo && stop ? await mutator.record(scene, [stop]) : [refused(last, error)]
    return calls.map((call) => (result?.id === call.id ? result : notAttempted(call)))
  }
}

async function settleOrRefuse<P extends Principal>(mutator: Mutator<P>, scene: MutationScene<P>, call: MutationCall) {
  try {
    return await mutator.settle(scene, call)
  } catch (error) {
    return refused(call, error)
  }
}

/** A refusal as a result: the end of this mutation, or (401, 429, 5xx…) not attempted. Other errors are thrown on. */
function refused(call: MutationCall, error: unknown): MutationResult {
  if (!isRefusal(error)) throw error
  const problem = { ...error.problem, mutationId: call.id }
  const isEnd = error.final || error.problem.status === 403
  const status = isEnd ? ('rejected' as const) : ('not-attempted' as const)
  return { id: call.id, status, problem, retryAfter: error.retryAfter, replayed: false }
}

function notAttempted(call: MutationCall): MutationResult {
  return { id: call.id, status: 'not-attempted', replayed: false }
}

function isDone({ status }: MutationResult): boolean {
  return status === 'applied' || status === 'noop' || status === 'duplicate'
}
