// Next 16: App Router with a sync client, with TanStack's own recipes under our import path (the reads awaited, and sent as
// promises), and the pages router, in one application that is built by webpack and by Turbopack, without and with Cache
// Components.
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Serving } from '../project.ts'
import type { App } from './app.ts'
import { installApps, run, serve } from './app.ts'
import { htmlFor, hydratesAndWrites, keepsUsersApart, launch, servesRows } from './probes.ts'
import type { Site } from './site.ts'
import { createSite, freePort } from './site.ts'

const manifest = {
  dependencies: {
    '@tanstack/react-query': '^5.104.0',
    '@tanstack/react-query-next-experimental': '^5.104.0',
    next: '^16.0.0',
    react: '^19.0.0',
    'react-dom': '^19.0.0',
  },
  devDependencies: {
    '@types/node': '^24.0.0',
    '@types/react': '^19.0.0',
    '@types/react-dom': '^19.0.0',
    typescript: '^5.9.0',
  },
}

/** Each page, and whether it is read by a sync client, which keeps positions. */
const PAGES: readonly (readonly [path: string, position: boolean])[] = [
  ['/', true],
  ['/recipe', false],
  ['/streamed', false],
  ['/pages-router', true],
]

let app: App | undefined
let site: Site
let browser: Browser

beforeAll(async () => {
  const [installed, ...others] = await Promise.all([installApps(['next'], manifest), createSite(), launch()])
  app = installed[0]
  ;[site, browser] = others
})

afterAll(async () => {
  await browser?.close()
  await site?.close()
})

describe.each([
  ['webpack', '--webpack', ''],
  ['Turbopack', '--turbopack', ''],
  ['webpack and Cache Components', '--webpack', '1'],
  ['Turbopack and Cache Components', '--turbopack', '1'],
])('built by %s', (_, bundler, CACHE_COMPONENTS) => {
  let serving: Serving | undefined

  beforeAll(async () => {
    const env = { CACHE_COMPONENTS, DIST_DIR: `.next${bundler}${CACHE_COMPONENTS}`, SITE_ORIGIN: site.origin }
    expect(app).toBeDefined()
    if (app === undefined) return
    const output = await run(app, { line: `next build ${bundler}`, env })
    expect(output).not.toMatch(/warn|tidemark/i)
    const until = /Local:\s+http:\/\/127\.0\.0\.1:(\d+)[\s\S]*Ready/
    serving = await serve(app, site, { line: 'next start -p 0 -H 127.0.0.1', env, until })
  })

  afterAll(() => serving?.stop())

  test.each(PAGES)('%s has its rows in the HTML after one read', async (path, position) => {
    await servesRows(site, path, { position })
  })

  test.each(PAGES)('%s keeps users apart who come at the same time', async (path) => {
    await keepsUsersApart(site, path)
  })

  test.each(PAGES)('%s hydrates without a read, and writes at once', async (path) => {
    await hydratesAndWrites(site, path, browser)
  })

  test('/streaming reads while it renders, and hydrates without a read', async () => {
    const user = 'nobody' // client components do not know the visitor's cookie on the server
    await servesRows(site, '/streaming', { user })
    await hydratesAndWrites(site, '/streaming', browser, user)
  })

  test('says nothing on the server', () => {
    expect(serving?.output()).toMatch(/Ready/)
    expect(serving?.output()).not.toMatch(/warn|error|⨯|tidemark/i)
  })
})

test('in development a client that requests share is told of, and a client per request never', async () => {
  if (app === undefined) throw new Error('There is no application.')
  const until = /Local:\s+http:\/\/127\.0\.0\.1:(\d+)[\s\S]*Ready/
  const line = `next dev -p ${await freePort()} -H 127.0.0.1`
  const serving = await serve(app, site, { line, env: { DIST_DIR: '.next-dev' }, until })
  try {
    for (const [path] of [...PAGES, ...PAGES, ...PAGES]) await htmlFor(site, path, 'alice')
    await htmlFor(site, '/shared', 'alice')
    expect(serving.output()).not.toMatch(/SyncError/)
    await htmlFor(site, '/shared', 'bob')
    // Next may load a module twice, and each has its client: the sentence counts, and that there is no other.
    const said = () => [...new Set(serving.output().match(/SyncError.*/g))]
    await expect.poll(said, { timeout: 60_000 }).toEqual([expect.stringContaining('has rendered on the server before')])
  } finally {
    await serving.stop()
  }
})
