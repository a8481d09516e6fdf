// All rows, in the order of the table.
import type { Benchmark } from '../harness/types.ts'
import { declaredList } from './declared.ts'
import { memoryCachedQuery, memoryClient, memoryPendingWrite, memoryWatchedQuery, memoryWrites } from './memory.ts'
import { optimisticList, optimisticRow, optimisticSameBase, optimisticTurn } from './optimistic.ts'
import { invalidate, invalidateStream, pushStream, setQueryData } from './pushes.ts'
import { queueManyScopes, queueOneScope } from './queue.ts'
import { reactComponents, reactList } from './react.ts'
import { refreshData, refreshRefetch } from './refresh.ts'
import { reload, resync } from './reload.ts'
import { middleFails, rollback } from './rollback.ts'
import { vueList } from './vue.ts'
import { size, start } from './weight.ts'

export const benchmarks: readonly Benchmark[] = [
  optimisticList,
  optimisticSameBase,
  optimisticRow,
  optimisticTurn,
  rollback,
  middleFails,
  refreshRefetch,
  refreshData,
  pushStream,
  setQueryData,
  invalidate,
  invalidateStream,
  queueOneScope,
  queueManyScopes,
  declaredList,
  reload,
  resync,
  memoryCachedQuery,
  memoryWatchedQuery,
  memoryClient,
  memoryPendingWrite,
  memoryWrites,
  reactList,
  reactComponents,
  vueList,
  start,
  size,
]
