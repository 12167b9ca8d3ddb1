import { createLogger, durationOption, listOption, readConfig, runDaemon, systemClock } from '@cluster/daemon'

const declaration = {
  name: 'beatd',
  version: '0.1.0',
  summary: 'says that it is alive',
  environmentPrefix: 'BEAT_',
  defaultFile: '/etc/beat.conf',
  options: {
    interval: durationOption({ help: 'Time between two beats.', default: 10_000, min: 10 }),
    receivers: listOption({ help: 'Who is told.', default: ['everybody'] }),
  },
}

const log = await createLogger({ name: 'beatd', level: 'info', format: 'text' })

await runDaemon({
  name: 'beatd',
  log,
  main: async ({ signal, onClose }) => {
    const outcome = await readConfig(declaration, { argv: process.argv.slice(2), environment: process.env })
    if (outcome.kind === 'print') {
      process.stdout.write(outcome.text)
      return
    }
    for (const warning of outcome.warnings) log.warn(warning)
    const { interval, receivers } = outcome.values
    onClose('receivers', () => log.info('goodbye', { receivers }))
    while (!signal.aborted) {
      log.info('alive', { receivers })
      await systemClock.sleep(interval, signal)
    }
  },
})
