// Drives the demo: its server as a process of its own (so that it can be killed), its page in Chromium.
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright'
import { chromium } from 'playwright'
import type { LogEntry } from 'tidemark/server'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { Task } from '../../examples/board/task.ts'
import { chromiumArguments, chromiumPath } from '../chromium.ts'

const START = fileURLToPath(new URL('../../examples/board/start.ts', import.meta.url))
const WAIT = 30_000

export type PanelName = 'react' | 'vue'

/** A server of the demo with a database of its own. */
export interface Board {
  readonly url: string
  /** What it has printed. */
  output(): string
  tasks(): Promise<Task[]>
  titles(): Promise<string[]>
  /** The change log, without what the seed wrote. */
  log(): Promise<LogEntry[]>
  /** SIGKILL: no goodbye, nothing is flushed. */
  kill(): Promise<void>
  /** Starts again, on the same port and the same database. */
  restart(): Promise<void>
  /** Ctrl-C. Resolves with the exit code. */
  interrupt(): Promise<number | null>
  /** Kills it and deletes its database. */
  dispose(): Promise<void>
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath, args: chromiumArguments })
}

/** Runs the demo's start file; resolves when it listens, or when it has ended. */
export async function startProcess(environment: Record<string, string>) {
  const child = spawn(process.execPath, [START], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  const port = await new Promise<number>((resolve) => {
    const read = (chunk: Buffer) => {
      output += String(chunk)
      const found = /http:\/\/localhost:(\d+)/.exec(output)
      if (found && /Ctrl-C/.test(output)) resolve(Number(found[1]))
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then(() => resolve(0))
  })
  return { child, port, ended, output: () => output }
}

export async function startBoard(): Promise<Board> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-board-'))
  const DATA_FILE = join(folder, 'board.db')
  let run = await startProcess({ PORT: '0', DATA_FILE })
  const { port } = run
  if (port === 0) throw new Error(`The board did not start: ${run.output()}`)
  const url = `http://localhost:${port}`
  const get = async <T>(path: string) => (await (await fetch(url + path)).json()) as T
  const signal = async (name: NodeJS.Signals) => {
    if (isRunning(run.child)) run.child.kill(name)
    return run.ended
  }
  const tasks = async () => sorted(await get<Task[]>('/api/queries/tasks'))
  return {
    url,
    output: () => run.output(),
    tasks,
    titles: async () => (await tasks()).map(({ title }) => title),
    log: async () => (await get<LogEntry[]>('/api/demo/log')).slice(1),
    kill: async () => void (await signal('SIGKILL')),
    async restart() {
      run = await startProcess({ PORT: String(port), DATA_FILE })
      if (run.port === 0) throw new Error(`The board did not start again: ${run.output()}`)
    },
    interrupt: () => signal('SIGINT'),
    async dispose() {
      await signal('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A window of the demo. */
export interface Window {
  readonly page: Page
  /** What the page complained of, without the browser's own notes of requests that failed. */
  readonly complaints: string[]
  panel(name: PanelName): Panel
  /** Waits until both panels show these tasks, in this order. */
  shows(titles: readonly string[]): Promise<void>
  /** Waits until a cell of the bar says so. */
  says(cell: 'network' | 'stream' | 'queue' | 'error', text: string | RegExp): Promise<void>
  /** Arms a fault of the next write. */
  arm(fault: 'loseRequest' | 'loseAnswer' | 'reject' | 'conflict'): Promise<void>
  setOffline(isOffline: boolean): Promise<void>
}

export interface Panel {
  /** Chooses what both panels show, or in which order. */
  choose(text: 'All' | 'Open' | 'Done' | 'By hand' | 'By title'): Promise<void>
  add(title: string): Promise<void>
  rename(title: string, to: string): Promise<void>
  tick(title: string): Promise<void>
  move(title: string, direction: 'up' | 'down'): Promise<void>
  remove(title: string): Promise<void>
  row(title: string): ReturnType<Page['locator']>
}

export async function openWindow(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Window> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(WAIT)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error.stack)))
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return
    if (!/^Failed to load resource/.test(message.text())) complaints.push(message.text())
  })
  await page.goto(url)
  const window: Window = {
    page,
    complaints,
    panel: (name) => panelOf(page, name),
    async shows(titles) {
      await expect.poll(() => shown(page), { timeout: WAIT, interval: 25 }).toEqual({ react: titles, vue: titles })
    },
    async says(cell, text) {
      const said = page.locator(`#status-${cell} dd`)
      const matcher = expect.poll(() => said.textContent(), { timeout: WAIT, interval: 25 })
      await (typeof text === 'string' ? matcher.toBe(text) : matcher.toMatch(text))
    },
    async arm(fault) {
      await openDrawer(page)
      await page.locator(`[data-fault="${fault}"]`).click()
    },
    async setOffline(isOffline) {
      await openDrawer(page)
      await page.locator('#fault-offline').setChecked(isOffline)
    },
  }
  await window.says('stream', /^Live/)
  return window
}

/** For the tests of a file: each has a server of its own, and its windows may complain of nothing. */
export function boardForEach() {
  let browser: Browser
  let board: Board
  let seeds: string[] = []
  let windows: Window[] = []
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    windows = []
    board = await startBoard()
    seeds = await board.titles()
  })
  afterEach(async () => {
    const complaints = windows.flatMap((window) => window.complaints)
    await Promise.all(browser.contexts().map((context) => context.close()))
    await board.dispose()
    expect(complaints).toEqual([])
  })
  return {
    board: () => board,
    /** The title of a task that was there from the start. */
    seed: (index: number) => seeds[index] ?? '',
    seeds: () => seeds,
    async open(options?: BrowserContextOptions): Promise<Window> {
      const window = await openWindow(browser, board.url, options)
      windows.push(window)
      await window.shows(await board.titles())
      return window
    },
  }
}

function panelOf(page: Page, name: PanelName): Panel {
  const panel = page.locator(`#${name}`)
  const row = (title: string) => panel.locator('.row', { has: page.locator('.title', { hasText: exactly(title) }) })
  return {
    row,
    choose: (text) => panel.locator('.choose').getByText(text, { exact: true }).click(),
    async add(title) {
      await panel.getByLabel('New task').fill(title)
      await panel.getByRole('button', { name: 'Add' }).click()
    },
    async rename(title, to) {
      await row(title).locator('.title').click()
      await panel.locator('.edit').fill(to)
      await panel.locator('.edit').press('Enter')
    },
    tick: (title) => row(title).locator('.check').click(),
    move: (title, direction) => row(title).locator(`.${direction}`).click(),
    remove: (title) => row(title).locator('.danger').click(),
  }
}

async function openDrawer(page: Page): Promise<void> {
  const toggle = page.locator('#faults-toggle')
  if ((await toggle.getAttribute('aria-expanded')) === 'false') await toggle.click()
}

function shown(page: Page): Promise<Record<PanelName, string[]>> {
  return page.evaluate(() => {
    const titles = (name: string) =>
      [...document.querySelectorAll(`#${name} .title`)].map((title) => title.textContent ?? '')
    return { react: titles('react'), vue: titles('vue') }
  })
}

function sorted(tasks: Task[]): Task[] {
  const name = ({ rank, id }: Task) => `${rank} ${id}`
  return tasks.sort((a, b) => (name(a) < name(b) ? -1 : 1))
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}
