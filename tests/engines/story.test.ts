// The demo's story in each engine: two panels, two windows, every fault of its drawer, and a server that is killed.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Board } from '../e2e/board.ts'
import { startBoard } from '../e2e/board.ts'
import type { Window } from './board.ts'
import { openWindow, writesOf } from './board.ts'
import type { Engine } from './engine.ts'
import { launch } from './launch.ts'

let engine: Engine
let board: Board
let seeds: string[]
let windows: Window[]

beforeAll(async () => {
  engine = await launch()
})
afterAll(() => engine?.close())
beforeEach(async () => {
  windows = []
  board = await startBoard()
  seeds = await board.titles()
})
afterEach(async () => {
  const complaints = (await Promise.all(windows.map((window) => window.complaints()))).flat()
  for (const { tab } of windows) await tab.close()
  await board.dispose()
  expect(complaints).toEqual([])
})

async function open(): Promise<Window> {
  const window = await openWindow(engine, board)
  windows.push(window)
  return window
}

const seed = (at: number) => seeds[at] ?? ''
const renamed = (from: string, to: string) => seeds.map((title) => (title === from ? to : title))

/** Saved on the page and on the server, each write once. */
async function expectSaved(titles: readonly string[], ...all: Window[]): Promise<void> {
  for (const window of all) {
    await window.shows(titles)
    await window.says('queue', 'All saved')
  }
  expect(await board.titles()).toEqual(titles)
  const writes = writesOf(await board.log())
  expect(new Set(writes).size).toBe(writes.length)
}

test('an edit is in both panels in the same frame', async () => {
  const { tab } = await open()
  const nextFrame = await tab.evaluate(async () => {
    const isDone = (name: string) => document.querySelector<HTMLElement>(`#${name} .row`)?.dataset['done']
    document.querySelector<HTMLElement>('#react .check')?.click()
    await new Promise((resolve) => requestAnimationFrame(resolve))
    return { react: isDone('react'), vue: isDone('vue') }
  })
  expect(nextFrame).toEqual({ react: 'true', vue: 'true' })
})

