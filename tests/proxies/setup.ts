// Before the run: all seven proxies are there, and no figures of an earlier run.
import { spawnSync } from 'node:child_process'
import { forget, record } from './figures.ts'
import { missing, NAMES, NEEDS } from './needs.ts'

export function setup(): void {
  const absent = missing()
  if (absent.length > 0) {
    const packages = absent.map((name) => NEEDS[name].package).join(' ')
    throw new Error(`These proxies are not here: ${absent.join(', ')}. Run apt-get install ${packages}.`)
  }
  forget()
  record(
    'Debian packages',
    Object.fromEntries(NAMES.map((name) => [name, { version: versionOf(NEEDS[name].package) }])),
  )
}

function versionOf(name: string): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
  return spawnSync('/usr/bin/dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' }).stdout ?? 'unknown'
}
