// docs/getting-started.md, followed to the letter from an empty folder, with React and with Vue: its commands are run, its
// files are written, what it starts is started, and a browser does what it says that a person does and sees. The package
// is the packed one, and the two ports are free ones; nothing else differs from the page.
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright'
import { chromium } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { chromiumArguments, chromiumPath } from '../chromium.ts'
import { managers } from './managers.ts'
import type { Project, Serving } from './project.ts'
import { createProject } from './project.ts'

const page = readFileSync(fileURLToPath(new URL('../../docs/getting-started.md', import.meta.url)), 'utf8')
const WAIT = { timeout: 120_000 }

/** What the page says to do, in its order. */
type Step = { readonly under: string; readonly heading: string } & (
  | { readonly kind: 'run'; readonly commands: string }
  | { readonly kind: 'write'; readonly file: string; readonly text: string }
)

function stepsOf(text: string): Step[] {
  const steps: Step[] = []
  let [under, heading] = ['', '']
  for (const found of text.matchAll(/^(#{2,3}) (.*)$|^(?:<!-- file: (\S+) -->\n)?```(\w+)\n([\s\S]*?)^```$/gm)) {
    const [, level, title = '', file, language, code = ''] = found
    if (level === '##') [under, heading] = [title, '']
    else if (level === '###') heading = title
    else if (language === 'sh') steps.push({ under, heading, kind: 'run', commands: code })
    else {
      const name = file ?? /^\/\/ ([\w.-]+)\n/.exec(code)?.[1]
      if (name !== undefined) steps.push({ under, heading, kind: 'write', file: name, text: code })
    }
  }
  return steps
}

const steps = stepsOf(page)
const headings = { React: 'With React', Vue: 'With Vue' } as const
type Framework = keyof typeof headings

let browser: Browser
const ends: (() => unknown)[] = []

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments })
})
afterAll(() => browser?.close())
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

test('the page has the steps that are followed here', () => {
  const files = steps.flatMap((step) => (step.kind === 'write' ? step.file : []))
  expect(new Set(files)).toEqual(
    new Set(
      'tsconfig.json todos.ts sync.ts app.tsx main.tsx index.html vite.config.ts todo-list.vue main.ts api.ts server.ts'.split(
        ' ',
      ),
    ),
  )
  expect(files.filter((file) => file === 'todos.ts' || file === 'sync.ts')).toHaveLength(4)
})

describe.each(Object.keys(headings) as Framework[])('getting started with %s', (framework) => {
  test('is followed from an empty folder to two windows that show each other', async () => {
    const walk = await begin(framework)
    await walk.steps(({ under }) => !under.startsWith('4.') && !under.startsWith('5.'))
    await walk.steps(({ under, heading }) => under.startsWith('4.') && heading === 'The one you have')
    const first = await open(walk.url)
    await anyApi(walk, first)
    await first.context().close()

    await walk.steps(({ under, heading }) => under.startsWith('4.') && heading === 'The kit')
    await walk.stop('node api.ts')
    await walk.steps(({ under }) => under.startsWith('5.'))
    await push(walk)
  })
})

/** What 'The one you have' says. */
async function anyApi(walk: Walk, window: Page): Promise<void> {
  const milk = window.getByRole('listitem').filter({ hasText: 'Milk' })
  const add = window.getByRole('button', { name: 'Add milk' })
  const status = (text: string) => window.getByText(text, { exact: true }).waitFor(WAIT)
  const release = await hold(window)
  await add.click(WAIT)
  await milk.waitFor(WAIT)
  await status('1 on the way')
  release()
  await status('Saved')
  await milk.getByRole('checkbox').check()
  await status('Saved')
  await window.reload()
  await expect.poll(() => milk.getByRole('checkbox').isChecked(), WAIT).toBe(true)

  await window.context().setOffline(true)
  await add.click()
  await expect.poll(() => milk.count(), WAIT).toBe(2)
  await status('1 on the way')
  expect(await walk.todos('/api/todos')).toHaveLength(1)
  await window.context().setOffline(false)
  await status('Saved')
  expect(await walk.todos('/api/todos')).toHaveLength(2)

  await window.context().setOffline(true)
  await add.click()
  await status('1 on the way')
  const asked = window.waitForEvent('dialog', WAIT)
  await window.close({ runBeforeUnload: true })
  const dialog = await asked
  expect(dialog.type()).toBe('beforeunload')
  await dialog.accept()
}

