// WebKitGTK: its small browser on a virtual screen, by plain WebDriver. https://www.w3.org/TR/webdriver2/
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import type { Readable } from 'node:stream'
import { PATIENCE } from '../kit/patience.ts'
import type { Engine, Key, Tab } from './engine.ts'
import { findMiniBrowser, WEBKIT_DRIVER, XVFB } from './needs.ts'

/** How WebDriver names an element that it hands out. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'

const KEYS: Record<Key, string> = { Enter: '\uE007', Escape: '\uE00C', ArrowUp: '\uE013', ArrowDown: '\uE015' }

export async function launchWebkit(): Promise<Engine> {
  const screen = await startScreen()
  const driver = await startDriver(screen.display)
  const stop = async (): Promise<void> => {
    await Promise.all([ended(driver.process), ended(screen.process)])
  }
  try {
    return await createSession(driver.url, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

/** A screen that nobody sees, with a number that is free. */
async function startScreen(): Promise<{ process: ChildProcess; display: string }> {
  const options = ['-displayfd', '3', '-screen', '0', '1280x1000x24', '-nolisten', 'tcp']
  const process = spawn(XVFB, options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const [number] = await once(process.stdio[3] as Readable, 'data')
  return { process, display: `:${String(number).trim()}` }
}

async function startDriver(display: string): Promise<{ process: ChildProcess; url: string }> {
  const port = await freePort()
  const env = { ...process.env, DISPLAY: display, WEBKIT_DISABLE_COMPOSITING_MODE: '1', NO_AT_BRIDGE: '1' }
  const driver = spawn(WEBKIT_DRIVER, [`--port=${port}`], { env, stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  // It says nowhere that it listens.
  for (let left = 200; ; left--) {
    const isReady = await fetch(`${url}/status`).then(
      () => true,
      () => false,
    )
    if (isReady) return { process: driver, url }
    if (left === 0 || driver.exitCode !== null) throw new Error('WebKitWebDriver does not listen.')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

interface Session {
  /** Sends a command to this window. One after another: a session has one window that commands go to. */
  command<T>(handle: string, method: string, path: string, body?: object): Promise<T>
}

async function createSession(url: string, stop: () => Promise<void>): Promise<Engine> {
  const binary = findMiniBrowser()
  const browserOptions = { binary, args: ['--automation'] }
  const alwaysMatch = { browserName: 'MiniBrowser', 'webkitgtk:browserOptions': browserOptions }
  const made = await call<Created>(`${url}/session`, 'POST', { capabilities: { alwaysMatch } })
  const root = `${url}/session/${made.sessionId}`
  const timeouts = { script: PATIENCE.timeout, pageLoad: PATIENCE.timeout, implicit: 0 }
  await call(`${root}/timeouts`, 'POST', timeouts)
  let before: Promise<unknown> = Promise.resolve()
  let current = await call<string>(`${root}/window`, 'GET')
  let first: string | undefined = current
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const result = before.then(run)
    before = result.catch(() => {})
    return result
  }
  const session: Session = {
    command: (handle, method, path, body) =>
      inTurn(async () => {
        if (handle !== current) await call(`${root}/window`, 'POST', { handle })
        current = handle
        return call(`${root}${path}`, method, body)
      }),
  }
  return {
    name: 'webkit',
    version: `WebKitGTK/${made.capabilities.browserVersion}`,
    async open(page) {
      // The window that the session began with is the first; it is kept, for a session ends with its last window.
      const handle =
        first ?? (await inTurn(() => call<{ handle: string }>(`${root}/window/new`, 'POST', { type: 'window' }))).handle
      const isFirst = first !== undefined
      if (isFirst) first = undefined
      await session.command(handle, 'POST', '/window/rect', { width: 1200, height: 900 })
      await session.command(handle, 'POST', '/url', { url: page })
      return tabOf(session, handle, async () => {
        if (!isFirst) return await session.command(handle, 'DELETE', '/window')
        await session.command(handle, 'POST', '/url', { url: 'about:blank' })
        first = handle
      })
    },
    async close() {
      await call(root, 'DELETE').catch(() => {})
      await stop()
    },
  }
}

interface Created {
  readonly sessionId: string
  readonly capabilities: { readonly browserVersion: string }
}

function tabOf({ command }: Session, handle: string, close: () => Promise<void>): Tab {
  const post = <T>(path: string, body: object) => command<T>(handle, 'POST', path, body)
  const evaluate = async <R, A>(run: (argument: A) => R | Promise<R>, argument?: A): Promise<R> => {
    const script = `
      const done = arguments[arguments.length - 1]
      Promise.resolve().then(() => (${run})(arguments[0]))
        .then((value) => done({ value }), (error) => done({ error: String(error) }))`
    const result = await post<{ value?: R; error?: string }>('/execute/async', { script, args: [argument ?? null] })
    if (result.error !== undefined) throw new Error(result.error)
    return result.value as R
  }
  const find = async (using: string, value: string): Promise<string> => {
    const found = await post<Record<string, string>>('/element', { using, value })
    return found[ELEMENT] ?? ''
  }
  const type = async (text: string): Promise<void> => {
    const active = (await command<Record<string, string>>(handle, 'GET', '/element/active'))[ELEMENT]
    await post(`/element/${active}/value`, { text })
  }
  return {
    evaluate,
    goto: async (url) => await post('/url', { url }),
    back: async () => await post('/back', {}),
    async click(selector) {
      for (let left = 100; ; left--) {
        try {
          return await post(`/element/${await find('css selector', selector)}/click`, {})
        } catch (error) {
          // Not there yet, or replaced between the two commands.
          if (left === 0 || !/no such element|stale element|not interactable/.test(String(error))) throw error
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
    },
    type,
    press: (key) => type(KEYS[key]),
    setOffline: () => Promise.reject(new Error('WebDriver has no command for a device without a network.')),
    close,
  }
}

async function call<T>(url: string, method: string, body?: object): Promise<T> {
  const response = await fetch(url, { method, body: body === undefined ? null : JSON.stringify(body) })
  const { value } = (await response.json()) as { value: T & { error?: string; message?: string } }
  if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`)
  return value
}
