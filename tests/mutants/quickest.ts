// A run ends with the first test that fails. Most breaks are noticed by a short test, so those come first: what is pure, then
// stories, then whole clients with what they wait for, then random histories.
import { BaseSequencer } from 'vitest/node'

type Files = Parameters<BaseSequencer['sort']>[0]

const ORDER = [
  'evidence/',
  'meaning/',
  'scenarios/',
  'lists/',
  'client/',
  'properties/',
  'properties/queue.',
  'properties/mixed.',
]

export class QuickestFirst extends BaseSequencer {
  override async sort(files: Files): Promise<Files> {
    const place = ({ moduleId }: Files[number]) => ORDER.findLastIndex((name) => moduleId.includes(`/tests/${name}`))
    return [...files].sort((a, b) => place(a) - place(b))
  }
}
