// React: one write in a long list, and one write that many components show. The page is imported when it is measured: no other
// row should find a document.
import { asComponents, asList } from '../harness/react.ts'
import type { Benchmark } from '../harness/types.ts'

const scenes = () => import('../harness/react-scene.ts')

export const reactList: Benchmark = {
  name: 'react-list',
  title: 'One optimistic write in a list in React, a component for each row, until the page shows it',
  of: 'rows',
  sizes: [100, 1_000, 10_000],
  measure: async (size) => (await scenes()).measureScene({ count: size, draw: asList, shows: 1 }),
}

export const reactComponents: Benchmark = {
  name: 'react-components',
  title: 'One optimistic write that many components in React show, each with the hook of its own, until all of them do',
  of: 'components',
  sizes: [10, 100, 1_000],
  measure: async (size) => (await scenes()).measureScene({ count: 1, draw: asComponents(size), shows: size }),
}
