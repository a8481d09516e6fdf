// Gets the engines that are not there, before `npm run test:engines`: by apt-get, where that may be (root, on Debian).
// Never fails: what is still missing then is said, and is a failure of the tests where they must not be left out.
import { installByApt } from '../apt.ts'
import { ENGINES, missing } from './needs.ts'

const packages = ENGINES.filter((need) => missing(need) !== undefined).flatMap((need) => need.packages)
if (packages.length > 0) installByApt(packages)
