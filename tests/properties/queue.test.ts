// The promises of the mutation queue, over random histories. RUNS=20000 SEED=… npm test -- tests/properties runs longer.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Cell } from './matrix'
import { CELLS } from './matrix'
import type { Step } from './simulation'
import { run, steps } from './simulation'

const RUNS = Number(process.env['RUNS'] ?? 3000)
const SEED = Number(process.env['SEED'] ?? 20_261)
const LENGTHS = [12, 35, 80]
const perCell = Math.max(1, Math.round(RUNS / CELLS.length / LENGTHS.length))

function check({ name, kind }: Cell, most: number): Promise<void> {
  const property = fc.asyncProperty(steps(kind, most), async (script: Step[]) => {
    const { ok, why } = await run(kind, script)
    expect(ok, why).toBe(true)
  })
  return Promise.resolve(
    fc.assert(property, { numRuns: perCell, seed: SEED + most, endOnFailure: process.env['SHRINK'] === undefined }),
  ).catch(async (error: Error) => {
    const counterexample = await fc.check(property, { numRuns: perCell, seed: SEED + most })
    const script = counterexample.counterexample?.[0] ?? []
    const { trace } = await run(kind, script, { trace: true })
    throw new Error(`${name}\n${JSON.stringify(script)}\n${trace.join('\n')}`, { cause: error })
  })
}

describe('whatever the order of requests, answers, pushes and faults', () => {
  for (const group of new Set(CELLS.map(({ group }) => group))) {
    test(`a view shows every pending write once, with a server that is ${group}`, { timeout: 600_000 }, async () => {
      for (const cell of CELLS.filter((each) => each.group === group)) {
        for (const most of LENGTHS) await check(cell, most)
      }
    })
  }
})
