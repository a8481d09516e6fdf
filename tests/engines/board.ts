// The demo in an engine: its server as a process of its own, its page in a window of this engine.
import type { LogEntry } from 'tidemark/server'
import { expect } from 'vitest'
import type { Board, PanelName } from '../e2e/board.ts'
import type { Engine, Tab } from './engine.ts'

/** A window of the demo. */
export interface Window {
  readonly tab: Tab
  add(panel: PanelName, title: string): Promise<void>
  rename(panel: PanelName, title: string, to: string): Promise<void>
  /** Presses something of the row: its check box, an arrow, its delete button, a button of its notice. */
  press(panel: PanelName, title: string, what: '.check' | '.up' | '.down' | '.danger' | Notice): Promise<void>
  /** Arms a fault of the next write. */
  arm(fault: 'loseRequest' | 'loseAnswer' | 'reject' | 'conflict'): Promise<void>
  setOffline(isOffline: boolean): Promise<void>
  cutStream(): Promise<void>
  /** Waits until both panels show these tasks, in this order. */
  shows(titles: readonly string[]): Promise<void>
  /** Waits until a cell of the bar says so. */
  says(cell: 'network' | 'stream' | 'queue' | 'error', text: string | RegExp): Promise<void>
  /** The notice at a row, as text. */
  notice(panel: PanelName, title: string): Promise<string>
  complaints(): Promise<string[]>
}

type Notice = 'Try again' | 'Dismiss' | 'Keep mine' | 'Take theirs'

export async function openWindow(engine: Engine, board: Board): Promise<Window> {
  const tab = await engine.open(board.url)
  await tab.evaluate(() => {
    const complaints: string[] = []
    Object.assign(globalThis, { complaints })
    for (const level of ['warn', 'error'] as const) console[level] = (...said) => void complaints.push(said.join(' '))
    addEventListener('error', ({ message }) => complaints.push(message))
    addEventListener('unhandledrejection', ({ reason }) => complaints.push(String(reason)))
  })
  const window = windowOf(tab)
  await window.says('stream', /^Live/)
  await window.shows(await board.titles())
  return window
}

function windowOf(tab: Tab): Window {
  /** Marks what a test is about to press, so that one selector finds it in every engine. */
  const mark = (panel: PanelName, title: string, what: string) =>
    expect
      .poll(() =>
        tab.evaluate(
          ([panel, title, what]) => {
            document.querySelector('[data-marked]')?.removeAttribute('data-marked')
            const rows = [...document.querySelectorAll(`#${panel} .row`)]
            const row = rows.find((row) => row.querySelector('.title')?.textContent === title)
            const buttons = [...(row?.querySelectorAll('button') ?? [])]
            const found = what.startsWith('.')
              ? row?.querySelector(what)
              : buttons.find((button) => button.textContent?.trim() === what)
            found?.setAttribute('data-marked', '')
            found?.scrollIntoView({ block: 'center', behavior: 'instant' })
            return found !== undefined && found !== null
          },
          [panel, title, what] as const,
        ),
      )
      .toBe(true)
  const press = async (panel: PanelName, title: string, what: string): Promise<void> => {
    await mark(panel, title, what)
    await tab.click('[data-marked]')
  }
  const openDrawer = async (): Promise<void> => {
    if (await tab.evaluate(() => document.querySelector<HTMLElement>('#faults')?.hidden))
      await tab.click('#faults-toggle')
  }
  /** Puts the text in the field in place of what stands there. */
  const fill = async (selector: string, text: string): Promise<void> => {
    await tab.click(selector)
    await tab.evaluate((field) => document.querySelector<HTMLInputElement>(field)?.select(), selector)
    await tab.type(text)
    await tab.press('Enter')
  }
  return {
    tab,
    press,
    add: (panel, title) => fill(`#${panel} input[type="text"], #${panel} input:not([type])`, title),
    async rename(panel, title, to) {
      await press(panel, title, '.title')
      await fill(`#${panel} .edit`, to)
    },
    async arm(fault) {
      await openDrawer()
      await tab.click(`[data-fault="${fault}"]`)
    },
    async setOffline(isOffline) {
      await openDrawer()
      const isSet = await tab.evaluate(() => document.querySelector<HTMLInputElement>('#fault-offline')?.checked)
      if (isSet !== isOffline) await tab.click('#fault-offline')
    },
    async cutStream() {
      await openDrawer()
      await tab.click('#cut-stream')
    },
    async shows(titles) {
      await expect.poll(() => shown(tab)).toEqual({ react: titles, vue: titles })
    },
    async says(cell, text) {
      const said = () => tab.evaluate((name) => document.querySelector(`#status-${name} dd`)?.textContent ?? '', cell)
      const matcher = expect.poll(said)
      await (typeof text === 'string' ? matcher.toBe(text) : matcher.toMatch(text))
    },
    notice: (panel, title) =>
      tab.evaluate(
        ([panel, title]) => {
          const rows = [...document.querySelectorAll(`#${panel} .row`)]
          const row = rows.find((row) => row.querySelector('.title')?.textContent === title)
          return row?.querySelector('.notice')?.textContent ?? ''
        },
        [panel, title] as const,
      ),
    complaints: () => tab.evaluate(() => (globalThis as unknown as { complaints: string[] }).complaints),
  }
}

function shown(tab: Tab): Promise<Record<PanelName, string[]>> {
  return tab.evaluate(() => {
    const titles = (name: string) =>
      [...document.querySelectorAll(`#${name} .title`)].map((title) => title.textContent ?? '')
    return { react: titles('react'), vue: titles('vue') }
  })
}

/** The ids of the writes that the server has applied, in order. */
export function writesOf(log: readonly LogEntry[]): string[] {
  return log.flatMap(({ mutations }) => mutations.map(({ id }) => id))
}
