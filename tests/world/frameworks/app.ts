// An application of `apps/` as its user has it: copied to a fresh folder, installed with the packed package, built and
// served by the framework's own commands.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { InstallOptions, Manifest, Project, Serving } from '../project.ts'
import { createProject } from '../project.ts'
import type { Site } from './site.ts'

export interface App {
  readonly project: Project
  /** The application's folder in the project; '.' when it is the only one. */
  readonly folder: string
}

export interface Command {
  /** A line for the shell, in the application's folder. */
  readonly line: string
  readonly env?: Record<string, string> | undefined
}

const apps = fileURLToPath(new URL('./apps', import.meta.url))

/** Installs one project for these applications; each has the definitions of `apps/todos.ts` beside it. */
export async function installApps(
  names: readonly string[],
  manifest: Manifest,
  options?: InstallOptions,
): Promise<readonly App[]> {
  const project = createProject(names.join(' '), manifest)
  const installed = names.map((name) => ({ project, folder: names.length === 1 ? '.' : name }))
  for (const [at, { folder }] of installed.entries()) {
    cpSync(join(apps, names[at] ?? ''), join(project.folder, folder), { recursive: true })
    cpSync(join(apps, 'todos.ts'), join(project.folder, folder, 'todos.ts'))
  }
  await project.install(options)
  return installed
}

/** Runs a command to its end; its output is the message when it fails. */
export async function run({ project, folder }: App, { line, env }: Command): Promise<string> {
  const { code, output } = await project.run('sh', ['-c', `cd '${folder}' && ${line}`], env)
  expect({ code, output }).toEqual({ code: 0, output: expect.anything() })
  return output
}

/** Starts the framework's server behind the site. The pattern's first group is its port. */
export async function serve(
  { project, folder }: App,
  site: Site,
  { line, env, until }: Command & { readonly until: RegExp },
): Promise<Serving> {
  const serving = await project.serve('sh', ['-c', `cd '${folder}' && exec ${line}`], until, {
    SITE_ORIGIN: site.origin,
    ...env,
  })
  site.leadTo(Number(serving.match[1]))
  return serving
}
