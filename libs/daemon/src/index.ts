/**
 * What every daemon of the cluster needs and no library should have to know: its configuration, its log, its figures,
 * its health, its signals, and a word to systemd.
 *
 * `main.ts` of a daemon reads its configuration with `readConfig`, makes a logger, and hands the rest to `runDaemon`.
 * @packageDocumentation
 */
export {
  type ConfigInput,
  type ConfigOutcome,
  type ConfigSource,
  type Configuration,
  describeSource,
  readConfig,
} from './config.ts'
export type { ConfigDeclaration, ConfigValues, OptionSet } from './config-declaration.ts'
export { type ConfigFile, type FileEntry, type FileProblem, parseConfigFile } from './config-file.ts'
export { parseDuration, renderDuration } from './duration.ts'
export { DaemonError, type DaemonErrorCode } from './errors.ts'
export { createHealth, type Health, type HealthCheck, type HealthReport } from './health.ts'
export { oneLine, renderLogFields } from './log-line.ts'
export {
  createLogger,
  type LeveledLogger,
  type LogFormat,
  type LoggerOptions,
  type LogLevel,
  logFormats,
  logLevels,
} from './logger.ts'
export { createMetrics, createProcessMetrics, type Metrics } from './metrics.ts'
export { createNotifier, type Notifier, type NotifierOptions } from './notify.ts'
export {
  booleanOption,
  choiceOption,
  durationOption,
  listOption,
  mapOption,
  numberOption,
  type Option,
  pathOption,
  secretOption,
  stringOption,
} from './options.ts'
export { nodeHost, type ProcessHost } from './process-host.ts'
export { type DaemonContext, type DaemonOptions, exitCodeOf, runDaemon } from './run.ts'
export { Secret } from './secret.ts'
export { systemClock } from './system-clock.ts'
export { systemRandom } from './system-random.ts'
