// What is asked of each framework whose application is served at `/`: one installation for those that share it, a build,
// a server, and the probes.
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InstallOptions, Manifest, Serving } from '../project.ts'
import type { App } from './app.ts'
import { installApps, run, serve } from './app.ts'
import { hydratesAndWrites, keepsUsersApart, launch, servesRows } from './probes.ts'
import type { Site } from './site.ts'
import { createSite, freePort } from './site.ts'

export interface Framework {
  readonly name: string
  /** Below `apps/`. */
  readonly folder: string
  /** The line that builds it. */
  readonly build: string
  /** The line that serves it, on a port that is free. */
  readonly serve: (port: number) => string
  /** Its output when it listens; the first group is the port. */
  readonly until: RegExp
}

export interface Installation {
  readonly manifest: Manifest
  readonly options?: InstallOptions | undefined
  /** Runs when all are built. */
  readonly built?: (app: App) => Promise<void>
}

export function describeFrameworks(frameworks: readonly Framework[], installation: Installation): void {
  let apps: readonly App[]
  let site: Site
  let browser: Browser

  beforeAll(async () => {
    site = await createSite()
    browser = await launch()
    const folders = frameworks.map(({ folder }) => folder)
    apps = await installApps(folders, installation.manifest, installation.options)
  })

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  describe.each(frameworks)('$name', (framework) => {
    let serving: Serving | undefined

    beforeAll(async () => {
      const app = apps[frameworks.indexOf(framework)]
      if (app === undefined) throw new Error('There is no application.')
      expect(await run(app, { line: framework.build })).not.toMatch(/warn.*tidemark/i)
      const { until } = framework
      serving = await serve(app, site, { line: framework.serve(await freePort()), until })
    })

    afterAll(() => serving?.stop())

    test('has its rows in the HTML after one read', () => servesRows(site, '/'))

    test('keeps users apart who come at the same time', () => keepsUsersApart(site, '/'))

    test('hydrates without a read, and writes at once', () => hydratesAndWrites(site, '/', browser))

    test('says nothing of us on the server', () => {
      expect(serving?.output()).toMatch(framework.until)
      expect(serving?.output()).not.toMatch(/tidemark/i)
    })
  })

  const { built } = installation
  if (built === undefined) return
  test('compiles', async () => {
    const [app] = apps
    if (app === undefined) throw new Error('There is no application.')
    await built(app)
  })
}
