// Before the run: all seven proxies are there. After it: what the files have measured, as one table and one JSON file.
import { missing, NEEDS } from './needs.ts'

export function setup(): void {
  const absent = missing()
  if (absent.length === 0) return
  const packages = absent.map((name) => NEEDS[name].package).join(' ')
  throw new Error(`These proxies are not here: ${absent.join(', ')}. Run apt-get install ${packages}.`)
}
