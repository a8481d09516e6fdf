// Every name that users can import says what it promises, where it is declared.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Node } from './syntax.ts'
import { readSources } from './syntax.ts'

const ENTRIES = [
  'src/index.ts',
  'adapters/react/index.ts',
  'adapters/vue/index.ts',
  'mocks/index.ts',
  'mocks/node.ts',
  'mocks/browser.ts',
  'server/index.ts',
]
const files = new Map(readSources('{src,adapters,mocks,server}/**/*.{ts,tsx}').map((file) => [file.path, file]))
const textOf = (path: string): string => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8')

/** The names that an entry passes on from files of ours, with the file of each. */
function namesOf(entry: string): { name: string; file: string }[] {
  const { body = [], imports = [] } = files.get(entry) ?? {}
  return body.flatMap((statement) => {
    const source = (statement['source'] as Node | null | undefined)?.['value']
    const file = imports.find(({ specifier }) => specifier === source)?.file
    const specifiers = (statement['specifiers'] ?? []) as Node[]
    if (file === undefined || !statement.type.startsWith('Export')) return []
    return specifiers.map(({ local }) => ({ name: String((local as Node)['name']), file }))
  })
}

/** Whether the declaration of this name stands under a doc comment; passed on again, it is looked for there. */
function isDocumented(name: string, file: string): boolean {
  const passedOn = namesOf(file).find((each) => each.name === name)
  if (passedOn !== undefined) return isDocumented(name, passedOn.file)
  const declaration = new RegExp(
    `(\\*/\\n(?://.*\\n)*)?^export (?:declare )?(?:async )?(?:function|const|class|interface|type|abstract class) ${name}\\b`,
    'm',
  )
  return declaration.exec(textOf(file))?.[1] !== undefined
}

test.each(ENTRIES)('%s exports nothing that has no doc comment', (entry) => {
  const names = namesOf(entry)
  if (entry === 'src/index.ts') expect(names.length).toBeGreaterThan(60)
  expect(
    names.filter(({ name, file }) => !isDocumented(name, file)).map(({ name, file }) => `${name} of ${file}`),
  ).toEqual([])
})
