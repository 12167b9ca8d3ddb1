/** flanneld: flags to configuration or command, the daemon, signals, exit codes. */
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { createLogger, runDaemon } from '@cluster/daemon'
import { describeError, type Logger } from '@cluster/prelude'
import { commandNames } from './command-names.ts'
import { type ConfigFault, configOf, type FlanneldConfig } from './config.ts'
import { readFlags } from './flags.ts'
import { inFlannelWords } from './flannel-words.ts'
import { createGlog } from './glog.ts'
import { versionText } from './version.ts'

/** Lets the process end by itself with this code, so that output is flushed. */
const endWith = (code: number): void => {
  process.exitCode = code
}

const complain = ({ message, remedy }: ConfigFault, code: number): void => {
  process.stderr.write(`flanneld: ${message}\nflanneld: ${remedy}\n`)
  endWith(code)
}

function logOf({ logForm, verbosity, networks }: FlanneldConfig): Logger {
  if (logForm !== 'glog') {
    return createLogger({ name: 'flanneld', level: verbosity > 0 ? 'debug' : 'info', format: logForm })
  }
  const write = (line: string): void => void process.stderr.write(line)
  const glog = createGlog({ verbosity, pid: process.pid, nowMs: Date.now, write })
  return inFlannelWords(glog, networks.map(({ subnetFile }) => subnetFile).join(', '))
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2)
  const outcome = readFlags(argv, process.env, commandNames, versionText(process))
  switch (outcome.kind) {
    case 'print':
      process.stdout.write(outcome.text)
      return
    case 'usage':
      return complain(outcome, 2)
    case 'refused':
      return complain(outcome, 1)
    case 'command': {
      const { runFlanneldCommand } = await import('./flanneld.ts')
      return endWith(await runFlanneldCommand(argv))
    }
    case 'run':
      break
    default:
      return outcome satisfies never
  }
  const read = configOf(outcome.given)
  if (!read.ok) return complain(read.error, 1)
  const config = read.value
  const log = logOf(config)
  for (const warning of [...outcome.warnings, ...config.warnings]) log.warn(warning)
  const { runFlanneld } = await import('./compose.ts')
  const programFolder = dirname(realpathSync(process.argv[1] ?? ''))
  await runDaemon({
    name: 'flanneld',
    log,
    main: (context) => runFlanneld(config, context, { environment: process.env, pid: process.pid, programFolder }, log),
  })
}

main().catch((error: unknown) => {
  for (const line of describeError(error)) process.stderr.write(`flanneld: ${line}\n`)
  endWith(1)
})
