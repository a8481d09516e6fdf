// A write whose answer is lost, cut or replaced on its way: applied once, shown all the time, refused never.
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, inject, test } from 'vitest'
import { FAULTS } from './faults.ts'
import type { Seen } from './notes.ts'
import { scenario } from './scenario.ts'

const { ended, retry, seen, site, start, tab, write } = scenario()

const TEXT = 'Café, 5 €, 😀 '.repeat(20)
const TRANSPORTS = ['context', 'own'] as const
const SENT_AGAIN = ['queued 0', 'sending 1', 'uncertain 1 (network)', 'sending 2']

/** What the outbox said until the server had said yes. */
const untilConfirmed = ({ steps }: Seen) => steps.filter((step) => !step.startsWith('confirmed'))

/** On the server once, on the page once, and there all the time; sent under one key, however often. */
async function expectOnce(id: string): Promise<void> {
  const note = { id, text: TEXT, times: 1 }
  expect((await site().notes()).filter((each) => each.id === id)).toEqual([note])
  await expect.poll(async () => (await seen()).base.filter((each) => each.id === id)).toEqual([note])
  const { flickers, view } = await seen()
  expect(view.filter((each) => each.id === id)).toEqual([note])
  expect(flickers).toBe(0)
  expect(new Set(site().wire.keys).size).toBe(1)
}

describe.each(TRANSPORTS)('over the fetch of the %s', (transport) => {
  test.each([...FAULTS.keys()])('a write is sent again and happens once: %s', async (name) => {
    site().wire.faults = [name]
    await start({ transport, speed: 10, timeout: 15_000 })
    const id = await write(TEXT)
    const last = await ended()
    expect(last.confirmed).toBe('confirmed')
    expect(last.reports).toEqual([])
    await expectOnce(id)
    const fault = FAULTS.get(name)
    const again = fault?.isSilent ? SENT_AGAIN.map((step) => step.replace('network', 'timeout')) : SENT_AGAIN
    // Firefox sends a POST again by itself when the connection ends before the head: the key is the same.
    const isEnginesOwn = fault?.isHeadless === true && site().wire.keys.length === 2
    // All of the JSON came; WebKit and Firefox do not miss the last chunk.
    const isWhole = fault?.isWhole === true && site().wire.keys.length === 1
    expect(untilConfirmed(last)).toEqual(
      (isEnginesOwn && last.steps.length < 4) || isWhole ? SENT_AGAIN.slice(0, 2) : again,
    )
  })

  const LOST = [...FAULTS.keys()].filter((name) => FAULTS.get(name)?.isHeadless)

  test.each(LOST)('no answer is no failure of the server, however often: %s', async (name) => {
    site().wire.faults = [name, name, name, name]
    await start({ transport, speed: 40, retry: 0 })
    const id = await write(TEXT)
    expect((await ended()).confirmed).toBe('confirmed')
    expect(site().wire.faults).toEqual([])
    await expectOnce(id)
  })

  test.each([
    ['a port where nobody listens', 'http://127.0.0.1:9'],
    ['a name that nobody has', 'http://nobody.invalid'],
  ])('a connection that is not made is no failure of the server: %s', async (_, url) => {
    await start({ transport, speed: 10, retry: 0, urls: [url, url, ''] })
    const id = await write(TEXT)
    const last = await ended()
    expect(last.confirmed).toBe('confirmed')
    expect(untilConfirmed(last)).toEqual([...SENT_AGAIN, 'uncertain 2 (network)', 'sending 3'])
    await expectOnce(id)
  })

  test('a network that lets nobody through is waited for, and nobody is told that the server refused', async () => {
    const pages = ['the page of a captive portal', '302 to a page to log in']
    site().wire.faults = Array.from({ length: transport === 'context' ? 12 : 6 }, (_, i) => pages[i % 2] ?? '')
    await start({ transport, speed: 200 })
    const id = await write(TEXT)
    const last = await ended()
    expect(last.confirmed).toBe('confirmed')
    expect(last.steps.filter((step) => /^(failed|blocked)/.test(step))).toEqual([])
    await expectOnce(id)
  })
})

test.each(['cut in the body', 'cut between two chunks'].flatMap((name) => [`${name}, closed`, `${name}, reset`]))(
  'a write whose answer is never whole is confirmed without a result: %s',
  async (name) => {
    site().wire.faults = [name, name, name, name]
    await start({ transport: 'context', speed: 10, retry: 2 })
    const id = await write(TEXT)
    const last = await ended()
    expect(last.confirmed).toBe('confirmed without a result')
    expect(site().wire.keys).toHaveLength(3)
    expect(last.reports).toEqual([expect.stringMatching(/^protocol: The server accepted mutation/)])
    await expectOnce(id)
  },
)

test('a write that was given up and is sent again by hand happens once', async () => {
  site().wire.faults = ['JSON that ends too early, of the right length']
  await start({ transport: 'own', speed: 10, retry: 0 })
  const id = await write(TEXT)
  expect((await ended()).confirmed).toMatch(/^rejected/)
  await expect.poll(async () => (await seen()).steps.at(-1)).toMatch(/^failed 1/)
  await retry()
  expect((await ended()).confirmed).toBe('confirmed')
  expect((await site().notes()).filter((note) => note.id === id)).toEqual([{ id, text: TEXT, times: 1 }])
  expect(new Set(site().wire.keys).size).toBe(1)
})

/** Not what looks complete: with its ETag it may stand in the browser's cache, and is then the server's answer. */
const CUTS = [...FAULTS].filter(([, fault]) => fault.isApplied && !fault.isSilent && !fault.isComplete)

test('a read whose answer is cut shows nothing of it, and is asked for again', async () => {
  const wrong: string[] = []
  for (const [name, fault] of CUTS) {
    await site().write('read', name) // another answer each time: no engine has it in its cache
    site().wire.reset()
    site().wire.readFaults = [name]
    await start({ transport: 'context', speed: 10 })
    const notes = await site().notes()
    if (!isDeepStrictEqual((await seen()).view, notes)) wrong.push(name)
    const isAgain = site().wire.reads === 2 || fault.isWhole === true
    if (!isAgain) wrong.push(`${name}: asked ${site().wire.reads} times`)
  }
  expect(wrong).toEqual([])
})

// WebDriver has no word for it, so WebKit cannot be told.
if (inject('engine') !== 'webkit')
  test('a device without a network keeps its writes until it has one', async () => {
    for (const ignoresHint of [false, true]) {
      site().wire.reset()
      await start({ transport: 'own', speed: 10, retry: 0, ignoresHint })
      await tab().setOffline(true)
      const id = await write(TEXT)
      const step = ignoresHint ? /^uncertain/ : /^queued/
      await expect.poll(async () => (await seen()).steps.at(-1)).toMatch(step)
      if (!ignoresHint) await expect.poll(async () => (await seen()).network).toBe('offline')
      expect(site().wire.keys).toEqual([])
      await tab().setOffline(false)
      expect((await ended()).confirmed).toBe('confirmed')
      await expectOnce(id)
    }
  })
