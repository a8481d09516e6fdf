import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { basename, dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, test } from 'vitest'
import { entries, namesOf } from '../public-names.ts'
import { specifiersOf } from '../syntax.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const full = inject('full')
const installed = join(full, 'node_modules/tidemark')
const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))

/** The file an entry leads to: `tidemark/mocks/node` → `dist/mocks/node.js`. */
function fileOf(specifier: string): string {
  return normalize(manifest.exports[specifier.replace(/^tidemark/, '.')].default)
}

/** What a built file imports, through every chunk: packages by name, and the files themselves. */
function graphOf(file: string): { packages: string[]; files: string[] } {
  const packages = new Set<string>()
  const files = new Set<string>()
  const walk = (path: string): void => {
    if (files.has(path)) return
    files.add(path)
    for (const specifier of specifiersOf(join(installed, path))) {
      if (specifier.startsWith('.')) walk(join(dirname(path), specifier))
      else packages.add(specifier)
    }
  }
  walk(file)
  return { packages: [...packages].sort(), files: [...files] }
}

/** The package of a specifier: `zustand/vanilla` → `zustand`. */
const nameOf = (specifier: string): string => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier

/** Whether a link of README leads somewhere where it is read: on npm, there is only what was packed. */
function leads(link: string, address: string): boolean {
  if (link.startsWith('#') || /^https:\/\/(?!github\.com\/tidemark\/)/.test(link)) return true
  const path = link.startsWith(`${address}/blob/main/`) ? link.slice(`${address}/blob/main/`.length) : undefined
  const folder = path === undefined ? installed : root
  return existsSync(join(folder, (path ?? link).replace(/#.*/, '')))
}

/** The line of the source that the built line with this text was made of, by the map beside it. */
function originOf(entry: string, text: string): string | undefined {
  const name = text.replace('export ', '')
  for (const file of graphOf(fileOf(entry)).files) {
    const lines = readFileSync(join(installed, file), 'utf8').split('\n')
    const line = lines.findIndex((each) => each.startsWith(`${name}(`))
    if (line === -1) continue
    const payload = JSON.parse(readFileSync(join(installed, `${file}.map`), 'utf8'))
    const origin = new SourceMap(payload).findEntry(line, 0)
    const at = payload.sources.indexOf('originalSource' in origin ? origin.originalSource : '')
    return payload.sourcesContent[at]?.split('\n')['originalLine' in origin ? origin.originalLine : 0]
  }
  return undefined
}

/** Runs a module in Node, in a folder where the package is installed; its standard output is JSON. */
function run(folder: string, code: string): unknown {
  return JSON.parse(execFileSync('node', ['--input-type=module', '-e', code], { cwd: folder, encoding: 'utf8' }))
}

/** The same where `"use client"` counts, as in a server component: names from such files are references. */
function runOnServer(code: string): unknown {
  const references = fileURLToPath(new URL('./client-references.mjs', import.meta.url))
  const flags = ['--conditions', 'react-server', '--import', references, '--input-type=module', '-e', code]
  return JSON.parse(execFileSync('node', flags, { cwd: full, encoding: 'utf8' }))
}

test('the server kit loads where Node has no node:sqlite, and only sqliteStore says so', () => {
  const code = `import { memoryStore, sqliteStore } from 'tidemark/server'
    let said = ''
    try { sqliteStore('never.db') } catch (error) { said = error.message }
    console.log(JSON.stringify([typeof memoryStore().transaction, said]))`
  const flags = ['--no-experimental-sqlite', '--input-type=module', '-e', code]
  const output = execFileSync('node', flags, { cwd: full, encoding: 'utf8' })
  expect(JSON.parse(output)).toEqual([
    'function',
    expect.stringMatching(/^sqliteStore needs node:sqlite, which Node \S+ does not have: use Node 22.13 or newer/),
  ])
})

describe('the package', () => {
  test('holds every file that its exports promise', () => {
    const promised = Object.values(manifest.exports as Record<string, string | Record<string, string>>)
    const paths = promised.flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    expect(paths.filter((path) => !existsSync(join(installed, path)))).toEqual([])
  })

  test('says where it lives, and README leads there or into the package', () => {
    const address = 'https://github.com/tidemark/tidemark'
    expect(manifest).toMatchObject({ homepage: `${address}#readme`, bugs: { url: `${address}/issues` } })
    expect(manifest.repository.url).toBe(`git+${address}.git`)
    const readme = readFileSync(join(installed, 'README.md'), 'utf8')
    const links = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
    expect(links.length).toBeGreaterThan(5)
    const dead = links.filter((link) => !leads(link, address))
    expect(dead).toEqual([])
  })

  test('imports every dependency that it has', () => {
    const used = new Set(entries.flatMap(({ specifier }) => graphOf(fileOf(specifier)).packages.map(nameOf)))
    expect(Object.keys(manifest.dependencies).filter((name) => !used.has(name))).toEqual([])
  })

  test('has a map with its sources for each built file', () => {
    const files = globSync('dist/**/*.js', { cwd: installed })
    expect(files.length).toBeGreaterThan(7)
    for (const file of files) {
      const code = readFileSync(join(installed, file), 'utf8')
      expect(code.trimEnd().split('\n').at(-1), file).toBe(`//# sourceMappingURL=${basename(file)}.map`)
      const map = JSON.parse(readFileSync(join(installed, `${file}.map`), 'utf8'))
      expect(
        map.sourcesContent.every((source: unknown) => typeof source === 'string' && source !== ''),
        file,
      ).toBe(true)
      expect(map.sourcesContent.length, file).toBe(map.sources.length)
    }
  })

  test('has maps that lead from a line to the line it was made of', () => {
    for (const [entry, text] of [
      ['tidemark', 'export function createSyncClient'],
      ['tidemark/react', 'export function useSyncClient'],
      ['tidemark/vue', 'export function resolveSyncClient'],
      ['tidemark/server', 'export function createSyncHandler'],
    ] as const) {
      expect(originOf(entry, text), entry).toContain(text)
    }
  })

  test('has no declaration map whose source it does not hold', () => {
    expect(globSync('dist/**/*.d.ts.map', { cwd: installed })).toEqual([])
  })

  test('reaches the core from the adapters through its own entry, and never holds it twice', () => {
    for (const entry of ['tidemark/react', 'tidemark/vue']) {
      const { packages, files } = graphOf(fileOf(entry))
      expect(files).toContain('dist/index.js')
      expect(packages).not.toContain('tidemark')
    }
  })

  test('is marked for the client file by file: what uses React is, and nothing else', () => {
    const built = [...new Set(entries.flatMap(({ specifier }) => graphOf(fileOf(specifier)).files))]
    const textOf = (file: string): string => readFileSync(join(installed, file), 'utf8')
    const marked = built.filter((file) => textOf(file).startsWith('"use client";\n')).sort()
    expect(marked).toEqual(built.filter((file) => file.startsWith('dist/react-')).sort())
    const users = built.filter((file) => specifiersOf(join(installed, file)).includes('react'))
    expect(users.filter((file) => !marked.includes(file))).toEqual([])
    expect(marked).toContain('dist/react-context.js')
    expect(built.filter((file) => /['"]use client['"]/.test(textOf(file))).sort()).toEqual(marked)
  })

  test('lets a server component call what is no hook: the React entry holds references for the client only', () => {
    const rendered = runOnServer(`
      import * as react from 'tidemark/react'
      import { createSyncClient, defineMutation, entity } from 'tidemark'
      const { QueryClient, dehydrate, hydrate, queryOptions, infiniteQueryOptions, mutationOptions, hashKey } = react
      const queryClient = new QueryClient()
      const todos = queryOptions({ queryKey: ['todos'], queryFn: async () => [{ id: '1' }] })
      const pages = infiniteQueryOptions({ queryKey: ['p'], queryFn: async () => 1, initialPageParam: 0, getNextPageParam: () => null })
      await queryClient.prefetchQuery(todos)
      await queryClient.prefetchInfiniteQuery(pages)
      const other = new QueryClient()
      hydrate(other, dehydrate(queryClient))
      const add = defineMutation({ mutationKey: ['add'], mutationFn: async () => 1, optimistic: () => {} })
      const called = [other.getQueryData(todos.queryKey), other.getQueryData(pages.queryKey).pages, hashKey(add.mutationKey)]
      called.push(entity('todo').type, typeof createSyncClient, typeof mutationOptions({}))
      const isReference = ([, value]) => value?.$$typeof === Symbol.for('react.client.reference')
      console.log(JSON.stringify({ called, references: Object.entries(react).filter(isReference).map(([name]) => name) }))
    `) as { called: unknown; references: string[] }
    expect(rendered.called).toEqual([[{ id: '1' }], [1], '["add"]', 'todo', 'function', 'object'])
    const own = entries.find(({ specifier }) => specifier === 'tidemark/react')?.own ?? []
    expect(own.filter((name) => !rendered.references.includes(name))).toEqual(['hydrate'])
    expect(rendered.references).toContain('useQuery')
  })
})

describe('its declarations', () => {
  const application = `
    import { createSyncClient, type SyncClient } from 'tidemark'
    import { useSyncClient as inReact } from 'tidemark/react'
    import { useSyncClient as inVue } from 'tidemark/vue'
    import { createMockServer } from 'tidemark/mocks/node'
    import { createSyncHandler } from 'tidemark/server'
    const sync: SyncClient = createSyncClient({ stream: false })
    const hooks: (() => SyncClient)[] = [inReact, inVue]
    const untyped: unknown extends SyncClient | typeof createMockServer | typeof createSyncHandler ? true : false = false
    export const all = [sync, hooks, untyped]
  `

  test.each(['nodenext', 'bundler'])('are found by a program that resolves as %s', (moduleResolution) => {
    const path = join(full, `application-${moduleResolution}.ts`)
    writeFileSync(path, application)
    const module = moduleResolution === 'nodenext' ? 'nodenext' : 'esnext'
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--target', 'es2022', '--module', module]
    const { stdout } = spawnSync('tsc', [...flags, '--moduleResolution', moduleResolution, path], {
      encoding: 'utf8',
      cwd: full,
    })
    expect(stdout).toBe('')
  })
})

describe('the core', () => {
  test('imports its dependencies and nothing of React, Vue, MSW or Node', () => {
    const allowed = [...Object.keys(manifest.dependencies), 'zustand/vanilla', 'eventsource-parser/stream']
    expect(graphOf('dist/index.js').packages.filter((name) => !allowed.includes(name))).toEqual([])
  })

  test('loads in Node where none of the optional peers is installed', () => {
    const names = run(inject('bare'), `console.log(JSON.stringify(Object.keys(await import('tidemark'))))`)
    expect(names).toContain('QueryClient')
  })
})

const inNode = entries.filter(({ specifier }) => specifier !== 'tidemark/mocks/browser')

describe.each(inNode)('$specifier in Node', (entry) => {
  test('loads with its public names', () => {
    const names = (specifier: string) =>
      run(full, `console.log(JSON.stringify(Object.keys(await import('${specifier}'))))`) as string[]
    const included = entry.includes === undefined ? [] : names(entry.includes)
    expect(names(entry.specifier).sort()).toEqual(namesOf(entry, included))
  })
})
