// The peers that are measured, in the order of the tables.
import type { Library } from '../harness/subject.ts'
import { queryCore, queryCoreHooks } from './query-core.ts'
import { swr } from './swr.ts'
import { tanstackDb, tanstackDbLive } from './tanstack-db.ts'

export const libraries: readonly Library[] = [queryCore, queryCoreHooks, tanstackDb, tanstackDbLive, swr]
