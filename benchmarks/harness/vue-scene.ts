// Vue, in a page without a browser: a list with a component for each row, and one write after another until the page shows it.
import { alternate } from './measure.ts'
import { container } from './page.ts'
import type { Row } from './server.ts'
import { createServer, idOf, turn } from './server.ts'
import type { Contender, Figure } from './types.ts'
import type { VueLibrary } from './vue-libraries.ts'
import { tidemarkVue, vue, vueQuery } from './vue-libraries.ts'

const { createApp, defineComponent, h, onUpdated } = vue

async function contenderOf(library: VueLibrary, count: number): Promise<Contender> {
  const server = createServer(count)
  const subject = library.open(server)
  let wanted = Number.NaN
  let resolve: (() => void) | undefined
  let renders = 0
  let runs = 0
  const Item = defineComponent({
    props: ['row'],
    setup(props: { row: Row }) {
      onUpdated(() => {
        if (props.row.n === wanted) resolve?.()
      })
      return () => h('li', props.row.n)
    },
  })
  const List = defineComponent({
    setup() {
      const shown = subject.rows()
      return () => {
        renders++
        return h(
          'ul',
          (shown.value ?? []).map((row) => h(Item, { key: row.id, row })),
        )
      }
    },
  })
  const element = container()
  const app = createApp(List)
  subject.install(app)
  app.mount(element)
  for (let turns = 0; element.querySelector('li') === null && turns < 2_000; turns++) await turn()
  renders = 0
  return {
    name: library.name,
    most: 10,
    async run(n) {
      runs++
      wanted = n
      const done = new Promise<void>((settle, reject) => {
        setTimeout(() => reject(new Error('the page never showed the value')), 5_000).unref()
        resolve = settle
      })
      subject.write({ id: idOf(n % count), n })
      await done
    },
    async after() {
      await server.acceptAll()
      for (let turns = 0; turns < 5; turns++) await turn()
    },
    check: () =>
      [...element.querySelectorAll('li')].every(({ textContent }, at) => Number(textContent) === server.rows[at]?.n)
        ? undefined
        : 'the page does not show what the server has',
    counts: () => ({ 'renders of the list for a write, until it was accepted': renders / runs }),
    close: () => [app.unmount(), subject.close()],
  }
}

/** Measures all libraries on a list of so many rows. */
export async function measureList(count: number): Promise<Omit<Figure, 'row' | 'size'>[]> {
  const contenders = []
  for (const library of [tidemarkVue, vueQuery]) contenders.push(await contenderOf(library, count))
  return alternate(contenders)
}
