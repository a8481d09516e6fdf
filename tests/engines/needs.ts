// Which programs each engine needs, and which of Debian's packages bring them. Shared by the installer, the configuration
// and the drivers.
import { existsSync, globSync } from 'node:fs'
import { chromiumPath } from '../chromium.ts'
import type { EngineName, EngineNeed } from './engine.ts'

export const FIREFOX = '/usr/bin/firefox-esr'
export const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver'
export const XVFB = '/usr/bin/Xvfb'

/** WebKitGTK's small browser; it comes with the library, whose folder is named for the machine and the version. */
export function findMiniBrowser(): string | undefined {
  return globSync('/usr/lib/*/webkit2gtk-4.*/MiniBrowser').sort().at(-1)
}

export const ENGINES: readonly EngineNeed[] = [
  { name: 'chromium', title: 'Chromium', programs: [chromiumPath], packages: ['chromium'] },
  { name: 'firefox', title: 'Firefox ESR', programs: [FIREFOX], packages: ['firefox-esr'] },
  {
    name: 'webkit',
    title: 'WebKitGTK',
    programs: [WEBKIT_DRIVER, XVFB, findMiniBrowser() ?? 'MiniBrowser'],
    packages: ['webkit2gtk-driver', 'xvfb'],
  },
]

export function needOf(name: EngineName): EngineNeed {
  const found = ENGINES.find((need) => need.name === name)
  if (found === undefined) throw new Error(`There is no engine "${name}".`)
  return found
}

/** What is missing, as a sentence with the command that helps; `undefined` if the engine is there. */
export function missing({ title, programs, packages }: EngineNeed): string | undefined {
  const absent = programs.filter((program) => !existsSync(program))
  if (absent.length === 0) return undefined
  return `${title} is not here (${absent.join(', ')}): run apt-get install ${packages.join(' ')}.`
}
