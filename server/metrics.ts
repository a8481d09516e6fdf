/** Counters and gauges: each measurement goes to `onMetric` as it happens, and the sums can be asked for. */

/** Name of a counter (only rises) or a gauge (now). Labels stand in braces: `mutations{applied}`. */
export interface Metric {
  name: string
  kind: 'counter' | 'gauge'
  /** What was added to a counter, or what a gauge stands at. */
  value: number
}

/** Sums by name, in the order in which they first came up. */
export type MetricsSnapshot = Record<string, number>

export interface Metrics {
  /** Adds to a counter. */
  count(name: string, value?: number): void
  /** Sets a gauge. */
  gauge(name: string, value: number): void
  snapshot(): MetricsSnapshot
}

export function createMetrics(onMetric: ((metric: Metric) => void) | undefined): Metrics {
  const sums = new Map<string, number>()
  return {
    count(name, value = 1) {
      sums.set(name, (sums.get(name) ?? 0) + value)
      onMetric?.({ name, kind: 'counter', value })
    },
    gauge(name, value) {
      if (sums.get(name) === value) return
      sums.set(name, value)
      onMetric?.({ name, kind: 'gauge', value })
    },
    snapshot: () => Object.fromEntries(sums),
  }
}
