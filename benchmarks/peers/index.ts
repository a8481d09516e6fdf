// The peers that are measured, in the order of the tables.
import type { Library } from '../harness/subject.ts'
import { apollo } from './apollo.ts'
import { queryCore, queryCoreHooks } from './query-core.ts'
import { replicache } from './replicache.ts'
import { rtkQuery } from './rtk-query.ts'
import { swr } from './swr.ts'
import { tanstackDb, tanstackDbLive } from './tanstack-db.ts'

export const libraries: readonly Library[] = [
  queryCore,
  queryCoreHooks,
  tanstackDb,
  tanstackDbLive,
  swr,
  rtkQuery,
  apollo,
  replicache,
]
