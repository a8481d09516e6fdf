// One engine, one server and one page for the tests of a file.
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import type { Engine, Tab } from './engine.ts'
import { launch } from './launch.ts'
import type { Plan, Seen } from './notes.ts'
import type { Page } from './page.ts'
import type { Site } from './site.ts'
import { buildPage, openSite } from './site.ts'

declare const page: Page

export function scenario() {
  let engine: Engine
  let site: Site
  let tab: Tab
  let count = 0
  beforeAll(async () => {
    const script = await buildPage()
    engine = await launch()
    site = await openSite(script)
    tab = await engine.open(site.url)
  })
  afterAll(async () => {
    await engine?.close()
    await site?.close()
  })
  beforeEach(() => site.wire.reset())
  const seen = (): Promise<Seen> => tab.evaluate(() => page.seen())
  return {
    engine: () => engine,
    site: () => site,
    tab: () => tab,
    seen,
    /** A fresh client in the page, with its list read. */
    start: (plan: Plan) => tab.evaluate((given) => page.start(given), plan),
    /** Writes; returns the id at once. */
    async write(text: string): Promise<string> {
      const id = `note-${++count}`
      await tab.evaluate(([id, text]) => page.write(id, text), [id, text] as const)
      return id
    },
    retry: () => tab.evaluate(() => page.retry()),
    /** Resolves when the last write has its outcome. */
    async ended(): Promise<Seen> {
      await expect.poll(async () => (await seen()).confirmed).not.toBe('pending')
      return await seen()
    },
  }
}
