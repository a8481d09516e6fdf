// Lists of every kind under everything that can happen: at each moment every row in them can be explained, and in the end
// they are what the server has. RUNS=50000 SEED=… npx vitest run --project node tests/properties/lists.test.ts
import fc from 'fast-check'
import { test } from 'vitest'
import type { Setting, Step } from './lists/simulation'
import { ACTIONS, NAMES, run } from './lists/simulation'

const RUNS = Number(process.env['RUNS'] ?? 300)
const SEED = Number(process.env['SEED'] ?? 11)
const ONLY = process.env['ONLY']?.split(',')

const settings: fc.Arbitrary<Setting> = fc.record({
  reads: fc.constantFrom('exact', 'cursor', 'plain'),
  answers: fc.constantFrom('cursor', 'plain'),
  stream: fc.constantFrom('named', 'named', 'nameless', 'none'),
  scopes: fc.boolean(),
  lags: fc.boolean(),
  queries: ONLY === undefined ? fc.subarray(NAMES, { minLength: 1 }) : fc.constant(ONLY as never),
})
const steps: fc.Arbitrary<Step[]> = fc.array(fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(0xff_ff_ff)), {
  minLength: 5,
  maxLength: 40,
})

test('every row is explained at every moment, and in the end all is as the server has it', {
  timeout: 7_200_000,
}, async () => {
  const property = fc.asyncProperty(settings, steps, async (setting, script) => {
    const { why } = await run(setting, script)
    if (why !== undefined) throw new Error(why)
  })
  const found = await fc.check(property, {
    numRuns: RUNS,
    seed: SEED,
    endOnFailure: process.env['SHRINK'] === undefined,
  })
  if (!found.failed) return
  const [setting, script] = found.counterexample as [Setting, Step[]]
  const { why, trace } = await run(setting, script)
  const how = [JSON.stringify(setting), JSON.stringify(script), ...trace].join('\n')
  throw new Error(`${why ?? String(found.errorInstance)}\nafter ${found.numRuns} runs: ${how}`)
})
