// Breaks the state machine in each of the ways of `mutants.ts` and runs the queue's tests: each break must be noticed.
// `npm run mutants` runs all, `npm run mutants -- 'part of a name'` some, `npm run mutants -- --share 2/5` the second of
// five parts (CI runs one a day, so that all are run in five). As many at a time as there are cores; first the sources as they are.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { text } from 'node:stream/consumers'
import { mutants } from './mutants.ts'
import { placeOf } from './place.ts'

const chosen = choose(process.argv.slice(2))
const survivors: string[] = []
const failed = new AbortController()

try {
  mutants.forEach(placeOf)
} catch (error) {
  fail((error as Error).message)
}
const waiting = ['', ...chosen.map(({ name }) => name)]
await Promise.all(Array.from({ length: availableParallelism() }, work))
console.log(`${chosen.length - survivors.length} passed, ${survivors.length} failed`)
process.exitCode = survivors.length === 0 ? 0 : 1

function choose([first = '', share = '']: readonly string[]): typeof mutants {
  if (first !== '--share') return mutants.filter(({ name }) => name.includes(first))
  const [part = 0, of = 0] = share.split('/').map(Number)
  if (!(part >= 1 && part <= of)) throw new Error(`--share takes a part of a whole, as 2/5; "${share}" is none.`)
  return mutants.filter((_, at) => at % of === part - 1)
}

/** Takes one after the other, until none is left. */
async function work(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const survived = await passes(name)
    if (name === '') {
      if (!survived) fail('The tests fail on the sources as they are; no mutant says anything then.')
      continue
    }
    if (survived) survivors.push(name)
    console.log(`${survived ? 'SURVIVED' : 'killed  '} ${name}`)
  }
}

async function passes(name: string): Promise<boolean> {
  const run = spawn('vitest', ['run', '--config', 'tests/mutants/vitest.config.ts'], {
    env: { ...process.env, MUTANT: name },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: failed.signal,
  })
  const [output, errors, [status]] = await Promise.all([text(run.stdout), text(run.stderr), once(run, 'close')])
  if (/does not find its line|There is no mutant/.test(output + errors)) fail(output + errors)
  if (name === '' && status !== 0) console.error(output + errors)
  return status === 0
}

function fail(why: string): never {
  console.error(why)
  failed.abort()
  process.exit(2)
}
