// Setup file: Testing Library waits as long as everything else does. It is loaded only where there is a document.
import { PATIENCE } from './patience.ts'

if (typeof document !== 'undefined') {
  const { configure } = await import('@testing-library/react')
  configure({ asyncUtilTimeout: PATIENCE.timeout })
}
