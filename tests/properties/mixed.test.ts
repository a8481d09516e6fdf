// Whatever the server says of its answers, and whatever the application does: no write is shown twice or lost, and in the
// end every view is what the server has. RUNS=500000 SEED=… npx vitest run --project node tests/properties/mixed.test.ts
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Mixture, Sabotage, Step } from './mixed/simulation'
import { mixtures, reachable, run, SABOTAGES, steps } from './mixed/simulation'

const RUNS = Number(process.env['RUNS'] ?? (process.env['CI'] === undefined ? 3_000 : 20_000))
const SEED = Number(process.env['SEED'] ?? 20_261)

test('every view shows each write once, and ends at what the server has', { timeout: 7_200_000 }, async () => {
  const pairs = new Map<string, number>()
  const count = (reached: ReadonlySet<string>) => {
    const all = [...reached].sort()
    for (const [i, a] of all.entries())
      for (const b of all.slice(i + 1)) pairs.set(`${a} × ${b}`, (pairs.get(`${a} × ${b}`) ?? 0) + 1)
  }
  const property = fc.asyncProperty(mixtures, steps(60), async (mixture: Mixture, script: Step[]) => {
    const { ok, why, reached } = await run(mixture, script)
    count(reached)
    expect(ok, why).toBe(true)
  })
  const isShrunk = process.env['SHRINK'] !== undefined
  const found = await fc.check(property, { numRuns: RUNS, seed: SEED, endOnFailure: !isShrunk })
  if (found.failed) {
    const [mixture, script] = found.counterexample as [Mixture, Step[]]
    const { why, trace } = await run(mixture, script, { trace: true })
    const how = `${JSON.stringify(mixture)}\n${JSON.stringify(script)}\n${trace.join('\n')}`
    throw new Error(`${why}\nafter ${found.numRuns} runs: ${how}`)
  }
  if (RUNS < 20_000) return // too few to reach every pair
  const counts = reachable().map((pair) => [pair, pairs.get(pair) ?? 0] as const)
  const [rarest, times] = counts.reduce((least, each) => (each[1] < least[1] ? each : least))
  console.log(`${RUNS} runs, ${counts.length} pairs of settings; the rarest, ${rarest}, ${times} times`)
  expect(counts.filter(([, number]) => number === 0).map(([pair]) => pair)).toEqual([])
})

test.each(Object.entries(SABOTAGES) as [Sabotage, RegExp][])('a server that %s is noticed', async (sabotage, words) => {
  const found = new Set<string>()
  for (const [mixture, script] of fc.sample(fc.tuple(mixtures, steps(60)), { numRuns: 600, seed: SEED })) {
    const { ok, why } = await run(mixture, script, { sabotage })
    if (!ok) found.add(why)
    if (words.test(why)) return
  }
  throw new Error(`not noticed in 600 runs; found: ${[...found].join(' | ')}`)
})
