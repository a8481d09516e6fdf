// Installs the package as a user would have it: packed, unpacked, its dependencies beside it. `bare` has nothing else,
// `full` has what every entry needs too.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder whose node_modules holds the package and its dependencies, without what the other entries need. */
    bare: string
    /** The same with the optional peers, Vue and MSW. */
    full: string
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url))

export function setup({ provide }: TestProject): () => void {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is not there: run `npm run build` first')
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-dist-'))
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    stdio: 'pipe',
  })
  const tarball = join(folder, packed.toString().trim().split('\n').at(-1) ?? '')

  provide('bare', install(join(folder, 'bare'), Object.keys(dependencies)))
  const everything = [
    ...Object.keys(dependencies),
    ...Object.keys(peerDependencies),
    'vue',
    'msw',
    'react-dom',
    '@types/react',
    '@types/node',
  ]
  provide('full', install(join(folder, 'full'), everything))
  return () => rmSync(folder, { recursive: true, force: true })

  function install(project: string, packages: readonly string[]): string {
    const target = join(project, 'node_modules/tidemark')
    mkdirSync(target, { recursive: true })
    execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }))
    for (const name of packages) {
      const link = join(project, 'node_modules', name)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(root, 'node_modules', name), link)
    }
    return project
  }
}
