// All rows, in the order of the table.
import type { Benchmark } from '../harness/types.ts'
import { optimisticList, optimisticRow, optimisticSameBase } from './optimistic.ts'
import { rollback } from './rollback.ts'

export const benchmarks: readonly Benchmark[] = [optimisticList, optimisticSameBase, optimisticRow, rollback]
