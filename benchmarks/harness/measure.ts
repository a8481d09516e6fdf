// The clock of the benchmarks: contenders take turns in blocks, and what counts of each is the median of its blocks. A
// process that is slow for a second is slow for all of them.
import { performance } from 'node:perf_hooks'
import type { Contender, Figure } from './types.ts'

const BLOCKS = 15
/** Milliseconds that a block is meant to take, and that all blocks of a contender may take. */
const BLOCK = 8
const BUDGET = 2_500
/** Milliseconds after which a contender is not asked again. */
const SLOW = 2_500
const RUNS = 400
/** Runs before anything counts, as far as they take less than a second. */
const WARM = 300

type Measured = Omit<Figure, 'row' | 'size'>

/** Microseconds of one piece of work for each contender, in alternating blocks; then its end result is checked. */
export async function alternate(contenders: readonly Contender[]): Promise<Measured[]> {
  const lanes = []
  for (const contender of contenders) lanes.push(await laneOf(contender))
  for (let block = 0; block < BLOCKS; block++) {
    for (const lane of lanes) {
      if (lane.spent > BUDGET && lane.times.length >= 1) continue
      if (lane.problem === undefined) await runBlock(lane)
    }
  }
  const figures: Measured[] = []
  for (const { contender, times, problem } of lanes) {
    const wrong = problem ?? (await contender.check?.())
    const said = { contender: contender.name, value: median(times), unit: 'µs' } as const
    figures.push(wrong === undefined ? said : { ...said, wrong })
    for (const [name, value] of Object.entries(contender.counts?.() ?? {}))
      figures.push({ contender: `${contender.name}: ${name}`, value, unit: 'calls' })
    contender.close?.()
  }
  return figures
}

interface Lane {
  readonly contender: Contender
  readonly runs: number
  readonly times: number[]
  n: number
  spent: number
  problem: string | undefined
}

/** Warms the contender up, and finds how many runs make a block. */
async function laneOf(contender: Contender): Promise<Lane> {
  const lane: Lane = { contender, runs: 1, times: [], n: 0, spent: 0, problem: undefined }
  const began = performance.now()
  let runs = 0
  while ((runs < WARM && performance.now() - began < 1_000) || (runs < 2 && performance.now() - began < SLOW)) {
    await runBlock(lane)
    runs++
    if (lane.problem !== undefined) break
  }
  const each = (median(lane.times.slice(-20)) / 1_000) * (contender.times ?? 1)
  const enough = Math.max(1, Math.min(RUNS, contender.most ?? RUNS, Math.round(BLOCK / Math.max(each, 1e-4))))
  // What takes seconds is warm after its first run: that run counts.
  if (performance.now() - began > SLOW) return { ...lane, spent: Number.POSITIVE_INFINITY }
  return { ...lane, runs: enough, times: [], spent: 0 }
}

async function runBlock(lane: Lane): Promise<void> {
  const began = performance.now()
  try {
    const time = lane.contender.after === undefined ? await together(lane) : await oneByOne(lane)
    lane.times.push((time * 1_000) / lane.runs / (lane.contender.times ?? 1))
  } catch (error) {
    lane.problem = error instanceof Error ? error.message : String(error)
  }
  lane.spent += performance.now() - began
}

async function together(lane: Lane): Promise<number> {
  const { contender, runs } = lane
  const began = performance.now()
  for (let each = 0; each < runs; each++) {
    const pending = contender.run(++lane.n)
    if (pending !== undefined) await pending
  }
  return performance.now() - began
}

async function oneByOne(lane: Lane): Promise<number> {
  const { contender, runs } = lane
  let time = 0
  for (let each = 0; each < runs; each++) {
    const began = performance.now()
    const pending = contender.run(++lane.n)
    if (pending !== undefined) await pending
    time += performance.now() - began
    await contender.after?.(lane.n)
  }
  return time
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
