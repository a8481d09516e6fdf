// React, in a page without a browser: a scene is drawn, and one write after another is made until the page shows it.
import { alternate } from './measure.ts'
import { commitsOfReact, container } from './page.ts'
import type { Draw, ReactLibrary } from './react.ts'
import { reactQuery, tidemarkReact } from './react-libraries.ts'
import { createServer, idOf, turn } from './server.ts'
import type { Contender, Figure } from './types.ts'

async function libraries(): Promise<readonly ReactLibrary[]> {
  const address = new URL('../peers/react.ts', import.meta.url).href
  const { reactLibraries } = (await import(address)) as { reactLibraries: readonly ReactLibrary[] }
  return [tidemarkReact, reactQuery, ...reactLibraries]
}

export interface Scene {
  readonly count: number
  readonly draw: Draw
  /** Components that show the value when all is done. */
  readonly shows: number
}

async function contenderOf(library: ReactLibrary, { count, draw, shows }: Scene): Promise<Contender> {
  const server = createServer(count)
  const subject = library.open(server)
  let wanted = Number.NaN
  let missing = 0
  let resolve: (() => void) | undefined
  let mounted = 0
  const content = draw(library, subject, ({ n }) => {
    mounted++
    if (n === wanted && missing > 0 && --missing === 0) resolve?.()
  })
  const { createElement } = library.react
  const element = container()
  const root = library.createRoot(element)
  root.render(createElement(subject.Provider, null, createElement(content, null)))
  for (let turns = 0; mounted < Math.max(count, shows) && turns < 2_000; turns++) await turn()
  if (mounted < Math.max(count, shows)) throw new Error(`${library.name} mounted ${mounted} components`)
  let runs = 0
  let before: number | undefined
  let total = 0
  return {
    name: library.name,
    most: 10,
    async run(n) {
      before = commitsOfReact()
      runs++
      wanted = n
      missing = shows
      const done = new Promise<void>((settle, reject) => {
        setTimeout(() => reject(new Error(`${missing} components never showed the value`)), 5_000).unref()
        resolve = settle
      })
      subject.write({ id: idOf(count === 1 ? 0 : n % count), n })
      await done
    },
    async after() {
      await server.acceptAll()
      for (let turns = 0; turns < 5; turns++) await turn()
      total += commitsOfReact() - (before ?? 0)
    },
    check() {
      const texts = [...element.querySelectorAll('li, span')].map(({ textContent }) => Number(textContent))
      const right =
        count === 1 ? texts.every((n) => n === server.rows[0]?.n) : texts.every((n, at) => n === server.rows[at]?.n)
      return right ? undefined : 'the page does not show what the server has'
    },
    counts: () => ({ 'commits for a write, until it was accepted': total / runs }),
    close: () => [root.unmount(), subject.close()],
  }
}

/** Measures all libraries in the same scene. */
export async function measureScene(scene: Scene): Promise<Omit<Figure, 'row' | 'size'>[]> {
  const contenders = []
  for (const library of await libraries()) contenders.push(await contenderOf(library, scene))
  return alternate(contenders)
}
