// Vue, in a page without a browser: one write in a long list, a component for each row.

import { alternate } from '../harness/measure.ts'
import { container } from '../harness/page.ts'
import type { Row } from '../harness/server.ts'
import { createServer, idOf, turn } from '../harness/server.ts'
import type { Benchmark, Contender } from '../harness/types.ts'
import type { VueLibrary } from '../harness/vue-libraries.ts'
import { tidemarkVue, vue, vueQuery } from '../harness/vue-libraries.ts'

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

export const vueList: Benchmark = {
  name: 'vue-list',
  title: 'One optimistic write in a list in Vue, a component for each row, until the page shows it',
  of: 'rows',
  sizes: [100, 1_000, 10_000],
  async measure(size) {
    const contenders = []
    for (const library of [tidemarkVue, vueQuery]) contenders.push(await contenderOf(library, size))
    return alternate(contenders)
  },
}
