// The package managers of the tests, pinned by major: what installs, and how each is told to add packages.

export type ManagerName = 'npm 10' | 'npm 11' | 'npm 12' | 'pnpm' | 'yarn 1' | 'yarn 4'

export interface Manager {
  /** Its script, below the folder of the managers. */
  readonly script: string
  /** What adds packages to the project in the current folder. */
  readonly add: readonly string[]
  /** What installs what the manifest says. */
  readonly install: readonly string[]
  /** What is added to either, to resolve and write the lock file only; `undefined` where it has no such thing. */
  readonly lockOnly: string | undefined
}

const npm = (major: number): Manager => ({
  script: `node_modules/npm-${major}/bin/npm-cli.js`,
  add: ['install'],
  install: ['install'],
  lockOnly: '--package-lock-only',
})

export const managers: Readonly<Record<ManagerName, Manager>> = {
  'npm 10': npm(10),
  'npm 11': npm(11),
  'npm 12': npm(12),
  pnpm: {
    script: 'node_modules/pnpm/bin/pnpm.mjs',
    add: ['add'],
    install: ['install'],
    lockOnly: '--lockfile-only',
  },
  'yarn 1': { script: 'node_modules/yarn-1/bin/yarn.js', add: ['add'], install: ['install'], lockOnly: undefined },
  'yarn 4': {
    script: 'node_modules/yarn-4/bin/yarn.js',
    add: ['add'],
    install: ['install'],
    lockOnly: '--mode=update-lockfile',
  },
}

/** The packages that bring them, for one installation. */
export const managerPackages: Readonly<Record<string, string>> = {
  'npm-10': 'npm:npm@10',
  'npm-11': 'npm:npm@11',
  'npm-12': 'npm:npm@12',
  pnpm: '^12',
  'yarn-1': 'npm:yarn@1',
  'yarn-4': 'npm:@yarnpkg/cli-dist@4',
}
