// The floors of the house, enforced: what may import what, and what may be named where. CONTRIBUTING.md says why.
import { describe, expect, test } from 'vitest'
import type { SourceFile } from './syntax.ts'
import {
  effectsOf,
  fieldsOf,
  globalsOf,
  membersAssignedIn,
  mutableNamesOf,
  originsAskedIn,
  readSources,
} from './syntax.ts'

const files = readSources('{src,adapters,mocks,server}/**/*.{ts,tsx}')
const core = files.filter(({ path }) => path.startsWith('src/'))
const byPath = new Map(files.map((file) => [file.path, file]))

/** Lower may not import higher. */
const FLOORS = [
  ['src/base/'],
  ['src/platform/'],
  ['src/data/', 'src/evidence/'],
  ['src/queries/'],
  ['src/writes/', 'src/wire/'],
  ['src/stream/', 'src/stores/'],
  ['src/advice/'],
] as const
const TOP = new Map([
  ['src/options.ts', FLOORS.length],
  ['src/life.ts', FLOORS.length],
  ['src/face.ts', FLOORS.length],
  ['src/client.ts', FLOORS.length],
  ['src/index.ts', FLOORS.length + 1],
])

/** Writes work with the stream off, the stream with no writes; SSE alone knows nothing of queries. */
const STRANGERS: readonly (readonly [from: string, of: string])[] = [
  ['src/writes/', 'src/stream/'],
  ['src/writes/', 'src/wire/'],
  ['src/stream/', 'src/writes/'],
  ['src/wire/', 'src/writes/'],
  ['src/wire/', 'src/queries/'],
  ['src/wire/', 'src/data/'],
  ['src/wire/', 'src/evidence/'],
  ['src/stream/', 'src/stores/'],
  ['src/data/', 'src/evidence/'],
]

/** Files that users import; every other `index` or file of re-exports is a barrel. */
const ENTRIES = [
  'src/index.ts',
  'adapters/react/index.ts',
  'adapters/vue/index.ts',
  'mocks/index.ts',
  'mocks/node.ts',
  'mocks/browser.ts',
  'server/index.ts',
]

