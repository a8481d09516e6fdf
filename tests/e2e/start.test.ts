// `npm start` as a visitor meets it: it says where it is, says when it cannot be there, and leaves nothing behind.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium, openWindow, startBoard, startProcess } from './board.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser?.close())

test('Ctrl-C ends the streams, closes the database and exits with 0', async () => {
  const board = await startBoard()
  try {
    const window = await openWindow(browser, board.url)
    expect(await board.interrupt()).toBe(0)
    await window.says('stream', /^Trying again/)
    await window.panel('react').add('while it was away')
    await board.restart()
    await window.says('stream', /^Live/)
    await window.says('queue', 'All saved')
    expect(await board.titles()).toContain('while it was away')
    expect(window.complaints).toEqual([])
  } finally {
    await board.dispose()
  }
})

test('a port that is taken is named, with what to do', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve))
  const { port } = other.address() as AddressInfo
  const run = await startProcess({ PORT: String(port) })
  expect(await run.ended).toBe(1)
  expect(run.output().trim()).toBe(`Port ${port} is taken. Choose another one: PORT=${port + 1} npm start`)
  other.close()
})

test('something that is no port is refused', async () => {
  const run = await startProcess({ PORT: 'http' })
  expect(await run.ended).toBe(1)
  expect(run.output().trim()).toBe('PORT is no port: "http".')
})
