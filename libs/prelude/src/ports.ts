/** What libraries are given instead of reaching for it: time, chance, logs and figures. Types only. */

export type Clock = {
  /** Wall time in milliseconds since 1970. May jump. */
  readonly nowMs: () => number
  /** Milliseconds that only grow; for deadlines and durations. */
  readonly monotonicMs: () => number
  /** Resolves after `ms`, or at once when the signal fires. Never rejects. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

export type Random = {
  /** A number in [0, 1). */
  readonly next: () => number
}

export type LogFields = Readonly<Record<string, unknown>>

export type Logger = {
  readonly debug: (message: string, fields?: LogFields) => void
  readonly info: (message: string, fields?: LogFields) => void
  readonly warn: (message: string, fields?: LogFields) => void
  readonly error: (message: string, fields?: LogFields) => void
}

export type Labels = Readonly<Record<string, string>>

export type Counter = { readonly add: (labels?: Labels, by?: number) => void }
export type Gauge = { readonly set: (value: number, labels?: Labels) => void }
export type Histogram = { readonly observe: (value: number, labels?: Labels) => void }

/** Figures by name; names end in their unit (`_seconds`, `_bytes`, `_total`). Labels have few values. */
export type Meter = {
  readonly counter: (name: string, help: string, labelNames?: readonly string[]) => Counter
  readonly gauge: (name: string, help: string, labelNames?: readonly string[]) => Gauge
  readonly histogram: (name: string, help: string, labelNames?: readonly string[]) => Histogram
}

const nothing = (): void => undefined

/** A logger that says nothing. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** A meter that counts nothing. */
export const silentMeter: Meter = {
  counter: () => ({ add: nothing }),
  gauge: () => ({ set: nothing }),
  histogram: () => ({ observe: nothing }),
}
