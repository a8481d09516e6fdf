// The core runs in a page (the mocks put a service worker in front of it): nothing that it imports is Node's.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { specifiersOf } from '../syntax'

const folder = fileURLToPath(new URL('../../server', import.meta.url))

function packagesOf(entry: string): string[] {
  const packages = new Set<string>()
  const seen = new Set<string>()
  const walk = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const specifier of specifiersOf(file)) {
      if (!specifier.startsWith('.')) packages.add(specifier)
      else walk(`${join(dirname(file), specifier)}.ts`)
    }
  }
  walk(join(folder, entry))
  expect([...seen].filter((file) => !existsSync(file))).toEqual([])
  return [...packages]
}

test.each(['handler.ts', 'hub.ts', 'stores/memory.ts', 'bus.ts', 'problem.ts'])('%s runs without Node', (entry) => {
  expect(packagesOf(entry)).toEqual([])
})

test('the entry for Node needs nothing but Node', () => {
  expect(packagesOf('index.ts').filter((name) => !name.startsWith('node:'))).toEqual([])
})
