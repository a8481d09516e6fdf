// Long runs of the properties: `npm run simulate` (100 000 histories from a new seed), `npm run simulate -- 500000 7`.
import { spawnSync } from 'node:child_process'

const [runs = '100000', seed = String(Math.floor(Math.random() * 2 ** 31))] = process.argv.slice(2)
console.log(`RUNS=${runs} SEED=${seed}`)
const { status } = spawnSync('vitest', ['run', '--project', 'node', 'tests/properties'], {
  env: { ...process.env, RUNS: runs, SEED: seed },
  stdio: 'inherit',
})
process.exitCode = status ?? 1
