/**
 * Time and chance of this computer, without the rest of a daemon: for command lines and tests that need no more.
 * @packageDocumentation
 */
export { systemClock } from './system-clock.ts'
export { systemRandom } from './system-random.ts'
