// Where the browser of the tests is and how it starts: shared by the browser project, the e2e tests and the dist test.
// `CHROMIUM_PATH` counts first, then Debian's package, then Playwright's own download. `npm test` runs
// `install-chromium.ts` before it, which gets one where there is none.
import { existsSync, globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { chromium } from 'playwright'

/** Debian's package puts it there. */
const DEBIANS = '/usr/bin/chromium'

/** The browser that is there; `undefined` if there is none. */
export function findChromium(
  given: string | undefined = process.env['CHROMIUM_PATH'],
  debians: string = DEBIANS,
): string | undefined {
  return [given, debians, chromium.executablePath(), ...shellsOf(chromium.executablePath())].find(
    (path) => path !== undefined && path !== '' && existsSync(path),
  )
}

/** What `playwright install --only-shell` downloads stands beside the folder of the whole browser. */
function shellsOf(whole: string): string[] {
  const folder = dirname(dirname(whole))
  const shell = basename(folder).replace('chromium-', 'chromium_headless_shell-')
  return globSync(join(dirname(folder), shell, '*', '{chrome-headless-shell,headless_shell}{,.exe}'))
}

export const chromiumPath: string = findChromium() ?? DEBIANS

/** No sandbox (tests run as root in CI), and nothing that talks to the network by itself. */
export const chromiumArguments: string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Whether the browser is there; if not, says once and loudly what is left out. `REQUIRE_CHROMIUM`: it is an error. */
export function hasChromium(leftOut: string): boolean {
  if (existsSync(chromiumPath)) return true
  const lines = [
    `NO CHROMIUM: ${leftOut} LEFT OUT of this run.`,
    "Install Debian's chromium, run npx playwright install --only-shell chromium, or set CHROMIUM_PATH.",
  ]
  if (process.env['REQUIRE_CHROMIUM']) throw new Error(lines.join(' '))
  // Configuration files are read once per project: the environment remembers that it was said.
  if (process.env['TIDEMARK_NO_CHROMIUM'] === undefined) {
    process.env['TIDEMARK_NO_CHROMIUM'] = 'said'
    const bar = '!'.repeat(Math.max(...lines.map((line) => line.length)))
    console.warn(['', bar, ...lines, bar, ''].join('\n'))
  }
  return false
}