test('no frame shows two panels that differ', async () => {
  const window = await open()
  const { tab } = window
  await tab.evaluate(() => {
    const read = (name: string) =>
      [...document.querySelectorAll<HTMLElement>(`#${name} .row`)]
        .map((row) => `${row.dataset['id']} ${row.dataset['done']} ${row.querySelector('.title')?.textContent}`)
        .join('\n')
    const frames = { seen: 0, differences: [] as string[] }
    Object.assign(globalThis, { frames })
    const look = () => {
      frames.seen++
      // A row that is being edited has a field in place of its title, in one panel only.
      const isEdited = document.querySelector('.edit') !== null
      if (!isEdited && read('react') !== read('vue')) frames.differences.push(`${read('react')} / ${read('vue')}`)
      requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
  await window.rename('react', seed(0), 'uno')
  await window.press('vue', seed(1), '.check')
  await window.press('react', seed(2), '.up')
  await window.add('vue', 'three')
  await window.press('vue', seed(1), '.danger')
  await expectSaved(['uno', seed(2), ...seeds.slice(3), 'three'], window)
  const frames = await tab.evaluate(
    () => (globalThis as unknown as { frames: { seen: number; differences: string[] } }).frames,
  )
  expect(frames.differences).toEqual([])
  expect(frames.seen).toBeGreaterThan(10)
})

test('everything is done in either panel, and the other window follows', async () => {
  const [one, two] = [await open(), await open()]
  const [first, second, third, ...others] = seeds as [string, string, string, ...string[]]
  await one.add('react', 'from React')
  await one.add('vue', 'from Vue')
  await one.rename('react', first, 'pushed')
  await one.press('vue', second, '.check')
  await one.press('react', third, '.up')
  await two.shows(['pushed', third, second, ...others, 'from React', 'from Vue'])
  await two.press('vue', second, '.danger')
  await two.rename('vue', 'from Vue', 'renamed elsewhere')
  await expectSaved(['pushed', third, ...others, 'from React', 'renamed elsewhere'], one, two)
})

test('a task is moved and renamed with the keyboard, and the focus stays with it', async () => {
  const { tab, shows } = await open()
  const [first, second, ...others] = seeds as [string, string, ...string[]]
  for (const panel of ['react', 'vue'] as const) {
    const focused = () => tab.evaluate(() => document.activeElement?.getAttribute('aria-label'))
    const grip = `Drag, or press the arrow keys: ${first}`
    await tab.evaluate((name) => document.querySelector<HTMLElement>(`#${name} .grip`)?.focus(), panel)
    await tab.press('ArrowDown')
    await shows([second, first, ...others])
    await expect.poll(focused).toBe(grip)
    await tab.press('ArrowUp')
    await shows(seeds)
    await expect.poll(focused).toBe(grip)
    await tab.evaluate((name) => document.querySelector<HTMLElement>(`#${name} .title`)?.focus(), panel)
    await tab.press('Enter')
    await expect.poll(() => tab.evaluate(() => document.activeElement?.tagName)).toBe('INPUT')
    await tab.type('gone')
    await tab.press('Escape')
    await shows(seeds)
    await expect.poll(() => tab.evaluate(() => document.activeElement?.textContent)).toBe(first)
  }
})

test('a write that is refused rolls back in both panels, says why, and can be tried again', async () => {
  const window = await open()
  await window.arm('reject')
  await window.rename('react', seed(0), 'refused')
  await window.says('queue', '1 failed')
  await window.shows(seeds)
  for (const panel of ['react', 'vue'] as const) {
    await expect.poll(() => window.notice(panel, seed(0))).toContain('The server said no, because you asked it to.')
  }
  await window.press('vue', seed(0), 'Try again')
  await expectSaved(renamed(seed(0), 'refused'), window)
})

test.each(['loseRequest', 'loseAnswer'] as const)('a write is applied once with %s', async (fault) => {
  const [window, other] = [await open(), await open()]
  await window.arm(fault)
  await window.rename('react', seed(0), 'once')
  await window.shows(renamed(seed(0), 'once'))
  await expectSaved(renamed(seed(0), 'once'), window, other)
  expect((await board.tasks()).map(({ version }) => version)).toEqual([2, 1, 1, 1, 1])
})

test('a rename that meets another asks which title stays', async () => {
  const window = await open()
  await window.arm('conflict')
  await window.rename('react', seed(0), 'mine')
  await window.says('queue', /needs you/)
  await expect.poll(() => window.notice('vue', 'mine')).toContain(`${seed(0)} · Robin was here`)
  await window.press('vue', 'mine', 'Keep mine')
  await expectSaved(renamed(seed(0), 'mine'), window)
  await window.arm('conflict')
  await window.rename('vue', 'mine', 'mine again')
  await window.press('react', 'mine again', 'Take theirs')
  await expectSaved(renamed(seed(0), 'mine · Robin was here'), window)
})

test('offline edits go out in order, and a stream that was cut catches up', async () => {
  const [window, other] = [await open(), await open()]
  const [first, second, ...others] = seeds as [string, string, ...string[]]
  await window.setOffline(true)
  await window.says('network', 'Offline')
  await window.add('react', 'one')
  await window.rename('vue', 'one', 'uno')
  await window.rename('react', first, 'first')
  await window.press('vue', second, '.danger')
  await window.shows(['first', ...others, 'uno'])
  await window.says('queue', '4 waiting')
  expect(await board.titles()).toEqual(seeds)
  await window.setOffline(false)
  await expectSaved(['first', ...others, 'uno'], window, other)
  await window.cutStream()
  await other.rename('react', 'uno', 'missed')
  await expectSaved(['first', ...others, 'missed'], other, window)
  await window.says('stream', /^Live/)
})

test('two windows end equal to the database after the server was killed', async () => {
  const [one, two] = [await open(), await open()]
  const [first, second, third, ...others] = seeds as [string, string, string, ...string[]]
  await one.rename('react', first, 'before the kill')
  await two.shows(renamed(first, 'before the kill'))
  await one.press('vue', second, '.check') // on its way, or not yet: nobody knows, and it must not matter
  await board.kill()
  await one.add('react', 'without a server')
  await two.rename('vue', third, 'renamed without one')
  await one.says('queue', /trying again/)
  await two.says('queue', /trying again/)
  await board.restart()
  await expectSaved(['before the kill', second, 'renamed without one', ...others, 'without a server'], one, two)
  for (const window of [one, two]) await window.says('stream', /^Live/)
  expect((await board.tasks()).map(({ done }) => done)).toEqual([false, true, false, false, false, false])
  expect(writesOf(await board.log())).toHaveLength(4)
})

test('what sticks to an edge covers nothing that is scrolled to', async () => {
  const window = await open()
  const { tab } = window
  await window.setOffline(true)
  for (let i = 0; i < 12; i++) await window.add('react', `Task ${i}`)
  await tab.click('#faults-toggle')
  const covered = await tab.evaluate(async () => {
    const found: string[] = []
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    for (const edge of [99_999, 0]) {
      const titles = [...document.querySelectorAll<HTMLElement>('#react .title')]
      for (const title of titles.filter((_, at) => at % 4 === 0)) {
        scrollTo({ top: edge, behavior: 'instant' })
        title.focus()
        for (let i = 0; i < 3; i++) await frame()
        const { left, top, width, height } = title.getBoundingClientRect()
        const hit = document.elementFromPoint(left + width / 2, top + Math.min(height, 40) / 2)
        if (hit !== title) found.push(`${title.textContent} is under ${hit?.tagName} ${hit?.className}`)
      }
    }
    return found
  })
  expect(covered).toEqual([])
  await window.setOffline(false)
  await window.says('queue', 'All saved')
})
