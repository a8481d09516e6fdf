// Chromium over its own protocol, Firefox over WebDriver BiDi: both by puppeteer-core.
import type { Browser, Page } from 'puppeteer-core'
import puppeteer from 'puppeteer-core'
import { chromiumArguments, chromiumPath } from '../chromium.ts'
import { PATIENCE } from '../kit/patience.ts'
import type { Engine, Tab } from './engine.ts'
import { FIREFOX } from './needs.ts'

export async function launchChromium(): Promise<Engine> {
  const browser = await puppeteer.launch({
    executablePath: chromiumPath,
    args: chromiumArguments,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
  return engineOf('chromium', browser)
}

export async function launchFirefox(): Promise<Engine> {
  return engineOf('firefox', await puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX }))
}

async function engineOf(name: 'chromium' | 'firefox', browser: Browser): Promise<Engine> {
  return {
    name,
    version: await browser.version(),
    async open(url) {
      const page = await browser.newPage()
      page.setDefaultTimeout(PATIENCE.timeout)
      await page.setViewport({ width: 1200, height: 900 })
      await page.goto(url)
      return tabOf(page)
    },
    close: () => browser.close(),
  }
}

function tabOf(page: Page): Tab {
  /** What is behind another tab gets no frames, and no keys. */
  const toFront = (): Promise<void> => page.bringToFront()
  return {
    // As text: over BiDi, an object that stands twice in a value comes once.
    evaluate: async <R, A>(run: (argument: A) => R | Promise<R>, argument?: A): Promise<R> => {
      const given = JSON.stringify(argument ?? null)
      const text = await page.evaluate(`Promise.resolve((${run})(${given})).then((value) => JSON.stringify({ value }))`)
      return (JSON.parse(String(text)) as { value: R }).value
    },
    goto: async (url) => void (await page.goto(url)),
    back: async () => void (await page.goBack({ waitUntil: 'domcontentloaded' })),
    click: async (selector) => {
      await toFront()
      await page.waitForSelector(selector)
      await page.click(selector)
    },
    type: (text) => toFront().then(() => page.keyboard.type(text)),
    press: (key) => toFront().then(() => page.keyboard.press(key)),
    setOffline: (isOffline) => page.setOfflineMode(isOffline),
    close: () => page.close(),
  }
}
