// Installs packages of Debian, for the tests that drive browsers or stand behind proxies.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Only root may install, and only Debian and its children have apt-get. */
const mayUseApt = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')

/** Installs the packages, if that may be. `true`: every step succeeded. */
export function installByApt(packages: readonly string[]): boolean {
  return (
    mayUseApt &&
    runs(['apt-get', 'update', '-qq']) &&
    runs(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages])
  )
}

/** Runs a command that installs something, and says so. */
export function runs([command = '', ...parameters]: readonly string[]): boolean {
  console.log(`Something that the tests need is missing: ${[command, ...parameters].join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status } = spawnSync(command, parameters, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 })
  return status === 0
}
