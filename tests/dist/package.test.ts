import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { entries, namesOf } from '../public-names.ts'
import { specifiersOf } from '../syntax.ts'

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

/** Runs a module in Node, in a folder where the package is installed; its standard output is JSON. */
function run(folder: string, code: string): unknown {
  return JSON.parse(execFileSync('node', ['--input-type=module', '-e', code], { cwd: folder, encoding: 'utf8' }))
}

describe('the package', () => {
  test('holds every file that its exports promise', () => {
    const promised = Object.values(manifest.exports as Record<string, string | Record<string, string>>)
    const paths = promised.flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    expect(paths.filter((path) => !existsSync(join(installed, path)))).toEqual([])
  })

  test('reaches the core from the adapters through its own entry, and never holds it twice', () => {
    for (const entry of ['tidemark/react', 'tidemark/vue']) {
      const { packages, files } = graphOf(fileOf(entry))
      expect(files).toContain('dist/index.js')
      expect(packages).not.toContain('tidemark')
    }
  })

  test('is marked for the client in its React entry and nowhere else', () => {
    const marked = [...new Set(entries.flatMap(({ specifier }) => graphOf(fileOf(specifier)).files))].filter((file) =>
      readFileSync(join(installed, file), 'utf8').includes('"use client"'),
    )
    expect(marked).toEqual(['dist/react.js'])
    expect(readFileSync(join(installed, 'dist/react.js'), 'utf8')).toMatch(/^"use client";\n/)
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
