// Where a mutant breaks the sources: in the declaration of its name, wherever that stands. Line breaks and indents do not count.
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'
import type { Mutant } from './mutants.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Declaration {
  readonly name: string
  readonly file: string
  readonly start: number
  readonly text: string
}

interface Statement {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly declaration?: Statement | null
  readonly id?: { readonly name: string } | null
  readonly declarations?: ReadonlyArray<{ readonly id: { readonly name?: string } }>
}

export interface Place {
  /** Path from the repository's root. */
  readonly file: string
  readonly start: number
  readonly end: number
}

let declarations: readonly Declaration[] | undefined

/** Throws, with a sentence, unless the mutant fits exactly one place. */
export function placeOf({ name, within, find }: Mutant): Place {
  declarations ??= globSync('src/**/*.ts', { cwd: root }).flatMap(declaredIn)
  const found = declarations
    .filter((declaration) => declaration.name === within)
    .flatMap(({ file, start, text }) =>
      [...text.matchAll(pattern(find))].map((match) => ({ file, start: start + match.index, length: match[0].length })),
    )
  const [place] = found
  if (place === undefined || found.length > 1)
    throw new Error(`The mutant "${name}" does not find its line in "${within}": it is there ${found.length} times.`)
  return { file: place.file, start: place.start, end: place.start + place.length }
}

function declaredIn(file: string): Declaration[] {
  const text = readFileSync(`${root}${file}`, 'utf8')
  const { program } = parseSync(file, text)
  return (program.body as unknown as Statement[]).flatMap((statement) => {
    const { type, id, declarations: variables } = statement.declaration ?? statement
    if (type === 'ImportDeclaration') return []
    const names = variables?.map((variable) => variable.id.name) ?? [id?.name]
    const { start, end } = statement
    return names.flatMap((name) => (name === undefined ? [] : { name, file, start, text: text.slice(start, end) }))
  })
}

/** Any run of white space stands for any other, and for none beside a bracket that a formatter may have moved. */
function pattern(find: string): RegExp {
  const words = find.trim().split(/\s+/)
  return new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'g')
}
