// Where the browser of the tests is and how it starts: shared by the browser project, the e2e tests and the dist test.
import { existsSync } from 'node:fs'

/** Debian's package puts it there; Playwright's own download is not used. */
export const chromiumPath: string = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

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

/** Whether the browser is there; if not, says once and loudly what is left out. */
export function hasChromium(leftOut: string): boolean {
  if (existsSync(chromiumPath)) return true
  // Configuration files are read once per project: the environment remembers that it was said.
  if (process.env['TIDEMARK_NO_CHROMIUM'] === undefined) {
    process.env['TIDEMARK_NO_CHROMIUM'] = 'said'
    const lines = [`NO CHROMIUM: ${leftOut} LEFT OUT of this run.`, "Install Debian's chromium, or set CHROMIUM_PATH."]
    const bar = '!'.repeat(Math.max(...lines.map((line) => line.length)))
    console.warn(['', bar, ...lines, bar, ''].join('\n'))
  }
  return false
}
