// The engine of this run: each is a project of its own, which names it.
import { inject } from 'vitest'
import type { Engine, EngineName } from './engine.ts'
import { missing, needOf } from './needs.ts'
import { launchChromium, launchFirefox } from './puppeteer.ts'
import { launchWebkit } from './webkit.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    engine: EngineName
  }
}

const LAUNCH: Record<EngineName, () => Promise<Engine>> = {
  chromium: launchChromium,
  firefox: launchFirefox,
  webkit: launchWebkit,
}

export async function launch(): Promise<Engine> {
  const name = inject('engine')
  const lack = missing(needOf(name))
  if (lack !== undefined) throw new Error(lack)
  return LAUNCH[name]()
}
