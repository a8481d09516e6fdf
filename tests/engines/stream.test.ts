// The stream in each engine: news arrive, a cut in the middle of an event loses and doubles nothing, a goodbye is followed,
// and a page that comes back is in step.
import { beforeAll, expect, inject, test } from 'vitest'
import { scenario } from './scenario.ts'

const { seen, site, start, tab } = scenario()

const LIVE = { transport: 'context', speed: 1, stream: true } as const

// The rows that change are there from the start: where a new one stands in a list, only a read can say.
const NOTES = ['first', 'second', 'third'] as const
beforeAll(async () => {
  for (const id of NOTES) await site().write(id, 'as it was')
})

const texts = async () => (await seen()).view.map(({ text }) => text).sort()
const onServer = async () => (await site().notes()).map(({ text }) => text).sort()
const isOpen = () => expect.poll(async () => (await seen()).stream).toBe('open')

let reads = 0

/**
 * The first news is on the page. Events wait for what a page reads at its start, so it has read that; from here on
 * everything is pushed.
 */
async function expectBegun(): Promise<void> {
  await expect.poll(texts).toEqual(await onServer())
  reads = site().wire.reads
}

/** Everything that the server has is on the page, once, and nobody read the list again. */
async function expectInStep(): Promise<void> {
  await expect.poll(texts).toEqual(await onServer())
  expect(site().wire.reads).toBe(reads)
}

test('what others write arrives as it happens', async () => {
  await start(LIVE)
  await isOpen()
  await site().write('first', 'at the start')
  await expectBegun()
  for (const id of NOTES) await site().write(id, `${id}, é€😀`)
  await expectInStep()
  expect(site().wire.resumed).toEqual([undefined])
})

test('an event that is cut in its middle comes once, after the stream went on from before it', async () => {
  await start(LIVE)
  await isOpen()
  await site().write('first', 'before the cut')
  await expectBegun()
  site().wire.cutsNextEvent = true
  await site().write('second', 'cut in its middle')
  await site().write('third', 'written meanwhile')
  await expectInStep()
  await isOpen()
  expect(site().wire.cutsNextEvent).toBe(false)
  const [first, second] = site().wire.resumed
  expect(first).toBeUndefined()
  expect(second).toMatch(/:\d+$/)
  await site().write('first', 'after the cut')
  await expectInStep()
})

test('a reset, and streams that end before their head, are come back from', async () => {
  await start(LIVE)
  await isOpen()
  await site().write('first', 'before the reset')
  await expectBegun()
  site().wire.deadStreams = 2
  for (const stream of site().wire.streams) stream.reset()
  await expect.poll(async () => (await seen()).states).toContain('waiting')
  await site().write('second', 'while nobody listened')
  await expectInStep()
  await isOpen()
  expect(site().wire.deadStreams).toBe(0)
  expect((await seen()).reports).toEqual([])
})

test('a goodbye is followed, and the next server goes on where the last one was', async () => {
  await start(LIVE)
  await isOpen()
  await site().write('first', 'before the goodbye')
  await expectBegun()
  await site().restart()
  await site().write('second', 'after the goodbye')
  await expectInStep()
  await isOpen()
  expect(site().wire.resumed).toHaveLength(2)
  expect(site().wire.resumed[1]).toMatch(/:\d+$/)
})

test('a page that somebody left and came back to is in step', async () => {
  await tab().goto(site().url)
  await start(LIVE)
  await isOpen()
  await tab().goto(`${site().url}/elsewhere`)
  await site().write('first', 'while it was away')
  await tab().back()
  const { isRestored } = await seen()
  expect(isRestored).toBe(KEEPS_PAGES[inject('engine')])
  if (!isRestored) await start(LIVE)
  await expect.poll(texts).toEqual(await onServer())
  await isOpen()
  await site().write('second', 'after it came back')
  await expect.poll(texts).toEqual(await onServer())
})

/** Whether the engine keeps a page with an open stream for the way back: `docs/runs-where.md` says so. */
const KEEPS_PAGES = { chromium: true, firefox: false, webkit: true }
