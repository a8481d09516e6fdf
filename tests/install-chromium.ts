// Gets a browser where there is none, before `npm test`: by apt-get where that may be (root, on Debian), and by Playwright's
// own download. Never fails: where neither works, the tests run without a browser and say so.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installByApt, runs } from './apt.ts'
import { findChromium } from './chromium.ts'

const playwright = fileURLToPath(new URL('../node_modules/playwright/cli.js', import.meta.url))

/** Each way is tried until a browser starts. */
const WAYS: readonly (() => unknown)[] = [
  () => installByApt(['chromium']),
  () => runs([process.execPath, playwright, 'install', '--only-shell', 'chromium']),
]

const wished = process.env['CHROMIUM_PATH']
if (wished && !existsSync(wished))
  console.warn(`CHROMIUM_PATH names ${wished}, which is not there; another is looked for.`)

for (const install of WAYS) {
  if (starts(findChromium())) break
  install()
}

function starts(path: string | undefined): boolean {
  return path !== undefined && spawnSync(path, ['--version', '--no-sandbox'], { stdio: 'ignore' }).status === 0
}
