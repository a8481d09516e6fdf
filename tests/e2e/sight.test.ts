// The demo at the widths of phones, a tablet and a desk, light and dark, in each of its states.
import type { BrowserContextOptions } from 'playwright'
import { describe, expect, test } from 'vitest'
import type { Window } from './board.ts'
import { boardForEach } from './board.ts'
import { cutOff, faintTexts, focused, smallTargets } from './sight.ts'

const demo = boardForEach()
const SCREENS: Record<string, BrowserContextOptions> = {
  'small phone': { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  tablet: { viewport: { width: 768, height: 1024 } },
  desk: { viewport: { width: 1440, height: 900 } },
}
const LONG = 'A title with aVeryLongWordThatNobodyCanBreakAnywhereButInTheMiddle, and more'

/** Opens or closes one of the sheets. */
async function show({ page }: Window, name: 'inside' | 'faults', isOpen: boolean): Promise<void> {
  const toggle = page.locator(`#${name}-toggle`)
  if ((await toggle.getAttribute('aria-expanded')) !== String(isOpen)) await toggle.click()
}

/** Each state that the page can be in, in turn; `look` is called in each. */
async function visit(window: Window, look: (state: string) => Promise<void>): Promise<void> {
  await look('at the start')
  await window.setOffline(true)
  await look('with the faults open')
  await show(window, 'faults', false)
  await show(window, 'inside', true)
  await window.panel('react').rename(demo.seed(1), LONG)
  await window.panel('vue').tick(LONG)
  await window.panel('react').remove(demo.seed(2))
  await window.panel('react').row(LONG).locator('.title').focus()
  await look('offline, with layers')
  await show(window, 'inside', false)
  await look('offline, without the layers')
  await window.setOffline(false)
  await window.says('queue', 'All saved')
  await window.arm('reject')
  await show(window, 'faults', false)
  await show(window, 'inside', true)
  await window.panel('react').add('Refused')
  await window.says('queue', '1 failed')
  await window.arm('conflict')
  await show(window, 'faults', false)
  await window.panel('vue').rename(demo.seed(0), 'Mine')
  await window.says('queue', /needs you/)
  await look('refused and in conflict')
}

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  test.each(Object.keys(SCREENS))('nothing is cut, small or faint on a %s', async (name) => {
    const window = await demo.open({ ...SCREENS[name], colorScheme })
    const { page } = window
    const complaints: Record<string, string[]> = {}
    const states: string[] = []
    await visit(window, async (state) => {
      states.push(state)
      const found = [...(await cutOff(page)), ...(await smallTargets(page, 24)), ...(await faintTexts(page))]
      // For fingers; the two arrows share the height of a finger.
      if (name.endsWith('phone')) found.push(...(await smallTargets(page, 44, '.step')))
      if (found.length > 0) complaints[state] = found
    })
    expect(states).toHaveLength(5)
    expect(complaints).toEqual({})
  })
})

describe.each([
  ['closed', false],
  ['open', true],
] as const)('with the faults %s', (_, isOpen) => {
  test.each(Object.keys(SCREENS))(
    'the keyboard reaches everything in its order, in sight, on a %s',
    async (name) => {
      const window = await demo.open({ ...SCREENS[name], isMobile: false })
      const { page } = window
      await window.panel('vue').rename(demo.seed(3), 'touched')
      await window.says('queue', 'All saved')
      await show(window, 'faults', isOpen)
      await page.locator('nav a').focus()
      for (const key of ['Tab', 'Shift+Tab']) await page.keyboard.press(key) // by keyboard, so that it shows
      const ways: string[] = []
      const complaints: string[] = []
      for (let at = await focused(page); at.name !== 'body' && ways.length < 100; at = await focused(page)) {
        ways.push(at.name)
        complaints.push(...at.complaints)
        if (!at.isMarked) complaints.push(`${at.name} does not show that it has the focus`)
        await page.keyboard.press('Tab')
      }
      expect(complaints).toEqual([])
      const reachable = await page.evaluate(
        () =>
          [...document.querySelectorAll<HTMLInputElement>('a[href], button:enabled, input, [tabindex="0"]')].filter(
            (element) => element.checkVisibility() && (element.type !== 'radio' || element.checked),
          ).length,
      )
      expect(ways).toHaveLength(reachable)
      expect(ways.filter((way) => way === 'New task')).toHaveLength(2)
      expect(ways.some((way) => /fault-offline/.test(way))).toBe(isOpen)
    },
    180_000,
  ) // some sixty stops, with three frames at each
})

test('what sticks to an edge covers nothing that is scrolled to', async () => {
  const window = await demo.open({ viewport: { width: 1000, height: 640 } })
  const { page } = window
  await window.setOffline(true)
  await show(window, 'faults', false)
  await show(window, 'inside', true)
  for (let i = 0; i < 12; i++) await window.panel('react').add(`Task ${i}`)
  for (const edge of [99_999, 0]) {
    for (const title of ['Task 0', 'Task 5', demo.seed(0), 'Task 11']) {
      await page.evaluate((top) => scrollTo(0, top), edge)
      const target = window.panel('react').row(title).locator('.title')
      await target.evaluate((element) => element.focus())
      await expect.poll(async () => (await focused(page)).complaints, { timeout: 30_000 }).toEqual([])
    }
  }
})
