// The demo with a keyboard alone, and for those who listen to it.
import type { Page } from 'playwright'
import { expect, test } from 'vitest'
import type { PanelName, Window } from './board.ts'
import { boardForEach } from './board.ts'

const WAIT = { timeout: 30_000, interval: 25 }
const PANELS: readonly PanelName[] = ['react', 'vue']
const demo = boardForEach()

/** What has the focus, in words: `react: Delete: Milk`, or `body`. */
function focus(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement | null
    if (element === null || element === document.body) return 'body'
    const text = (element.labels?.[0] ?? element).innerText.replace(/\s+/g, ' ').trim()
    const name = element.getAttribute('aria-label') ?? text
    return `${element.closest('[id]:is(.panel, #inside, #faults)')?.id ?? 'page'}: ${name}`
  })
}

const focusOf = ({ page }: Window) => expect.poll(() => focus(page), WAIT)

/** Presses Tab until this has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const from = await focus(page)
  for (let i = 0; i < 150; i++) {
    if ((await focus(page)) === name) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`From "${from}", Tab never came to "${name}".`)
}

const said = ({ page }: Window) =>
  expect.poll(() => page.$$eval('#said p', (lines) => lines.map((p) => p.textContent)), WAIT)

test('everything can be done without a pointer', async () => {
  const window = await demo.open()
  const { page } = window
  const [first, second, third] = [demo.seed(0), demo.seed(1), demo.seed(2)]
  const press = (...keys: string[]) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve())

  await tabTo(page, 'react: New task')
  await page.keyboard.type('typed')
  await press('Enter')
  await window.shows([...demo.seeds(), 'typed'])
  await focusOf(window).toBe('react: New task')

  await tabTo(page, `react: Done: ${first}`)
  await press('Space')
  await expect.poll(() => window.panel('vue').row(first).getAttribute('data-done'), WAIT).toBe('true')
  await focusOf(window).toBe(`react: Done: ${first}`)

  await tabTo(page, `react: ${second}`)
  await press('Enter')
  await focusOf(window).toBe(`react: Title of: ${second}`)
  await page.keyboard.type('retyped')
  await press('Enter')
  await focusOf(window).toBe('react: retyped')

  await tabTo(page, `vue: Move up: ${third}`)
  await press('Enter')
  await window.shows([first, third, 'retyped', ...demo.seeds().slice(3), 'typed'])
  await focusOf(window).toBe(`vue: Move up: ${third}`)
  await press('Enter') // to the top, where there is no up
  await focusOf(window).toBe(`vue: Move down: ${third}`)

  await tabTo(page, 'vue: Delete: retyped')
  await press('Enter')
  await window.shows([third, first, ...demo.seeds().slice(3), 'typed'])
  await focusOf(window).toBe(`vue: ${demo.seed(3)}`)
  await window.says('queue', 'All saved')
  expect(await demo.board().titles()).toEqual([third, first, ...demo.seeds().slice(3), 'typed'])
})

test('the sheets open, close and give the focus back', async () => {
  const window = await demo.open()
  const { page } = window
  await tabTo(page, 'page: Faults')
  await page.keyboard.press('Enter')
  await focusOf(window).toBe('faults: Faults')
  await tabTo(page, 'faults: Offline Edits wait in the queue and go out in order.')
  await page.keyboard.press('Space')
  await window.says('network', 'Offline')
  await page.keyboard.press('Escape')
  expect(await page.locator('#faults').isVisible()).toBe(false)
  await focusOf(window).toBe('page: Faults 1')
  await tabTo(page, 'inside: Close the layers')
  await page.keyboard.press('Enter')
  expect(await page.locator('#inside').isVisible()).toBe(false)
  await focusOf(window).toBe('page: Layers')
  await page.keyboard.press('Enter')
  await focusOf(window).toBe('inside: Base, layers, view')
})

test('the log is scrolled with the keyboard', async () => {
  const window = await demo.open({ viewport: { width: 1440, height: 900 } })
  const { page } = window
  await page.locator('#faults-toggle').click()
  for (const title of demo.seeds()) await window.panel('react').tick(title)
  await window.says('queue', 'All saved')
  await expect.poll(() => page.locator('#wire li').count(), WAIT).toBeGreaterThan(12)
  await tabTo(page, `faults: ${(await page.locator('.wire').innerText()).replace(/\s+/g, ' ').trim()}`)
  const top = () => page.locator('.wire').evaluate((log) => log.scrollTop)
  expect(await top()).toBe(0)
  await page.keyboard.press('End')
  await expect.poll(top, WAIT).toBeGreaterThan(0)
})

test.each(PANELS)('the focus stays in the list when a row of the %s panel goes', async (name) => {
  const [window, other] = [await demo.open(), await demo.open()]
  const panel = window.panel(name)
  const [first, second, third, fourth, fifth] = demo.seeds() as [string, string, string, string, string]
  await panel.remove(second)
  await focusOf(window).toBe(`${name}: ${third}`)
  await panel.remove(fifth) // the last one: its neighbour above
  await focusOf(window).toBe(`${name}: ${fourth}`)
  // Somebody else deletes the row that is being read.
  await other.panel('react').remove(fourth)
  await window.shows([first, third])
  await focusOf(window).toBe(`${name}: ${third}`)
  await panel.remove(third)
  await focusOf(window).toBe(`${name}: ${first}`)
  await panel.remove(first)
  await focusOf(window).toBe(`${name}: New task`)
})

test.each(PANELS)('the focus stays where a notice of the %s panel was', async (name) => {
  const window = await demo.open()
  const panel = window.panel(name)
  const [first, second] = [demo.seed(0), demo.seed(1)]
  await window.arm('reject')
  await panel.tick(first)
  await panel.row(first).getByRole('button', { name: 'Dismiss' }).click()
  await focusOf(window).toBe(`${name}: ${first}`)
  await window.arm('conflict')
  await panel.rename(second, 'mine')
  await panel.row('mine').getByRole('button', { name: 'Keep mine' }).click()
  await focusOf(window).toBe(`${name}: mine`)
  await window.arm('reject')
  await panel.add('never')
  await window.page.locator(`#${name} .lost`).getByRole('button', { name: 'Try again' }).click()
  await window.says('queue', 'All saved')
  await focusOf(window).toBe(`${name}: never`)
})

test('who puts the focus away is left alone', async () => {
  const [window, other] = [await demo.open(), await demo.open()]
  await window.panel('react').tick(demo.seed(1))
  await window.page.locator('h1').click()
  await focusOf(window).toBe('body')
  await other.panel('vue').remove(demo.seed(1))
  await window.shows(demo.seeds().filter((title) => title !== demo.seed(1)))
  expect(await focus(window.page)).toBe('body')
})

test('what is done here, refused, or done elsewhere is said once, politely', async () => {
  const [window, other] = [await demo.open(), await demo.open()]
  const { page } = window
  const [first, second, third] = [demo.seed(0), demo.seed(1), demo.seed(2)]
  const live = page.locator('[aria-live], [role=alert], [role=status], [role=log]')
  expect(await live.count()).toBe(1)
  expect(await live.getAttribute('aria-live')).toBe('polite')

  await window.panel('react').add('new')
  await window.panel('vue').tick(first)
  await window.panel('react').move(second, 'down')
  await window.panel('vue').remove(third)
  await said(window).toEqual([
    'Added “new”.',
    `Ticked “${first}”.`,
    `Moved “${second}” to place 3 of 6.`,
    `Deleted “${third}”.`,
  ])
  await window.says('queue', 'All saved')

  await other.shows([first, second, demo.seed(3), demo.seed(4), 'new'])
  await other.panel('react').rename('new', 'newer')
  await said(window).toContain('“new” was renamed to “newer” elsewhere.')
  await other.panel('react').remove('newer')
  await said(window).toContain('“newer” was deleted elsewhere.')

  await window.arm('reject')
  await window.panel('react').rename(first, 'refused')
  await expect
    .poll(() => page.$$eval('#said p', (lines) => lines.slice(-2).map((p) => p.textContent)), WAIT)
    .toEqual(['Renamed to “refused”.', 'Renaming to “refused” failed: The server said no, because you asked it to.'])
  expect(await page.locator('.notice').count()).toBe(2)
  expect(await live.count()).toBe(1)

  await window.panel('react').row(first).getByRole('button', { name: 'Dismiss' }).click()
  await window.setOffline(true)
  await window.panel('vue').tick(second)
  await window.setOffline(false)
  await window.says('queue', 'All saved')
  await said(window).toEqual([
    'All saved.',
    'Offline. What you do now waits.',
    `Ticked “${second}”.`,
    'Online again.',
    'All saved.',
  ])
})

test('the last error ends with what it was about', async () => {
  const window = await demo.open()
  await window.arm('reject')
  await window.panel('vue').tick(demo.seed(0))
  const cell = window.page.locator('#status-error')
  await window.says('error', /Ticking: The server said no/)
  expect(await cell.getAttribute('data-tone')).toBe('bad')
  await window.panel('react').row(demo.seed(0)).getByRole('button', { name: 'Dismiss' }).click()
  await window.says('error', /^None since \d\d:\d\d:\d\d$/)
  expect(await cell.getAttribute('data-tone')).toBe('none')

  await window.page.getByRole('button', { name: 'Cut the stream' }).click()
  await window.says('stream', /^Live/)
  await window.says('error', /^None since/)
})

test('offline, the stream waits for the network: it neither counts seconds nor polls', async () => {
  const window = await demo.open()
  const { page } = window
  await page.evaluate(() => {
    const shown: string[] = []
    Object.assign(globalThis, { shown })
    const look = () => {
      const [network, stream] = ['network', 'stream'].map(
        (name) => document.querySelector(`#status-${name} dd`)?.textContent,
      )
      if (shown.at(-1) !== `${network}: ${stream}`) shown.push(`${network}: ${stream}`)
      requestAnimationFrame(look)
    }
    look()
  })
  await window.setOffline(true)
  await window.says('stream', 'Waits for the network')
  await window.panel('react').tick(demo.seed(0))
  await window.panel('vue').add('waits')
  await window.says('queue', '2 waiting')
  await window.says('error', 'None')
  await window.setOffline(false)
  await window.says('stream', /^Live/)
  const shown = await page.evaluate(() => (globalThis as unknown as { shown: string[] }).shown)
  expect(new Set(shown.filter((text) => text.startsWith('Offline')))).toEqual(
    new Set(['Offline: Waits for the network']),
  )
})
