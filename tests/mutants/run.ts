// Breaks the state machine in each of the ways of `mutants.ts` and runs the queue's tests: each break must be noticed.
// `npm run mutants` runs all, `npm run mutants -- 'part of a name'` some, `npm run mutants -- --share 2/5` the second of
// five parts (CI runs one a day, so that all are run in five).

import { spawnSync } from 'node:child_process'
import { mutants } from './mutants.ts'
import { placeOf } from './place.ts'

const chosen = choose(process.argv.slice(2))
const survivors: string[] = []

try {
  mutants.forEach(placeOf)
} catch (error) {
  console.error((error as Error).message)
  process.exit(2)
}
if (!passes('')) {
  console.error('The tests fail on the sources as they are; no mutant says anything then.')
  process.exit(2)
}
for (const { name } of chosen) {
  const survived = passes(name)
  if (survived) survivors.push(name)
  console.log(`${survived ? 'SURVIVED' : 'killed  '} ${name}`)
}
console.log(`${chosen.length - survivors.length} passed, ${survivors.length} failed`)
process.exitCode = survivors.length === 0 ? 0 : 1

function choose([first = '', share = '']: readonly string[]): typeof mutants {
  if (first !== '--share') return mutants.filter(({ name }) => name.includes(first))
  const [part = 0, of = 0] = share.split('/').map(Number)
  if (!(part >= 1 && part <= of)) throw new Error(`--share takes a part of a whole, as 2/5; "${share}" is none.`)
  return mutants.filter((_, at) => at % of === part - 1)
}

function passes(name: string): boolean {
  const { status, stdout, stderr } = spawnSync('vitest', ['run', '--config', 'tests/mutants/vitest.config.ts'], {
    env: { ...process.env, MUTANT: name },
    encoding: 'utf8',
  })
  const output = stdout + stderr
  if (/does not find its line|There is no mutant/.test(output)) {
    console.error(output)
    process.exit(2)
  }
  if (name === '' && status !== 0) console.error(output)
  return status === 0
}
