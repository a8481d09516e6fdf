// @vitest-environment jsdom
// The migration is an import path: two small applications written against TanStack's packages, and the same files with
// another path, do the same things on the screen and ask the server for the same.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createRoot } from 'react-dom/client'
import { expect, test } from 'vitest'
import type { Api } from './api.ts'
import { createApi } from './api.ts'
import * as reactMigrated from './react-app.migrated.tsx'
import * as reactOriginal from './react-app.tsx'
import * as vueMigrated from './vue-app.migrated.ts'
import * as vueOriginal from './vue-app.ts'

/** Waits until nothing has changed on the page for a while. */
async function quiet(): Promise<void> {
  let last = ''
  for (let same = 0; same < 3; same++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    if (document.body.innerHTML !== last) same = 0
    last = document.body.innerHTML
  }
}

interface Use {
  /** What stood in each place after each step. */
  steps: Array<Record<string, string>>
  /** What the server was asked. */
  asked: string[]
  /** What stood in the list at some time, also between steps. Which frames there were depends on the machine. */
  listed: Set<string>
}

/** Uses the application as a person would. */
async function use(mount: (box: HTMLElement, api: Api) => () => void): Promise<Use> {
  const api = createApi()
  const box = document.body.appendChild(document.createElement('div'))
  const listed = new Set<string>()
  const watcher = new MutationObserver(() => void listed.add(`${box.querySelector('#notes')?.textContent}`))
  watcher.observe(box, { subtree: true, childList: true, characterData: true })
  const steps: Use['steps'] = []
  const step = async (): Promise<void> => {
    await quiet()
    steps.push(
      Object.fromEntries([...box.querySelectorAll('[id]')].map(({ id, textContent }) => [id, `${textContent}`])),
    )
  }
  const click = async (id: string) => {
    const button = box.querySelector<HTMLButtonElement>(`#${id}`)
    button?.focus()
    button?.click()
    await step()
  }
  const unmount = mount(box, api)
  await step()
  await click('add')
  api.refuse()
  for (const id of ['add', 'more', 'tag', 'open', 'remove']) await click(id)
  watcher.disconnect()
  unmount()
  box.remove()
  return { steps, asked: api.asked, listed }
}

/** The same steps and requests; and both showed the second note before it was refused. */
function expectSame(ours: Use, theirs: Use): void {
  expect(ours.steps).toEqual(theirs.steps)
  expect(ours.asked).toEqual(theirs.asked)
  expect(ours.steps.map(({ notes }) => notes)).toEqual(['A,B', 'A,B,New', 'A,B,New', 'A,B,New', 'A', 'A', 'B'])
  expect(ours.steps.at(2)?.['adding']).toBe('error New refused false')
  for (const { listed } of [ours, theirs]) expect([...listed]).toContain('A,B,New,New')
}

const file = (name: string) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8')

test.each([
  ['react-app.tsx', '@tanstack/react-query', 'tidemark/react'],
  ['vue-app.ts', '@tanstack/vue-query', 'tidemark/vue'],
])('the migrated %s differs by its import path only', (name, from, to) => {
  const migrated = name.replace('-app.', '-app.migrated.')
  expect(file(migrated)).toBe(file(name).replaceAll(`'${from}'`, `'${to}'`))
})

test('an application written for React Query does the same with tidemark/react', async () => {
  const run = ({ App, createClient }: typeof reactOriginal) =>
    use((box, api) => {
      const root = createRoot(box)
      root.render(<App api={api} client={createClient()} />)
      return () => root.unmount()
    })
  const theirs = await run(reactOriginal)
  const ours = await run(reactMigrated)
  expectSame(ours, theirs)
})

test('an application written for Vue Query does the same with tidemark/vue', async () => {
  const run = ({ createNotesApp, createClient }: typeof vueOriginal | typeof vueMigrated) =>
    use((box, api) => {
      const app = createNotesApp(api, createClient())
      app.mount(box)
      return () => app.unmount()
    })
  const theirs = await run(vueOriginal)
  const ours = await run(vueMigrated)
  expectSame(ours, theirs)
})
