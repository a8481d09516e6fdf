// Gets a browser where there is none, before `npm test`: by apt-get where that may be (root, on Debian), and by Playwright's
// own download. Never fails: where neither works, the tests run without a browser and say so.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findChromium } from './chromium.ts'

const playwright = fileURLToPath(new URL('../node_modules/playwright/cli.js', import.meta.url))
const isRoot = process.getuid?.() === 0
const hasApt = existsSync('/usr/bin/apt-get')

/** Each way is tried until a browser starts; the steps of a way run one after another. */
const WAYS: readonly { readonly may: boolean; readonly steps: readonly (readonly string[])[] }[] = [
  {
    may: isRoot && hasApt,
    steps: [
      ['apt-get', 'update', '-qq'],
      ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'chromium'],
    ],
  },
  { may: true, steps: [[process.execPath, playwright, 'install', '--only-shell', 'chromium']] },
]

const wished = process.env['CHROMIUM_PATH']
if (wished && !existsSync(wished))
  console.warn(`CHROMIUM_PATH names ${wished}, which is not there; another is looked for.`)

for (const { may, steps } of WAYS) {
  if (starts(findChromium())) break
  if (may) steps.every(succeeds)
}

function starts(path: string | undefined): boolean {
  return path !== undefined && spawnSync(path, ['--version', '--no-sandbox'], { stdio: 'ignore' }).status === 0
}

function succeeds([command = '', ...parameters]: readonly string[]): boolean {
  console.log(`No browser for the tests is there: ${[command, ...parameters].join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status } = spawnSync(command, parameters, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 })
  return status === 0
}