/** One home per dependency: what the core may import from outside, and from where. */
const HOMES: readonly (readonly [specifier: string, home: RegExp])[] = [
  ['@tanstack/query-core', /^src\/(data\/|queries\/|stores\/|client\.ts$|face\.ts$|life\.ts$|options\.ts$|index\.ts$)/],
  ['immer', /^src\/data\//],
  ['eventsource-parser', /^src\/wire\/event-stream\.ts$/],
  ['eventsource-parser/stream', /^src\/wire\/event-stream\.ts$/],
  ['zustand/vanilla', /^src\//],
]

/** What an entry outside the core may import: packages, and folders of this repository. */
const OUTSIDE: readonly (readonly [from: RegExp, packages: RegExp, folders: RegExp])[] = [
  [
    /^adapters\/react\//,
    /^(tidemark|react|react\/.+|@tanstack\/react-query)$/,
    /^(adapters\/(react\/|[^/]+$)|src\/base\/)/,
  ],
  [/^adapters\/vue\//, /^(tidemark|vue|@tanstack\/vue-query)$/, /^(adapters\/(vue\/|[^/]+$)|src\/base\/)/],
  [/^adapters\/[^/]+$/, /^tidemark$/, /^(adapters\/[^/]+$|src\/base\/)/],
  [/^mocks\//, /^(msw|msw\/.+)$/, /^(mocks|server|src\/base)\//],
  [/^server\//, /^node:/, /^(server|src\/base)\//],
]

/** A cell is one object in parts, a write is one object: each part is declared somewhere, and assigned in its own file alone. */
const OWNERS: readonly (readonly [declaredIn: string, part: string, owner: string])[] = [
  ['src/queries/cell.ts', 'SaidPart', 'src/queries/cell.ts'],
  ['src/queries/cell.ts', 'BasePart', 'src/queries/base.ts'],
  ['src/queries/cell.ts', 'TrustPart', 'src/queries/trust.ts'],
  ['src/queries/cell.ts', 'WaitingPart', 'src/queries/waiting.ts'],
  ['src/queries/cell.ts', 'ReadingPart', 'src/queries/reading.ts'],
  ['src/queries/cell.ts', 'RefresherPart', 'src/queries/refresher.ts'],
  ['src/queries/cell.ts', 'ViewPart', 'src/queries/view.ts'],
  ['src/evidence/evidence.ts', 'Layer', 'src/writes/write.ts'],
  ['src/writes/write.ts', 'Write', 'src/writes/write.ts'],
  ['src/writes/attempts.ts', 'Attempts', 'src/writes/attempts.ts'],
  ['src/writes/stored.ts', 'WriteRecord', 'src/writes/write.ts'],
]

/** Only `src/platform` may name these: time, chance, and what a browser or Node brings. */
const SEAMS = new Set(
  `window self globalThis document navigator location history screen localStorage sessionStorage indexedDB caches cookieStore
  fetch XMLHttpRequest EventSource WebSocket BroadcastChannel MessageChannel Worker SharedWorker crypto performance
  addEventListener removeEventListener dispatchEvent setTimeout clearTimeout setInterval clearInterval setImmediate
  clearImmediate requestAnimationFrame cancelAnimationFrame requestIdleCallback cancelIdleCallback scheduler
  process Buffer require __dirname __filename
  Date.now Math.random AbortSignal.timeout`.split(/\s+/),
)

function floorOf(path: string): number | undefined {
  const floor = FLOORS.findIndex((rooms) => rooms.some((room) => path.startsWith(room)))
  return floor === -1 ? TOP.get(path) : floor
}

/** Every offence as a sentence, so that a failure reads as a list of what to mend. */
function offences(of: readonly SourceFile[], find: (file: SourceFile) => Iterable<string>): string[] {
  return of.flatMap((file) => [...find(file)].map((offence) => `${file.path} ${offence}`))
}

describe('imports', () => {
  test('every file of the core stands on a floor', () => {
    expect(offences(core, ({ path }) => (floorOf(path) === undefined ? ['is on no floor'] : []))).toEqual([])
  })

  test('point to the own floor or below', () => {
    const up = offences(core, (file) =>
      file.imports
        .filter(
          ({ file: to }) => to !== undefined && (floorOf(to) ?? Number.POSITIVE_INFINITY) > (floorOf(file.path) ?? 0),
        )
        .map(({ file: to }) => `imports ${to}, which is above it`),
    )
    expect(up).toEqual([])
  })

  test('keep apart what works without the other', () => {
    const pairs = offences(core, ({ path, imports }) =>
      imports
        .filter(({ file: to }) => STRANGERS.some(([from, of]) => path.startsWith(from) && to?.startsWith(of)))
        .map(({ file: to }) => `imports ${to}`),
    )
    expect(pairs).toEqual([])
  })

  test('lead into the stream from the public entry alone: a client that only pulls does not carry it', () => {
    const into = offences(core, ({ path, imports }) =>
      path.startsWith('src/stream/') || path === 'src/index.ts'
        ? []
        : imports
            .filter(({ file: to, typeOnly }) => !typeOnly && to?.startsWith('src/stream/'))
            .map(({ file: to }) => `imports ${to}`),
    )
    expect(into).toEqual([])
  })

  test('form no cycle, types included', () => {
    expect(cyclesOf(files)).toEqual([])
  })

  test('lead to no barrel but the public entries', () => {
    const barrels = offences(files, ({ path, body }) => {
      if (ENTRIES.includes(path)) return []
      const onlyPassesOn = body.length > 0 && body.every((node) => node.type.startsWith('Export') && node['source'])
      return onlyPassesOn || /\/index\.tsx?$/.test(path) ? ['is a barrel'] : []
    })
    expect(barrels).toEqual([])
  })

  test('give each dependency one home', () => {
    const strays = offences(core, ({ path, imports }) =>
      imports
        .filter(
          ({ file: to, specifier }) =>
            to === undefined && !HOMES.some(([name, home]) => name === specifier && home.test(path)),
        )
        .map(({ specifier }) => `imports ${specifier}`),
    )
    expect(strays).toEqual([])
  })

  test('keep the other entries outside the core', () => {
    const strays = OUTSIDE.flatMap(([from, packages, folders]) =>
      offences(
        files.filter(({ path }) => from.test(path)),
        ({ imports }) =>
          imports
            .filter(({ file: to, specifier }) => !(to === undefined ? packages.test(specifier) : folders.test(to)))
            .map(({ specifier }) => `imports ${specifier}`),
      ),
    )
    expect(strays).toEqual([])
  })
})

describe('the React entry', () => {
  test('marks what uses React for the client, and nothing else: a server component calls the rest', () => {
    const marks = offences(files, ({ path, body, imports }) => {
      const isHook = path.startsWith('adapters/react/') && !path.endsWith('index.ts')
      const usesReact = imports.some(
        // Hooks of ours begin in `context`; those of TanStack say by `no-client` what they miss.
        ({ specifier, typeOnly }) =>
          !typeOnly && (specifier === 'react' || (isHook && ['./context', './no-client'].includes(specifier))),
      )
      const isMarked = body[0]?.['directive'] === 'use client'
      if (usesReact === isMarked) return []
      return [usesReact ? 'uses React and does not open with "use client"' : 'opens with "use client" without React']
    })
    expect(marks).toEqual([])
  })
})

describe('the core', () => {
  test('names time, chance and the browser only in its platform', () => {
    const named = offences(core, (file) => {
      if (file.path.startsWith('src/platform/')) return []
      const used = [...globalsOf(file)].filter((name) => SEAMS.has(name) || name === 'new Date()')
      // Stands where it drops a branch: bundlers replace `process.env.NODE_ENV`, and take away what only that branch uses.
      if (file.path === 'src/client.ts' && used.join() === 'process') return []
      return used.map((name) => `names ${name}`)
    })
    expect(named).toEqual([])
  })

  test('keeps no state in its modules', () => {
    expect(offences(core, (file) => mutableNamesOf(file).map((name) => `keeps ${name}`))).toEqual([])
  })

  test('assigns a part of a cell, and a write, in the file that owns it', () => {
    const rooms = core.filter(({ path }) => /^src\/(queries|writes|stream|stores|advice|client)/.test(path))
    const strays = OWNERS.flatMap(([declaredIn, part, owner]) => {
      const file = byPath.get(declaredIn)
      const { all, open } = file === undefined ? { all: [], open: [] } : fieldsOf(file, part)
      expect(all, part).not.toEqual([])
      const assigned = offences(
        rooms.filter(({ path }) => path !== owner),
        (other) => [...membersAssignedIn(other)].filter((name) => all.includes(name)).map((name) => `assigns ${name}`),
      )
      return [...open.map((name) => `${part}.${name} is not readonly`), ...assigned]
    })
    expect(strays).toEqual([])
  })

  test('never asks which realm made a value: what it is decides, as src/base/kinds.ts has it', () => {
    const home = ['src/base/kinds.ts', 'src/base/key.ts']
    const others = files.filter(({ path }) => !home.includes(path))
    expect(offences(others, (file) => originsAskedIn(file).map((what) => `asks ${what}`))).toEqual([])
  })

  test('does nothing at import, and neither do the other entries', () => {
    expect(offences(files, (file) => effectsOf(file).map((type) => `runs a ${type}`))).toEqual([])
  })
})

/** Each cycle once, as `a → b → a`. */
function cyclesOf(all: readonly SourceFile[]): string[] {
  const cycles: string[] = []
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    if (done.has(path)) return
    for (const { file } of byPath.get(path)?.imports ?? []) if (file !== undefined) walk(file, [...trail, path])
    done.add(path)
  }
  for (const { path } of all) walk(path, [])
  return cycles
}
