// A project of somebody else: a fresh temporary folder with the packed package in it, installed and run as its user
// would, with nothing of this repository on the path or in the environment. `tests/world/packed.ts` packs once.
//
//   const project = createProject('react', { dependencies: { react: '^19.0.0' } })
//   await project.install()                      // npm 12, with the tarball; or project.install({ manager: 'pnpm' })
//   project.write({ 'main.js': `import …` })
//   const { code, output } = await project.run('node', ['main.js'])
//   const server = await project.serve('npx', ['next', 'start', '-p', '0'], /localhost:(\d+)/)   // server.match, server.stop()
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { inject } from 'vitest'
import type { ManagerName } from './managers.ts'
import { managers } from './managers.ts'

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>> | undefined
  readonly [field: string]: unknown
}

export interface InstallOptions {
  /** @defaultValue 'npm 12' */
  readonly manager?: ManagerName | undefined
  /** Resolve and write the lock file, but load and unpack nothing. */
  readonly lockOnly?: boolean | undefined
  /** Packages to add. @defaultValue the packed tarball */
  readonly packages?: readonly string[] | undefined
}

export interface Run {
  /** The exit code; a process that a signal ended has -1. */
  readonly code: number
  /** Standard output and standard error, as they came. */
  readonly output: string
  readonly stdout: string
}

export interface Serving {
  /** What the pattern found in the output. */
  readonly match: RegExpMatchArray
  /** Everything it has written so far. */
  readonly output: () => string
  /** Ends the process and what it started. */
  readonly stop: () => Promise<void>
}

export interface Project {
  readonly folder: string
  /** Writes files by their path in the project. */
  readonly write: (files: Readonly<Record<string, string>>) => void
  /** Adds the packed package (or `packages`) with what the manifest says; fails with the manager's words. */
  readonly install: (options?: InstallOptions) => Promise<Run>
  /** Runs a package manager to its end. */
  readonly manage: (manager: ManagerName, parameters: readonly string[]) => Promise<Run>
  /** Runs a command to its end, with the project's own `node_modules/.bin` first on the path. */
  readonly run: (command: string, parameters: readonly string[], env?: Record<string, string>) => Promise<Run>
  /** Starts a command that stays, and waits until its output shows that it is ready. */
  readonly serve: (
    command: string,
    parameters: readonly string[],
    until: RegExp,
    env?: Record<string, string>,
  ) => Promise<Serving>
}

/** A folder with a `package.json` of `manifest`; nothing is installed yet. */
export function createProject(name: string, manifest: Manifest = {}): Project {
  const folder = mkdtempSync(join(inject('world'), `${name.replaceAll(/[^a-z0-9]+/gi, '-')}-`))
  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
  }
  write({
    'package.json': JSON.stringify({ name: 'application', private: true, type: 'module', ...manifest }, null, 2),
  })

  const start = (command: string, parameters: readonly string[], env?: Record<string, string>): ChildProcess => {
    const options: SpawnOptions = { cwd: folder, env: environment(folder, env), stdio: ['ignore', 'pipe', 'pipe'] }
    return spawn(command, parameters, { ...options, detached: true })
  }

  const run: Project['run'] = (command, parameters, env) => toEnd(start(command, parameters, env))

  const manage: Project['manage'] = (manager, parameters) =>
    run(process.execPath, [join(inject('world'), 'managers', managers[manager].script), ...parameters])

  return {
    folder,
    write,
    run,
    manage,
    async install({ manager: named = 'npm 12', lockOnly = false, packages = [inject('tarball')] } = {}) {
      const manager = managers[named]
      const flag = lockOnly && manager.lockOnly !== undefined ? [manager.lockOnly] : []
      const verbs = packages.length > 0 ? manager.add : manager.install
      const installed = await manage(named, [...verbs, ...packages, ...flag])
      if (installed.code !== 0) throw new Error(`${named} ended with ${installed.code}:\n${installed.output}`)
      return installed
    },
    serve: (command, parameters, until, env) => untilReady(start(command, parameters, env), until),
  }
}

/** The user's environment without what this repository's npm scripts put into it. */
function environment(folder: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const own =
    /^(npm_(package|lifecycle|command|execpath|node_execpath|config_(local_prefix|global_prefix|prefix|user_agent|noproxy|npm_version|init_module|node_gyp|omit_lockfile.*|allow_scripts.*))|INIT_CWD$|NODE$|NODE_(ENV|OPTIONS|PATH)$|VITEST|VITE_|TEST$|MODE$|DEV$|PROD$|SSR$|BASE_URL$|CI$|FORCE_COLOR$)/i
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
  const path = (inherited['PATH'] ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'))
  return {
    ...inherited,
    PATH: [join(folder, 'node_modules/.bin'), dirname(process.execPath), ...path].join(delimiter),
    NO_COLOR: '1',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_prefer_offline: 'true',
    npm_config_yes: 'true',
    YARN_ENABLE_TELEMETRY: '0',
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_NPM_REGISTRY_SERVER: inject('registry').replace(/\/$/, ''),
    NEXT_TELEMETRY_DISABLED: '1',
    NUXT_TELEMETRY_DISABLED: '1',
    ASTRO_TELEMETRY_DISABLED: '1',
    ...more,
  }
}

/** A process that has not ended by then never will: its group is killed, and its output says what it was at. */
const LONGEST_RUN = 300_000

function toEnd(child: ChildProcess): Promise<Run> {
  return new Promise((resolve, reject) => {
    let [output, stdout] = ['', '']
    const timer = setTimeout(() => {
      output += `\nKilled: it had not ended after ${LONGEST_RUN} ms.`
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, LONGEST_RUN)
    child.once('close', () => clearTimeout(timer))
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, output, stdout }))
  })
}

function untilReady(child: ChildProcess, until: RegExp): Promise<Serving> {
  let output = ''
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = (): Promise<void> => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    return ended
  }
  return new Promise((resolve, reject) => {
    const read = (text: string): void => {
      output += text
      const match = output.match(until)
      if (match !== null) resolve({ match, output: () => output, stop })
    }
    child.stdout?.setEncoding('utf8').on('data', read)
    child.stderr?.setEncoding('utf8').on('data', read)
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`It ended with ${code} before it was ready:\n${output}`)))
  })
}
