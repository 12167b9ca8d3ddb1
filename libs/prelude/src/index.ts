/**
 * The few things every library here shares: results, brands, one error hierarchy, assertions,
 * and the ports for time, chance, logs and figures.
 * @packageDocumentation
 */
export { assert, InvariantError, unreachable } from './assert.ts'
export type { Brand } from './brand.ts'
export { ClusterError, type ClusterErrorOptions, describeError, isClusterError } from './cluster-error.ts'
export { createDoorbell, type Doorbell } from './doorbell.ts'
export { type EditCosts, editDistance, nearestWord } from './nearest-word.ts'
export {
  type Clock,
  type Counter,
  type Gauge,
  type Histogram,
  type Labels,
  type LogFields,
  type Logger,
  type Meter,
  type Random,
  silentLogger,
  silentMeter,
} from './ports.ts'
export { type Err, err, map, type Ok, ok, type Result } from './result.ts'
export { seededRandom } from './seeded-random.ts'
