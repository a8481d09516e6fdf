// Which files begin first: those that take longest, so that no core is left with one of them at the end while the others have
// nothing to do. The rest goes by how long each took before; a fresh clone does not know, and goes by size.
import { BaseSequencer } from 'vitest/node'

type Files = Parameters<BaseSequencer['sort']>[0]

const LONGEST = [
  'properties/mixed.',
  'stream/property.',
  'properties/queue.',
  'properties/flicker.',
  'server/attacks.',
  'mocks/recovery.',
  'server/kill.',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: Files): Promise<Files> {
    const place = ({ moduleId }: Files[number]) => {
      const index = LONGEST.findIndex((name) => moduleId.includes(`/tests/${name}`))
      return index === -1 ? LONGEST.length : index
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}
