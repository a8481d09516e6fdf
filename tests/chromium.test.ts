import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findChromium } from './chromium.ts'
import { missing } from './engines/needs.ts'

/** A folder as Playwright downloads into, with its headless shell and nothing else. */
function createDownload(): { folder: string; shell: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-browsers-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const asked = "console.log(require('playwright').chromium.executablePath())"
  const env = { ...process.env, PLAYWRIGHT_BROWSERS_PATH: folder }
  const { stdout } = spawnSync(process.execPath, ['-e', asked], { env, encoding: 'utf8' })
  const revision = /chromium-(\d+)/.exec(stdout)?.[1]
  const inside = join(folder, `chromium_headless_shell-${revision}`, 'chrome-headless-shell-linux64')
  mkdirSync(inside, { recursive: true })
  const shell = join(inside, 'chrome-headless-shell')
  writeFileSync(shell, '')
  return { folder, shell }
}

test('the browser that is named counts first, if it is there', () => {
  expect(findChromium(process.execPath)).toBe(process.execPath)
  expect(findChromium('/nowhere/chromium')).not.toBe('/nowhere/chromium')
})

test("Playwright's own headless shell is found where there is no other", () => {
  const { folder, shell } = createDownload()
  const asked = `
    import { findChromium } from ${JSON.stringify(new URL('./chromium.ts', import.meta.url).href)}
    console.log(findChromium('', '/nowhere/chromium'))
  `
  const env = { ...process.env, PLAYWRIGHT_BROWSERS_PATH: folder, CHROMIUM_PATH: '' }
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', asked], { env, encoding: 'utf8' })
  expect(stdout.trim()).toBe(shell)
})

test('an engine that is not here is named, with what to install', () => {
  const need = { name: 'firefox', title: 'Firefox ESR', packages: ['firefox-esr'] } as const
  expect(missing({ ...need, programs: ['/nowhere/firefox-esr'] })).toBe(
    'Firefox ESR is not here (/nowhere/firefox-esr): run apt-get install firefox-esr.',
  )
  expect(missing({ ...need, programs: [process.execPath] })).toBeUndefined()
})
