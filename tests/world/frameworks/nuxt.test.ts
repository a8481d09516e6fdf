// Nuxt 4: a plugin makes a client per request, and hands what it read to the page's.
import type { Browser } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Serving } from '../project.ts'
import { installApps, run, serve } from './app.ts'
import { hydratesAndWrites, keepsUsersApart, launch, servesRows } from './probes.ts'
import type { Site } from './site.ts'
import { createSite, freePort } from './site.ts'

const manifest = { dependencies: { '@tanstack/vue-query': '^5.104.0', nuxt: '^4.0.0', vue: '^3.5.0' } }

let site: Site
let browser: Browser
let serving: Serving | undefined

beforeAll(async () => {
  site = await createSite()
  browser = await launch()
  // npm 12 wants to be asked for a dependency of Nuxt that is an address; with or without us.
  const [app] = await installApps(['nuxt'], manifest, { manager: 'npm 11' })
  if (app === undefined) throw new Error('There is no application.')
  expect(await run(app, { line: 'nuxt build' })).not.toMatch(/warn.*tidemark/i)
  serving = await serve(app, site, {
    line: 'node .output/server/index.mjs',
    env: { HOST: '127.0.0.1', PORT: String(await freePort()) },
    until: /Listening on http:\/\/127\.0\.0\.1:(\d+)/,
  })
})

afterAll(async () => {
  await serving?.stop()
  await browser?.close()
  await site?.close()
})

test('has its rows in the HTML after one read', () => servesRows(site, '/'))

test('keeps users apart who come at the same time', () => keepsUsersApart(site, '/'))

test('hydrates without a read, and writes at once', () => hydratesAndWrites(site, '/', browser))

test('says nothing on the server', () => {
  expect(serving?.output().trim()).toBe(serving?.match[0])
})
