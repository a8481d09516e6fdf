// Breaks the state machine in each of the ways of `mutants.ts` and runs the queue's tests: each break must be noticed.
// `npm run mutants` runs all, `npm run mutants -- 'part of a name'` some.
import { spawnSync } from 'node:child_process'
import { mutants } from './mutants.ts'

const chosen = mutants.filter(({ name }) => name.includes(process.argv[2] ?? ''))
const survivors: string[] = []

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
  return status === 0
}
