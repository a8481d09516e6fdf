// Base, layers and view of the task that a visitor touches: right at each step of a write's life.
import type { Page } from 'playwright'
import { expect, test } from 'vitest'
import type { Window } from './board.ts'
import { boardForEach } from './board.ts'

const WAIT = { timeout: 30_000, interval: 25 }
const demo = boardForEach()

interface Inside {
  base: string
  layers: string[]
  view: string
}

/** What the panel shows, in few words: `[x] title`, or what stands there instead. */
function read(page: Page): Promise<Inside> {
  return page.evaluate(() => {
    const depth = (name: string) => document.querySelector(`#depth-${name} .depth`)
    const text = (element: Element | null | undefined) => element?.textContent?.trim() ?? ''
    const snapshot = (name: string) => {
      const box = depth(name)?.querySelector<HTMLElement>('.box')
      if (box == null) return text(depth(name))
      return `[${box.dataset['done'] === 'true' ? 'x' : ' '}] ${text(depth(name)?.querySelector('.snap > :last-child'))}`
    }
    const layers = [...(depth('layers')?.querySelectorAll('li') ?? [])].map((layer) =>
      [...layer.children].map(text).join(': '),
    )
    return { base: snapshot('base'), layers, view: snapshot('view') }
  })
}

const inside = ({ page }: Window) => expect.poll(() => read(page), WAIT)

/** The story of the task, oldest first. */
function story({ page }: Window) {
  return expect.poll(
    () => page.$$eval('.story li', (lines) => lines.map((line) => line.lastElementChild?.textContent ?? '').reverse()),
    WAIT,
  )
}

/** Keeps the writes of this window on their way until they are let go. */
async function hold({ page }: Window): Promise<() => void> {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route('**/api/mutations/**', async (route) => {
    await released
    await route.continue()
  })
  return release
}

test('a task that is touched shows its base and its view; nothing is between them', async () => {
  const window = await demo.open()
  expect(await window.page.locator('#inside-hint').textContent()).toMatch(/^Touch a task/)
  expect(await window.page.locator('#depths').isVisible()).toBe(false)
  for (const name of ['react', 'vue'] as const) {
    const title = demo.seed(name === 'react' ? 1 : 2)
    await window.panel(name).row(title).locator('.grip').click()
    await inside(window).toEqual({ base: `[ ] ${title}`, layers: [], view: `[ ] ${title}` })
    expect(await window.page.locator('#inside-hint').textContent()).toBe(`of “${title}”`)
    expect(await window.page.locator('#depth-view .facts').textContent()).toContain(
      `place ${name === 'react' ? 2 : 3} of 5`,
    )
  }
})

test('edits without a network lie on base as layers until the server has them', async () => {
  const window = await demo.open()
  const title = demo.seed(1)
  await window.setOffline(true)
  await window.panel('react').rename(title, 'renamed')
  await window.panel('vue').tick('renamed')
  await inside(window).toEqual({
    base: `[ ] ${title}`,
    layers: ['Renaming to “renamed”: waiting', 'Ticking: waiting'],
    view: '[x] renamed',
  })
  expect(await window.page.locator('#depth-view .differs').count()).toBe(2)
  await window.setOffline(false)
  await inside(window).toEqual({ base: '[x] renamed', layers: [], view: '[x] renamed' })
  expect(await window.page.locator('#depth-view .differs').count()).toBe(0)
  await story(window).toContain('Renaming to “renamed”: a new layer, shown at once.')
  await story(window).toContain('It waits: nothing is sent while offline.')
  await story(window).toContain('Ticking: saved. Base contains it, so the layer is gone.')
})

test('what another window does to the task changes base, and the layer is laid on top again', async () => {
  const [window, other] = [await demo.open(), await demo.open()]
  const title = demo.seed(0)
  const release = await hold(window)
  await window.panel('react').rename(title, 'mine')
  await inside(window).toEqual({
    base: `[ ] ${title}`,
    layers: ['Renaming to “mine”: sending'],
    view: '[ ] mine',
  })
  await other.panel('vue').tick(title)
  await inside(window).toEqual({
    base: `[x] ${title}`,
    layers: ['Renaming to “mine”: sending'],
    view: '[x] mine',
  })
  release()
  await inside(window).toEqual({ base: '[x] mine', layers: [], view: '[x] mine' })
  await story(window).toEqual([
    'Renaming to “mine”: a new layer, shown at once.',
    'Sent.',
    'The server said something newer: base has changed. Your layer was laid on top again.',
    'Renaming to “mine”: saved. Base contains it, so the layer is gone.',
  ])
  // The other window did nothing to base itself: all came by push.
  await inside(other).toEqual({ base: '[x] mine', layers: [], view: '[x] mine' })
  await story(other).toContain('The server said something newer: base has changed.')
})

test('a refused write takes its layer with it, and the view is base again', async () => {
  const window = await demo.open()
  const title = demo.seed(0)
  await window.arm('reject')
  const release = await hold(window)
  await window.panel('vue').rename(title, 'refused')
  await inside(window).toMatchObject({ base: `[ ] ${title}`, view: '[ ] refused' })
  release()
  await inside(window).toEqual({ base: `[ ] ${title}`, layers: [], view: `[ ] ${title}` })
  expect(await window.page.locator('#depth-layers .none').textContent()).toMatch(/refused/)
  await story(window).toContain(
    'Refused: The server said no, because you asked it to. The layer is gone, and the view is base again.',
  )
})

test('a lost answer is sent again under the same key, and told so', async () => {
  const window = await demo.open()
  await window.arm('loseAnswer')
  await window.panel('react').tick(demo.seed(3))
  await story(window).toContain('No answer came. It is sent again until one does.')
  await window.says('queue', 'All saved')
  await story(window).toContain('Ticking: saved. Base contains it, so the layer is gone.')
})

test('a new task is not in base, a deleted one not in the view, until the server agrees', async () => {
  const window = await demo.open()
  const title = demo.seed(4)
  await window.setOffline(true)
  await window.panel('react').add('new')
  await inside(window).toEqual({
    base: 'Nothing: the server does not have it.',
    layers: ['Adding “new”: waiting'],
    view: '[ ] new',
  })
  // By keyboard: the focus goes to another row, what is shown stays with what was done.
  await window.panel('vue').row(title).locator('.danger').press('Enter')
  await inside(window).toEqual({
    base: `[ ] ${title}`,
    layers: ['Deleting: waiting'],
    view: 'Nothing: it is not in the list.',
  })
  await window.setOffline(false)
  await window.says('queue', 'All saved')
  await inside(window).toMatchObject({ base: 'Nothing: the server does not have it.', layers: [] })
})

test('a conflict shows both titles, and ends as it is decided', async () => {
  const window = await demo.open()
  const title = demo.seed(0)
  const theirs = `${title} · Robin was here`
  await window.arm('conflict')
  await window.panel('react').rename(title, 'mine')
  await inside(window).toEqual({ base: `[ ] ${theirs}`, layers: ['Renaming to “mine”: needs you'], view: '[ ] mine' })
  await window.panel('react').row('mine').getByRole('button', { name: 'Take theirs' }).click()
  await inside(window).toEqual({ base: `[ ] ${theirs}`, layers: [], view: `[ ] ${theirs}` })
  await story(window).toContain('Somebody else renamed it meanwhile: you decide.')
  await story(window).toContain('You took theirs: the layer is gone.')
})
