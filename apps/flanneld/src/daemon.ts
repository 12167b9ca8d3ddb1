/** The daemon's life: configuration, log, signals. */
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { createLogger, runDaemon } from '@cluster/daemon'
import type { Logger } from '@cluster/prelude'
import { runFlanneld } from './compose.ts'
import { type ConfigFault, configOf, type FlanneldConfig } from './config.ts'
import type { GivenFlags } from './flags.ts'
import { inFlannelWords } from './flannel-words.ts'
import { createGlog } from './glog.ts'

/** Runs until a signal, and sets the exit code; gives what is wrong with the flags, if anything is. */
export async function runAsDaemon({
  given,
  warnings,
}: {
  readonly given: GivenFlags
  readonly warnings: readonly string[]
}): Promise<ConfigFault | undefined> {
  const read = configOf(given)
  if (!read.ok) return read.error
  const config = read.value
  const log = await logOf(config)
  for (const warning of [...warnings, ...config.warnings]) log.warn(warning)
  const programFolder = dirname(realpathSync(process.argv[1] ?? ''))
  await runDaemon({
    name: 'flanneld',
    log,
    main: (context) => runFlanneld(config, context, { environment: process.env, pid: process.pid, programFolder }, log),
  })
  return undefined
}

async function logOf({ logForm, verbosity, networks }: FlanneldConfig): Promise<Logger> {
  if (logForm !== 'glog') {
    return createLogger({ name: 'flanneld', level: verbosity > 0 ? 'debug' : 'info', format: logForm })
  }
  const write = (line: string): void => void process.stderr.write(line)
  const glog = createGlog({ verbosity, pid: process.pid, nowMs: Date.now, write })
  return inFlannelWords(glog, networks.map(({ subnetFile }) => subnetFile).join(', '))
}
