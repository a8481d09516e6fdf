// `npm run bench`: measures all rows, or those that are named, each size in a process of its own. `--record` writes the
// results and the tables made from them (`--tables`: the tables alone); `--check` compares the recorded run with the budgets, and measures nothing.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine, versions } from './harness/machine.ts'
import { budgetTable, page, rowTable, withShortTable } from './harness/report.ts'
import type { Results } from './harness/results.ts'
import { judge, RESULTS, readBudgets, readResults, revived } from './harness/results.ts'
import type { Benchmark, Figure } from './harness/types.ts'
import { benchmarks } from './rows/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const at = (path: string) => `${root}${path}`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { record: { type: 'boolean' }, tables: { type: 'boolean' }, check: { type: 'boolean' } },
})
if (values.tables === true) writeTables()
else if (values.check === true && positionals.length === 0 && values.record !== true) check()
else await measureAll()

async function measureAll(): Promise<void> {
  const unknown = positionals.filter((name) => !benchmarks.some((each) => each.name === name))
  if (unknown.length > 0) {
    const known = benchmarks.map(({ name }) => name).join(', ')
    throw new Error(`There is no benchmark ${unknown.join(', ')}; there are ${known}.`)
  }
  installPeers()
  const where = machine()
  const chosen = benchmarks.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  if (values.record === true && positionals.length > 0) assertSame(where)
  const figures: Figure[] = []
  for (const benchmark of chosen) {
    figures.push(...(await measureRow(benchmark)))
    if (values.record === true) record(figures, where) // after each row: a run that is broken off leaves what it has
  }
  if (values.check === true) check()
}

async function measureRow(benchmark: Benchmark): Promise<Figure[]> {
  const figures: Figure[] = []
  const began = performance.now()
  for (const size of benchmark.sizes) figures.push(...(await inChild(benchmark.name, size)))
  const seconds = ((performance.now() - began) / 1_000).toFixed(0)
  console.log(`\n${benchmark.name} (${seconds} s): ${benchmark.title}\n\n${rowTable(figures, benchmark.of)}`)
  return figures
}

function inChild(name: string, size: number): Promise<Figure[]> {
  const child = spawn(process.execPath, ['--expose-gc', at('benchmarks/child.ts'), name, String(size)], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 300_000,
  })
  let text = ''
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString()
  })
  return new Promise((resolve) =>
    child.on('close', (code) => {
      const wrong = `its process ended with ${code}`
      if (code !== 0) return resolve([{ row: name, size, contender: 'tidemark', value: Number.NaN, unit: 'µs', wrong }])
      const last = text.trimEnd().split('\n').at(-1) ?? '[]'
      resolve((JSON.parse(last) as Figure[]).map(revived))
    }),
  )
}

/** The peers have an installation of their own, so that the product's stays small. */
function installPeers(): void {
  if (existsSync(at('benchmarks/peers/node_modules'))) return
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit'], {
    cwd: at('benchmarks/peers'),
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('The peers could not be installed (npm ci in benchmarks/peers).')
}

/** Rows that were measured now take the place of those from before; the others stay. */
function record(figures: readonly Figure[], where: Results['machine']): void {
  const measured = new Set(figures.map(({ row }) => row))
  const earlier = positionals.length === 0 ? undefined : readResults() // a whole run keeps nothing
  const kept = earlier?.figures.filter(({ row }) => !measured.has(row)) ?? []
  const all = [...kept, ...figures]
  const rows = benchmarks.filter(({ name }) => all.some(({ row }) => row === name))
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: { ...where, load: Math.max(where.load, earlier?.machine.load ?? 0) },
    versions: versions(),
    rows: rows.map(({ name, title, of }) => ({ name, title, of })),
    figures: rows.flatMap(({ name }) => all.filter(({ row }) => row === name)).map(rounded),
  }
  writeFileSync(RESULTS, `${textOf(results)}\n`)
  writeTables()
}

/** Figures of two machines, or of two versions, are no table. */
function assertSame(where: Results['machine']): void {
  const earlier = readResults()
  if (earlier === undefined) return
  const about = (machine: Results['machine'], of: Results['versions']) => JSON.stringify([{ ...machine, load: 0 }, of])
  if (about(earlier.machine, earlier.versions) !== about(where, versions()))
    throw new Error('The other rows were recorded on another machine, or with other versions: record all of them.')
}

/** The page, and the table of the README, from the recorded run. */
function writeTables(): void {
  const results = recorded()
  writeFileSync(at('docs/benchmarks.md'), page(results, readBudgets()))
  writeFileSync(at('README.md'), withShortTable(readFileSync(at('README.md'), 'utf8'), results))
}

/** Four digits: more are noise, and make differences between two runs harder to read. */
function rounded(figure: Figure): Figure {
  return { ...figure, value: Number(figure.value.toPrecision(4)) }
}

/** One figure in a line. */
function textOf({ figures, ...about }: Results): string {
  const lines = figures.map((figure) => `    ${JSON.stringify(figure)}`).join(',\n')
  return JSON.stringify(about, undefined, 2).replace(/\n}$/, `,\n  "figures": [\n${lines}\n  ]\n}`)
}

function recorded(): Results {
  const results = readResults()
  if (results === undefined) throw new Error('Nothing is recorded yet: npm run bench -- --record')
  return results
}

function check(): void {
  const verdicts = judge(recorded(), readBudgets())
  console.log(`\n${budgetTable(verdicts)}\n`)
  console.log(`${verdicts.filter(({ isMet }) => isMet).length} of ${verdicts.length} budgets are met.`)
}
