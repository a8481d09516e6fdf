// Vue: one write in a long list. The page is imported when it is measured: no other row should find a document.
import type { Benchmark } from '../harness/types.ts'

export const vueList: Benchmark = {
  name: 'vue-list',
  title: 'One optimistic write in a list in Vue, a component for each row, until the page shows it',
  of: 'rows',
  sizes: [100, 1_000, 10_000],
  measure: async (size) => (await import('../harness/vue-scene.ts')).measureList(size),
}
