// The code on the pages compiles, and their links lead somewhere: every ts and tsx block of docs/*.md and README.md, and
// the script of every vue block, in one program of the compiler.
//
// A block is a module of its own, in the folder of its page. A comment with a path above it, or as its first line, gives
// it a name by which other blocks of the page import it. What every application has (todosQuery, addTodo, sync: APPLICATION)
// is there without an import; what comes from a package is imported. A block with `{ … }` is a sketch, and left out; a block
// of an application in tests/world is that file, word for word, and built there. A `<!-- file: … -->` is for who follows the
// page (tests/world/tutorial.test.ts); of a Vue component it is its name, too.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = ['README.md', ...globSync('docs/*.md', { cwd: root }).sort()].map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}))

const APPLICATION = `
  import { createSyncClient, defineMutation, entity, queryOptions } from 'tidemark'
  import type { MockServer } from 'tidemark/mocks'
  import type { Principal } from 'tidemark/server'

  interface AppTodo { id: string; title: string; done: boolean; listId: string; version?: number | undefined }
  const row = entity<AppTodo>('todo')
  const list = queryOptions({
    queryKey: ['todos'],
    queryFn: ({ fetch }) => fetch('/api/todos').then((answer): Promise<AppTodo[]> => answer.json()),
    rows: [row, (todos) => todos, { where: () => true }],
  })
  const add = defineMutation({
    mutationKey: ['todos', 'add'],
    mutationFn: (todo: AppTodo, { fetch }) =>
      fetch('/api/todos', { body: JSON.stringify(todo) }).then((answer): Promise<AppTodo> => answer.json()),
  })
  const rename = defineMutation({
    mutationKey: ['todos', 'rename'],
    mutationFn: ({ id, title }: { id: string; title: string }, { fetch }) =>
      fetch('/api/todos/' + id, { body: JSON.stringify({ title }) }).then((answer): Promise<AppTodo> => answer.json()),
  })
  const client = createSyncClient({ mutations: [add, rename] })

  declare global {
    interface Todo extends AppTodo {}
    interface Task { id: string; title: string }
    const todoRow: typeof row
    const todosQuery: typeof list
    const addTodo: typeof add
    const renameTodo: typeof rename
    const sync: typeof client
    const sessionOf: (request: Request) => Principal | null
    const mayRead: (principal: Principal, topic: string) => boolean
    const server: MockServer<{ todos: AppTodo }>
    const tables: { todos: { rows: AppTodo[] } }
  }
`

/** Imports that a page leaves out of its unnamed blocks. */
const IMPORTS: Record<string, string> = {
  'docs/testing.md':
    "import { createSyncClient, seededRandom } from 'tidemark'; import { createMockServer } from 'tidemark/mocks'",
}

/** Applications that are built by their frameworks. */
const APPS = 'tests/world/frameworks/apps/'

/** What a compiler of components makes of a script: the import of it is found as `name.vue.ts`. */
const COMPONENT = "\ndeclare const component: import('vue').Component\nexport default component\n"

interface Block {
  /** Where it is put: the page's folder and its own name. */
  file: string
  page: string
  code: string
}

test('code on the pages compiles', { timeout: 120_000 }, () => {
  const folder = makeFolder()
  try {
    const blocks = pages.flatMap(blocksOf)
    expect(blocks.length).toBeGreaterThan(30)
    expect(new Set(blocks.map(({ file }) => file)).size).toBe(blocks.length)
    writeFileSync(join(folder, 'application.ts'), APPLICATION)
    for (const { file, code } of blocks) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), code)
    }
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      include: ['.'],
      exclude: [],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const compiler = join(root, 'node_modules/typescript/lib/tsc.js')
    const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', '.', '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(inPages(stdout + stderr, blocks)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('samples for frameworks are the files that are built with them', () => {
  const samples = pages.flatMap(({ text }) => [...text.matchAll(/^<!-- (\S+) -->\n```\w+\n([\s\S]*?)^```$/gm)])
  const ofApps = samples.filter(([, path]) => path?.startsWith(APPS))
  expect(ofApps.length).toBeGreaterThan(10)
  for (const [, path = '', code] of ofApps) expect({ path, code }).toEqual({ path, code: read(path) })
})

test('links on the pages lead to pages and headings that exist', () => {
  const broken = pages.flatMap(({ path, text }) =>
    linksOf(text)
      .filter((link) => !leadsSomewhere(path, link))
      .map((link) => `${path}: ${link}`),
  )
  expect(broken).toEqual([])
})

function read(path: string): string {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : 'There is no such file.'
}

/** In a folder that git ignores, so that packages are found from it. */
function makeFolder(): string {
  mkdirSync(join(root, 'coverage'), { recursive: true })
  return mkdtempSync(join(root, 'coverage', 'docs-'))
}

/** Blocks have the page's own line numbers: what the compiler says is said of the page. */
function blocksOf({ path, text }: { path: string; text: string }): Block[] {
  const folder = path.replace(/^docs\//, '').replace(/\.md$/, '')
  return [...text.matchAll(/^(?:<!-- (\S+) -->\n)?```(tsx?|vue)\n([\s\S]*?)^```$/gm)].flatMap((found) => {
    const [whole, above, language = '', body = ''] = found
    const code = language === 'vue' ? (/<script setup lang="ts">\n([\s\S]*?)<\/script>/.exec(body)?.[1] ?? '') : body
    if (code.includes('{ … }') || above?.startsWith(APPS)) return []
    const before = text.slice(0, found.index + whole.indexOf(code)).split('\n').length - 1
    const component = /<!-- file: (\S+\.vue) -->\n$/.exec(text.slice(0, found.index))?.[1]
    const name = above ?? component ?? /^\/\/ ([\w./-]+\.tsx?)\n/.exec(code)?.[1]
    const extension = language === 'tsx' ? 'tsx' : 'ts'
    const first = name === undefined ? (IMPORTS[path] ?? '') : ''
    return {
      page: path,
      file: `${folder}/${name === undefined ? `line-${before}.${extension}` : basename(name)}${component === undefined ? '' : '.ts'}`,
      code: `${first}${'\n'.repeat(before)}${code}${component === undefined ? '' : COMPONENT}`,
    }
  })
}

function inPages(output: string, blocks: readonly Block[]): string[] {
  const pageOf = new Map(blocks.map(({ file, page }) => [file, page]))
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line.replace(/^(\S+)\((\d+),\d+\)/, (place, file: string, at: string) =>
        pageOf.has(file) ? `${pageOf.get(file)}:${at}` : place,
      ),
    )
}

function linksOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^https?:/.test(link))
}

function leadsSomewhere(from: string, link: string): boolean {
  const [path = '', heading] = link.split('#')
  const to = path === '' ? from : join(dirname(from), path)
  if (!existsSync(join(root, to))) return false
  return heading === undefined || headingsOf(readFileSync(join(root, to), 'utf8')).includes(heading)
}

/** As GitHub makes them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
}
