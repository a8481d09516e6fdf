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

/** Uses the application as a person would; every text that was on the screen, place by place, and what was asked. */
async function use(mount: (box: HTMLElement, api: Api) => () => void): Promise<{ shown: object; asked: string[] }> {
  const api = createApi()
  const box = document.body.appendChild(document.createElement('div'))
  const shown: Record<string, string[]> = {}
  const note = () => {
    for (const place of box.querySelectorAll('[id]')) {
      const seen = (shown[place.id] ??= [])
      if (place.textContent !== seen.at(-1)) seen.push(place.textContent)
    }
  }
  const watcher = new MutationObserver(note)
  watcher.observe(box, { subtree: true, childList: true, characterData: true })
  const unmount = mount(box, api)
  const click = async (id: string, before: 'focusin' | undefined = undefined) => {
    const button = box.querySelector<HTMLButtonElement>(`#${id}`)
    if (before !== undefined) button?.focus()
    button?.click()
    await quiet()
  }
  await quiet()
  await click('add')
  api.refuse()
  await click('add')
  await click('more')
  await click('tag')
  await click('open', 'focusin')
  await click('remove')
  watcher.disconnect()
  note()
  unmount()
  box.remove()
  return { shown, asked: api.asked }
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
  expect(ours).toEqual(theirs)
  expect(ours.shown).toMatchObject({ notes: expect.arrayContaining(['A,B,New', 'A,B,New,New']) })
  expect(ours.shown).toMatchObject({ adding: expect.arrayContaining(['error New refused false']) })
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
  expect(ours).toEqual(theirs)
  expect(ours.shown).toMatchObject({ notes: expect.arrayContaining(['A,B,New', 'A,B,New,New']) })
  expect(ours.shown).toMatchObject({ adding: expect.arrayContaining(['error New refused false']) })
})
