/** fleetd: reads its configuration, runs, and takes a changed one at SIGHUP as far as that needs no restart. */
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { createLogger, exitCodeOf, type LogLevel, readConfig, runDaemon } from '@cluster/daemon'
import { describeError } from '@cluster/prelude'
import { composeFleetd, describeMachine } from './compose.ts'
import { checkConfig, declaration, type FleetdConfig, idleOptions } from './config.ts'

const input = { argv: process.argv.slice(2), environment: process.env }

const surroundings = {
  environment: process.env,
  pid: process.pid,
  programFolder: dirname(realpathSync(process.argv[1] ?? '.')),
}

const levelOf = ({ verbosity }: FleetdConfig): LogLevel => (verbosity > 0 ? 'debug' : 'info')

async function main(): Promise<void> {
  const configuration = await readConfig(declaration, input)
  if (configuration.kind === 'print') {
    process.stdout.write(configuration.text)
    return
  }
  checkConfig(configuration)
  const { values: config, warnings, file } = configuration
  const log = await createLogger({ name: 'fleetd', level: levelOf(config), format: config.logFormat })
  log.info('fleetd starts', { version: declaration.version, configuration: file ?? 'none' })
  for (const warning of [...warnings, ...idleOptions(config)]) log.warn('configuration', { warning })

  await runDaemon({
    name: 'fleetd',
    log,
    // A drain takes as long as the slowest unit may take to stop.
    shutdownTimeoutMs: config.drainOnStop ? 120_000 : 30_000,
    async main(context) {
      const { fleet, ended } = await composeFleetd(config, context, surroundings, log)
      context.onReload(async () => {
        const again = await readConfig(declaration, input)
        if (again.kind === 'print') return
        log.setLevel(levelOf(again.values))
        fleet.reconfigure(await describeMachine(again.values))
        log.info('configuration read again: metadata, public_ip and verbosity apply; others need a restart')
      })
      await ended
    },
  })
}

main().catch((error: unknown) => {
  for (const line of describeError(error)) process.stderr.write(`fleetd: ${line}\n`)
  process.exitCode = exitCodeOf(error)
})
