// What must be true of a page whichever framework renders it. The pages under `apps/` show a list of todos, a button
// that adds one by an optimistic mutation, and a status: Saving or Saved.
import type { Browser, BrowserContext, Page } from 'playwright'
import { chromium } from 'playwright'
import { expect } from 'vitest'
import { chromiumArguments, chromiumPath } from '../../chromium.ts'
import type { Site } from './site.ts'

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath, args: chromiumArguments })

const WITHIN = { timeout: 60_000 }

/** The page as it is sent to a user, all of it. */
export async function htmlFor(site: Site, path: string, user: string): Promise<string> {
  const answer = await fetch(site.origin + path, { headers: { cookie: `user=${user}` } })
  const html = await answer.text()
  expect({ status: answer.status, html }).toEqual({ status: 200, html: expect.anything() })
  return html
}

/** Rows are in the HTML after one read on the server, which are kept with the position that they were read at. */
export async function servesRows(site: Site, path: string, { position = true, user = 'alice' } = {}): Promise<void> {
  site.reset()
  const html = await htmlFor(site, path, user)
  expect(html).toContain(`${user} has this</li>`)
  expect(site.requests).toEqual([{ method: 'GET', user, fromPage: false }])
  if (position) expect(html).toContain('epoch:')
}

/** Two users who are rendered at the same time, twice: neither is shown a row of the other. */
export async function keepsUsersApart(site: Site, path: string): Promise<void> {
  site.reset()
  const users = ['alice', 'bob', 'alice', 'bob']
  const hold = site.hold('GET')
  const pages = users.map((user) => htmlFor(site, path, user))
  await Promise.race([hold.arrived(users.length), Promise.all(pages)])
  hold.release()
  for (const [at, html] of (await Promise.all(pages)).entries()) {
    const other = users[at] === 'alice' ? 'bob' : 'alice'
    expect(html).toContain(`${users[at]} has this</li>`)
    expect(html).not.toContain(`${other} has this`)
  }
}

/** Hydrates without a complaint and without a read; a write shows at once, stays while it is saved, and is there after a reload. */
export async function hydratesAndWrites(site: Site, path: string, browser: Browser, user = 'carol'): Promise<void> {
  site.reset()
  const first = `${user} has this`
  const context = await contextOf(browser, site, user)
  try {
    const page = await context.newPage()
    const complaints = complaintsOf(page)
    await page.goto(site.origin + path)
    await hydrated(page)
    const hold = site.hold('POST')
    await page.getByRole('button', { name: 'Add milk' }).click()
    await page.getByText('Milk', { exact: true }).waitFor(WITHIN)
    await page.getByText('Saving').waitFor(WITHIN)
    await hold.arrived(1)
    expect(site.requests.filter(({ fromPage }) => fromPage).map(({ method }) => method)).toEqual(['POST'])
    hold.release()
    await page.getByText('Saved').waitFor(WITHIN)
    expect(await shown(page)).toEqual([[first], [first, 'Milk']])
    await page.reload()
    await hydrated(page)
    expect(await shown(page)).toEqual([[first, 'Milk']])
    expect(complaints).toEqual([])
  } finally {
    await context.close()
  }
}

async function contextOf(browser: Browser, site: Site, user: string): Promise<BrowserContext> {
  const context = await browser.newContext()
  await context.addCookies([{ name: 'user', value: user, url: site.origin }])
  await context.addInitScript(recordRows)
  return context
}

function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`)
  })
  return complaints
}

/** Until the button has its listener: React keeps its props on the element, Vue its listeners. */
async function hydrated(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      const button = document.querySelector('button')
      const names = button === null ? [] : Reflect.ownKeys(button).map(String)
      return names.some((name) => name.startsWith('__reactProps') || name === 'Symbol(_vei)')
    },
    undefined,
    WITHIN,
  )
}

/** Every list of rows that was on the page, in order, from the first row on. */
function shown(page: Page): Promise<string[][]> {
  return page.evaluate(() => (globalThis as unknown as { shown: string[][] }).shown)
}

function recordRows(): void {
  const lists: string[][] = []
  Object.assign(globalThis, { shown: lists })
  const look = (): void => {
    const rows = [...document.querySelectorAll('li')].map((row) => row.textContent ?? '')
    if (rows.length === 0 && lists.length === 0) return // the page is not there yet
    if (JSON.stringify(rows) !== JSON.stringify(lists.at(-1))) lists.push(rows)
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true })
}