/** What 'Push' says. */
async function push(walk: Walk): Promise<void> {
  const [one, other] = [await open(walk.url), await open(walk.url)]
  const milk = (window: Page) => window.getByRole('listitem').filter({ hasText: 'Milk' })
  const shows = (window: Page, count: number) => expect.poll(() => milk(window).count(), WAIT).toBe(count)
  const saved = (window: Page) => window.getByText('Saved', { exact: true }).waitFor(WAIT)
  await one.getByRole('button', { name: 'Add milk' }).click(WAIT)
  await shows(other, 1)
  await milk(other).getByRole('checkbox').check()
  await expect.poll(() => milk(one).getByRole('checkbox').isChecked(), WAIT).toBe(true)
  await saved(one)
  await saved(other)

  await walk.stop('node server.ts')
  await one.getByRole('button', { name: 'Add milk' }).click()
  await shows(one, 2)
  await one.getByText('1 on the way', { exact: true }).waitFor(WAIT)
  await shows(other, 1)
  await walk.start('node server.ts')
  await shows(other, 2)
  await saved(one)
  expect(await walk.todos('/sync/queries/todos')).toHaveLength(2)
  expect(await one.getByRole('alert').count()).toBe(0)
}

interface Walk {
  /** Where the page is. */
  readonly url: string
  steps(which: (step: Step) => boolean): Promise<void>
  start(command: string): Promise<void>
  stop(command: string): Promise<void>
  /** What the server has. */
  todos(path: string): Promise<unknown[]>
}

/** These go on until somebody ends them. */
const isServer = (command: string): boolean => /^(node|npx vite)\b/.test(command)

async function begin(framework: Framework): Promise<Walk> {
  const project = createProject(`tutorial ${framework}`)
  rmSync(join(project.folder, 'package.json'))
  const [api, vite] = [await freePort(), await freePort()]
  const PATH = pathWithNpm(project)
  const running = new Map<string, Serving>()
  let folder = project.folder

  async function start(command: string): Promise<void> {
    const port = command === 'npx vite' ? vite : api
    const more = command === 'npx vite' ? ` --port ${port} --strictPort` : ''
    const line = `cd '${folder}' && echo begun && exec ${command}${more}`
    const serving = await project.serve('sh', ['-c', line], /begun/, { PATH })
    running.set(command, serving)
    ends.push(() => stop(command))
    await expect.poll(() => isListening(port), { ...WAIT, message: `${command} at port ${port}` }).toBe(true)
  }

  async function stop(command: string): Promise<void> {
    const serving = running.get(command)
    running.delete(command)
    await serving?.stop()
  }

  async function run(commands: string): Promise<void> {
    const real = commands.replace(/^npm install tidemark$/m, `npm install '${inject('tarball')}'`)
    const script = `cd '${folder}'\n${real}\npwd > '${project.folder}/where'`
    const { code, output } = await project.run('sh', ['-e', '-c', script], { PATH })
    if (code !== 0) throw new Error(`${commands}\nended with ${code}:\n${output}`)
    folder = readFileSync(join(project.folder, 'where'), 'utf8').trim()
  }

  return {
    url: `http://localhost:${vite}/`,
    start,
    stop,
    async steps(which) {
      const others = Object.values(headings).filter((heading) => heading !== headings[framework])
      const mine = steps.filter((step) => which(step) && !others.some((heading) => heading === step.heading))
      expect(mine.length).toBeGreaterThan(0)
      for (const step of mine) {
        if (step.kind === 'write')
          writeFileSync(join(folder, step.file), step.text.replace(/(localhost:|listen\()3000/g, `$1${api}`))
        else if (isServer(step.commands)) await start(step.commands.trim())
        else await run(step.commands)
      }
    },
    todos: async (path) => (await (await fetch(`http://localhost:${api}${path}`)).json()) as unknown[],
  }
}

/** A window of its own: nothing is shared with another but the server. */
async function open(url: string): Promise<Page> {
  const context: BrowserContext = await browser.newContext()
  ends.push(() => context.close())
  const window = await context.newPage()
  await window.goto(url, WAIT)
  await window.getByRole('button', { name: 'Add milk' }).waitFor(WAIT)
  return window
}

/** Holds back the writes of a window until the returned function is called. */
async function hold(window: Page): Promise<() => void> {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await window.route('**/api/todos', async (route) => {
    if (route.request().method() === 'POST') await held
    await route.continue()
  })
  return () => {
    release()
    void window.unrouteAll({ behavior: 'ignoreErrors' })
  }
}

/** The commands `npm` and `npx` of a machine with Node: whatever this one has, npm 12. */
function pathWithNpm(project: Project): string {
  const bin = join(project.folder, 'bin')
  mkdirSync(bin)
  const npm = join(inject('world'), 'managers', managers['npm 12'].script)
  for (const [name, script] of [
    ['npm', npm],
    ['npx', join(dirname(npm), 'npx-cli.js')],
  ] as const) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const rest = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'))
  return [bin, dirname(process.execPath), ...rest].join(delimiter)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const isListening = (port: number): Promise<boolean> =>
  fetch(`http://localhost:${port}/`).then(
    () => true,
    () => false,
  )
