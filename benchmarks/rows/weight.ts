// What a page has to load, and how long it takes until it can begin.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Entry } from '../harness/bundles.ts'
import { bundle, gzipped, OURS, PEERS } from '../harness/bundles.ts'
import { inBytes } from '../harness/heap.ts'
import { median } from '../harness/measure.ts'
import type { Benchmark } from '../harness/types.ts'

export const size: Benchmark = {
  name: 'size',
  title: 'Bytes of a bundle: esbuild, minified, NODE_ENV=production, gzip -9, dependencies included',
  of: 'gzipped',
  sizes: [1],
  async measure() {
    const weigh = async (entry: Entry) => gzipped(await bundle(entry))
    const pull = await weigh(OURS.pull)
    const figures = [
      inBytes('tidemark', await weigh(OURS.all)),
      inBytes(OURS.pull.name, pull),
      inBytes('tidemark: syncStream, on top', (await weigh(OURS.stream)) - pull),
      inBytes(OURS.events.name, await weigh(OURS.events)),
      inBytes(OURS.react.name, await weigh(OURS.react)),
      inBytes(OURS.vue.name, await weigh(OURS.vue)),
    ]
    for (const entry of PEERS) figures.push(inBytes(entry.name, await weigh(entry)))
    return figures
  },
}

const ROUNDS = 11

/** Microseconds until a bundle is imported, and until what it begins with is made; each time in a new process. */
const PROGRAM = `
const [path, first] = process.argv.slice(2)
const began = performance.now()
const entry = await import(path)
const imported = performance.now()
if (first === 'client') entry.createSyncClient().start()
if (first === 'query-client') new entry.QueryClient().mount()
console.log(JSON.stringify([imported - began, performance.now() - imported]))
process.exit(0)
`

export const start: Benchmark = {
  name: 'import',
  title: 'The import of one bundle in a new process, and the first client',
  of: 'start',
  sizes: [1],
  async measure() {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'))
    try {
      const program = join(folder, 'program.mjs')
      writeFileSync(program, PROGRAM)
      const lanes = []
      for (const entry of [OURS.all, OURS.pull, ...PEERS.filter(({ name }) => name !== 'SWR')]) {
        const path = join(folder, `${lanes.length}.mjs`)
        writeFileSync(path, await bundle(entry))
        lanes.push({ name: entry.name, path, imports: [] as number[], firsts: [] as number[] })
      }
      for (let round = 0; round < ROUNDS; round++) {
        for (const lane of lanes) {
          const first = lane.name.startsWith('tidemark') ? 'client' : lane.name === 'query-core' ? 'query-client' : ''
          const { stdout } = spawnSync(process.execPath, [program, lane.path, first], { encoding: 'utf8' })
          const [imported = Number.NaN, made = Number.NaN] = JSON.parse(stdout || '[]') as number[]
          lane.imports.push(imported * 1_000)
          lane.firsts.push(made * 1_000)
        }
      }
      return lanes.flatMap(({ name, imports, firsts }) => [
        { contender: name, value: median(imports), unit: 'µs' as const },
        ...(name === 'tidemark' || name === 'query-core'
          ? [{ contender: `${name}: first client`, value: median(firsts), unit: 'µs' as const }]
          : []),
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}
