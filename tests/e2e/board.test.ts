// The demo as a visitor sees it: two panels, two windows, a server that can be killed, and a network that fails.
import type { LogEntry } from 'tidemark/server'
import { beforeEach, describe, expect, test } from 'vitest'
import { boardForEach } from './board.ts'

const WAIT = { timeout: 30_000, interval: 25 }
const demo = boardForEach()

/** The seeds with one of them replaced. */
const renamed = (from: string | undefined, to: string) => demo.seeds().map((title) => (title === from ? to : title))

describe('two panels', () => {
  test('an edit in the React panel is in the Vue panel in the same frame', async () => {
    const { page } = await demo.open()
    const nextFrame = await page.evaluate(async () => {
      const isDone = (name: string) => document.querySelector<HTMLElement>(`#${name} .row`)?.dataset['done']
      document.querySelector<HTMLElement>('#react .check')?.click()
      await new Promise((resolve) => requestAnimationFrame(resolve))
      return { react: isDone('react'), vue: isDone('vue') }
    })
    expect(nextFrame).toEqual({ react: 'true', vue: 'true' })
  })

  test('no frame shows two panels that differ, whatever is edited where', async () => {
    const window = await demo.open()
    const { page } = window
    await page.evaluate(() => {
      const read = (name: string) =>
        [...document.querySelectorAll<HTMLElement>(`#${name} .row`)]
          .map((row) => `${row.dataset['id']} ${row.dataset['done']} ${row.querySelector('.title')?.textContent}`)
          .join('\n')
      const seen = { frames: 0, differences: [] as [string, string][] }
      Object.assign(globalThis, { seen })
      const look = () => {
        const [react, vue] = [read('react'), read('vue')]
        seen.frames++
        // A row that is being edited has a field in place of its title, in one panel only.
        if (react !== vue && document.querySelector('.edit') === null) seen.differences.push([react, vue])
        requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
    })
    const [react, vue] = [window.panel('react'), window.panel('vue')]
    const [first = '', second = '', third = ''] = demo.seeds()
    await react.rename(first, 'one')
    await vue.rename('one', 'uno')
    await react.tick(second)
    await vue.move(third, 'up')
    await react.add('two')
    await vue.add('three')
    await vue.remove(second)
    await react.move('three', 'up')
    await window.shows(['uno', third, ...demo.seeds().slice(3), 'three', 'two'])
    await window.says('queue', 'All saved')
    expect(await demo.board().titles()).toEqual(['uno', third, ...demo.seeds().slice(3), 'three', 'two'])
    const seen = await page.evaluate(() => (globalThis as unknown as { seen: { frames: number } }).seen)
    expect(seen).toMatchObject({ differences: [] })
    expect(seen.frames).toBeGreaterThan(10)
  })

  test('tasks are edited and moved with the keyboard, and the focus stays with them', async () => {
    const window = await demo.open()
    const { page } = window
    const [first = '', second = '', ...others] = demo.seeds()
    for (const name of ['react', 'vue'] as const) {
      const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
      await window.panel(name).row(first).locator('.grip').focus()
      await page.keyboard.press('ArrowDown')
      await window.shows([second, first, ...others])
      await expect.poll(focused, WAIT).toBe(`Drag, or press the arrow keys: ${first}`)
      await page.keyboard.press('ArrowUp')
      await window.shows(demo.seeds())
      await expect.poll(focused, WAIT).toBe(`Drag, or press the arrow keys: ${first}`)

      await window.panel(name).row(first).locator('.title').focus()
      await page.keyboard.press('Enter')
      await page.keyboard.type('gone')
      await page.keyboard.press('Escape')
      await window.shows(demo.seeds())
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(first)
    }
  })

  test('a task is dragged to another place', async () => {
    const window = await demo.open()
    const [first = '', second = '', third = '', ...others] = demo.seeds()
    await window
      .panel('react')
      .row(first)
      .locator('.grip')
      .dragTo(window.panel('react').row(third), {
        targetPosition: { x: 100, y: 40 },
      })
    await window.shows([second, third, first, ...others])
    await window
      .panel('vue')
      .row(first)
      .locator('.grip')
      .dragTo(window.panel('vue').row(second), {
        targetPosition: { x: 100, y: 8 },
      })
    await window.shows(demo.seeds())
  })
})

describe('two windows', () => {
  test('the second follows by push', async () => {
    const [one, two] = [await demo.open(), await demo.open()]
    const [first = '', second = ''] = demo.seeds()
    await one.panel('react').rename(first, 'pushed')
    await two.shows(renamed(first, 'pushed'))
    await two.panel('vue').tick(second)
    await expect.poll(() => one.panel('react').row(second).getAttribute('data-done'), WAIT).toBe('true')
    await one.panel('vue').add('from Vue')
    await two.shows([...renamed(first, 'pushed'), 'from Vue'])
    await two.panel('react').remove('pushed')
    await one.shows([...demo.seeds().slice(1), 'from Vue'])
    expect(await demo.board().titles()).toEqual([...demo.seeds().slice(1), 'from Vue'])
  })

  test('a task that is done leaves the open ones at once, comes back when it is refused, and others follow', async () => {
    const [one, two] = [await demo.open(), await demo.open()]
    const [first = '', second = '', ...others] = demo.seeds()
    await one.panel('react').choose('Open')
    await two.panel('vue').choose('Open')
    const nextFrame = await one.page.evaluate(async () => {
      const titles = (name: string) =>
        [...document.querySelectorAll(`#${name} .title`)].map(({ textContent }) => textContent)
      document.querySelector<HTMLElement>('#react .check')?.click()
      await new Promise((resolve) => requestAnimationFrame(resolve))
      return { react: titles('react'), vue: titles('vue') }
    })
    expect(nextFrame).toEqual({ react: [second, ...others], vue: [second, ...others] })
    await two.shows([second, ...others])

    await one.page.locator('#faults-toggle').click()
    await one.page.getByText('0.4 s').click() // so that the list without it is seen
    await one.arm('reject')
    await one.panel('vue').tick(second)
    await one.shows(others)
    await one.shows([second, ...others])
    const notice = one.panel('react').row(second).getByRole('region', { name: 'Refused' })
    await expect.poll(() => notice.textContent(), WAIT).toContain('The server said no')
    await notice.getByRole('button', { name: 'Dismiss' }).click()
    await two.shows([second, ...others])

    await one.panel('vue').choose('Done')
    await one.shows([first])
    await one.panel('react').tick(first)
    await one.shows([])
    await two.shows(demo.seeds())
    await one.says('queue', 'All saved')
  })

  test('lists by title have a new task and a renamed one in their places, in both', async () => {
    const [one, two] = [await demo.open(), await demo.open()]
    const [first = ''] = demo.seeds()
    const inOrder = (titles: readonly string[]) =>
      titles.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    await one.panel('react').choose('By title')
    await two.panel('react').choose('By title')
    await one.shows(inOrder(demo.seeds()))
    await one.panel('vue').add('Middle')
    await one.panel('react').rename(first, 'zuletzt')
    const titles = inOrder([...renamed(first, 'zuletzt'), 'Middle'])
    await one.shows(titles)
    await two.shows(titles)
    await one.says('queue', 'All saved')
    await one.panel('vue').choose('By hand')
    await one.shows([...renamed(first, 'zuletzt'), 'Middle'])
  })

  test('one whose stream was cut catches up', async () => {
    const [one, two] = [await demo.open(), await demo.open()]
    const [first = ''] = demo.seeds()
    await one.page.locator('#faults-toggle').click()
    await one.page.getByRole('button', { name: 'Cut the stream' }).click()
    await two.panel('react').rename(first, 'missed')
    await one.shows(renamed(first, 'missed'))
    await one.says('stream', /^Live/)
  })

  test('end equal to the database after the server was killed and started again', async () => {
    const [one, two] = [await demo.open(), await demo.open()]
    const [first = '', second = '', third = ''] = demo.seeds()
    await one.panel('react').rename(first, 'before the kill')
    await two.shows(renamed(first, 'before the kill'))
    // On its way, or not yet: nobody knows, and it must not matter.
    await one.panel('vue').tick(second)
    await demo.board().kill()
    await one.panel('react').add('added without a server')
    await two.panel('vue').rename(third, 'renamed without a server')
    await two.panel('vue').move('renamed without a server', 'down')
    await one.says('queue', /trying again/)
    await two.says('queue', /trying again/)
    await demo.board().restart()
    for (const window of [one, two]) {
      await window.says('queue', 'All saved')
      await window.says('stream', /^Live/)
    }
    const expected = [
      'before the kill',
      second,
      demo.seeds()[3] ?? '',
      'renamed without a server',
      demo.seeds()[4] ?? '',
      'added without a server',
    ]
    await one.shows(expected)
    await two.shows(expected)
    expect(await demo.board().titles()).toEqual(expected)
    const isDone = (await demo.board().tasks()).map(({ done }) => String(done))
    expect(isDone).toEqual(['false', 'true', 'false', 'false', 'false', 'false'])
    for (const window of [one, two]) {
      const read = () =>
        window.page.$$eval('#vue .row', (rows) => rows.map((row) => (row as HTMLElement).dataset['done']))
      await expect.poll(read, WAIT).toEqual(isDone)
    }
    // Applied once each, however often they were sent.
    const ids = (await demo.board().log()).flatMap(({ mutations }) => mutations.map(({ id }) => id))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toHaveLength(5)
  })
})

describe('faults', () => {
  test('a rejected write rolls back in both panels and says why', async () => {
    const window = await demo.open()
    const [first = ''] = demo.seeds()
    await window.page.locator('#faults-toggle').click()
    await window.page.getByText('0.4 s').click() // so that the optimistic title is seen
    await window.arm('reject')
    await window.panel('react').rename(first, 'refused')
    await window.shows(renamed(first, 'refused'))
    await window.shows(demo.seeds())
    for (const name of ['react', 'vue'] as const) {
      const notice = window.panel(name).row(first).getByRole('region', { name: 'Refused' })
      await expect.poll(() => notice.textContent(), WAIT).toContain('The server said no, because you asked it to.')
      expect(await notice.textContent()).toContain('Renaming to “refused” failed')
    }
    await window.says('queue', '1 failed')
    await window.says('error', /The server said no/)
    expect(await demo.board().titles()).toEqual(demo.seeds())

    await window.panel('vue').row(first).getByRole('button', { name: 'Try again' }).click()
    await window.shows(renamed(first, 'refused'))
    await window.says('queue', 'All saved')
    expect(await demo.board().titles()).toEqual(renamed(first, 'refused'))
  })

  test('a task that the server does not take is gone, with the reason in its place', async () => {
    const window = await demo.open()
    const title = 'x'.repeat(81)
    await window.panel('vue').add(title)
    const notice = window.page.locator('#react').getByRole('region', { name: 'Refused' })
    await expect.poll(() => notice.textContent(), WAIT).toContain('A title has at most 80 characters; this one has 81.')
    await window.shows(demo.seeds())
    await notice.getByRole('button', { name: 'Dismiss' }).click()
    await window.says('queue', 'All saved')
    expect(await window.page.getByRole('region', { name: 'Refused' }).count()).toBe(0)
  })

  test.each(['loseAnswer', 'loseRequest'] as const)('a write is applied once on the server with %s', async (fault) => {
    const [window, other] = [await demo.open(), await demo.open()]
    const [first = ''] = demo.seeds()
    await window.arm(fault)
    await window.panel('react').rename(first, 'once')
    await window.shows(renamed(first, 'once'))
    await expect
      .poll(() => window.page.locator('#wire').textContent(), WAIT)
      .toContain(fault === 'loseAnswer' ? 'the answer is lost' : 'the request is lost')
    await window.says('queue', 'All saved')
    await other.shows(renamed(first, 'once'))
    expect(changesOf(await demo.board().log())).toEqual([['rename', first, 'once']])
    expect((await demo.board().tasks()).map(({ version }) => version)).toEqual([2, 1, 1, 1, 1])
  })

  test('a rename that meets another rename asks which title stays', async () => {
    const window = await demo.open()
    const [first = ''] = demo.seeds()
    const theirs = `${first} · Robin was here`
    await window.arm('conflict')
    await window.panel('react').rename(first, 'mine')
    await window.says('queue', /needs you/)
    await window.shows(renamed(first, 'mine'))
    const notice = window.panel('vue').row('mine').getByRole('region', { name: 'Conflict' })
    await expect.poll(() => notice.textContent(), WAIT).toContain(theirs)
    await notice.getByRole('button', { name: 'Keep mine' }).click()
    await window.says('queue', 'All saved')
    expect(await demo.board().titles()).toEqual(renamed(first, 'mine'))

    await window.arm('conflict')
    await window.panel('vue').rename('mine', 'mine again')
    await window.panel('react').row('mine again').getByRole('button', { name: 'Take theirs' }).click()
    await window.shows(renamed(first, 'mine · Robin was here'))
    await window.says('queue', 'All saved')
    expect(await demo.board().titles()).toEqual(renamed(first, 'mine · Robin was here'))
  })

  test('a tick that meets a newer version is put on top of it', async () => {
    const window = await demo.open()
    const [first = ''] = demo.seeds()
    await window.arm('conflict')
    await window.panel('react').tick(first)
    await window.shows(renamed(first, `${first} · Robin was here`))
    await window.says('queue', 'All saved')
    const [task] = await demo.board().tasks()
    expect(task).toMatchObject({ title: `${first} · Robin was here`, done: true })
    expect(await window.page.getByRole('region', { name: 'Conflict' }).count()).toBe(0)
  })

  test('offline edits go out after reconnecting, in order', async () => {
    const [window, other] = [await demo.open(), await demo.open()]
    const [first = '', second = ''] = demo.seeds()
    await window.setOffline(true)
    await window.says('network', 'Offline')
    await window.panel('react').add('one')
    await window.panel('vue').add('two')
    await window.panel('react').rename('one', 'uno')
    await window.panel('vue').tick('two')
    await window.panel('react').rename(first, 'first')
    await window.panel('vue').remove(second)
    await window.panel('react').rename('uno', 'un')
    const expected = ['first', ...demo.seeds().slice(2), 'un', 'two']
    await window.shows(expected)
    await window.says('queue', '7 waiting')
    expect(await window.panel('react').row('un').locator('.mark').textContent()).toBe('waiting')
    expect(await demo.board().titles()).toEqual(demo.seeds())
    await window.setOffline(false)
    await other.shows(expected)
    await window.says('queue', 'All saved')
    await window.shows(expected)
    expect(await demo.board().titles()).toEqual(expected)
    expect(changesOf(await demo.board().log())).toEqual([
      ['add', 'one'],
      ['add', 'two'],
      ['rename', 'one', 'uno'],
      ['tick', 'two'],
      ['rename', first, 'first'],
      ['remove', second],
      ['rename', 'uno', 'un'],
    ])
  })
})

/** What the log says was done, in words. */
function changesOf(log: readonly LogEntry[]): string[][] {
  const titles = new Map<unknown, string>()
  const known = (id: unknown) => titles.get(id) ?? seedOf(id) ?? String(id)
  return log.flatMap(({ parts }) =>
    parts.flatMap((part) => {
      if (!('change' in part)) return []
      const { change } = part
      const { title, done } = ('value' in change ? change.value : {}) as { title?: string; done?: boolean }
      const before = change.op === 'put' ? '' : known(change.id)
      if (title !== undefined) titles.set(change.id, title)
      if (change.op === 'put') return [['add', String(title)]]
      if (change.op === 'del') return [['remove', before]]
      return [title === undefined ? [done ? 'tick' : 'change', before] : ['rename', before, title]]
    }),
  )
}

let seedTitles = new Map<unknown, string>()
beforeEach(async () => {
  seedTitles = new Map((await demo.board().tasks()).map(({ id, title }) => [id, title]))
})
function seedOf(id: unknown): string | undefined {
  return seedTitles.get(id)
}
