// React, in a page without a browser: one write in a long list, and one write that many components show.

import { alternate } from '../harness/measure.ts'
import { commitsOfReact, container } from '../harness/page.ts'
import type { Draw, ReactLibrary } from '../harness/react.ts'
import { asComponents, asList } from '../harness/react.ts'
import { reactQuery, tidemarkReact } from '../harness/react-libraries.ts'
import { createServer, idOf, turn } from '../harness/server.ts'
import type { Benchmark, Contender } from '../harness/types.ts'

async function libraries(): Promise<readonly ReactLibrary[]> {
  const address = new URL('../peers/react.ts', import.meta.url).href
  const { reactLibraries } = (await import(address)) as { reactLibraries: readonly ReactLibrary[] }
  return [tidemarkReact, reactQuery, ...reactLibraries]
}

interface Scene {
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

export const reactList: Benchmark = {
  name: 'react-list',
  title: 'One optimistic write in a list in React, a component for each row, until the page shows it',
  of: 'rows',
  sizes: [100, 1_000, 10_000],
  async measure(size) {
    const contenders = []
    for (const library of await libraries())
      contenders.push(await contenderOf(library, { count: size, draw: asList, shows: 1 }))
    return alternate(contenders)
  },
}

export const reactComponents: Benchmark = {
  name: 'react-components',
  title: 'One optimistic write that many components in React show, each with the hook of its own, until all of them do',
  of: 'components',
  sizes: [10, 100, 1_000],
  async measure(size) {
    const contenders = []
    for (const library of await libraries())
      contenders.push(await contenderOf(library, { count: 1, draw: asComponents(size), shows: size }))
    return alternate(contenders)
  },
}
