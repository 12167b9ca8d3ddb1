/** `npm run lab -- …`: wiring only. */
import { rm } from 'node:fs/promises'
import { ioOf, runCommandLine } from '@cluster/cli'
import { hostCgroups } from './cgroups.ts'
import { bringUpCluster } from './cluster.ts'
import { labCommandLine, splitWords } from './command-line.ts'
import { openLab, takeDown } from './lab.ts'
import { attachToMachine } from './machine.ts'
import { labNames } from './names.ts'
import { streamProgress } from './progress.ts'
import { programs } from './repository.ts'
import { checkRequirements } from './requirements.ts'
import { cacheFolder } from './root.ts'

const io = ioOf(process)
const progress = streamProgress(process.stderr)
const { own, command } = splitWords(process.argv.slice(2))

process.exitCode = await runCommandLine(labCommandLine, own, io, () => {
  const names = labNames(process.env)
  return {
    io,
    commandWords: command,
    isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    open: () => openLab(names),
    async up(machines, store) {
      const interrupted = new AbortController()
      const onSignal = (): void => interrupted.abort()
      process.once('SIGINT', onSignal)
      process.once('SIGTERM', onSignal)
      try {
        return await bringUpCluster(
          names,
          { machines, programs, environment: process.env, store },
          progress,
          interrupted.signal,
        )
      } finally {
        process.off('SIGINT', onSignal)
        process.off('SIGTERM', onSignal)
      }
    },
    async down({ withCache }) {
      await checkRequirements()
      const wasThere = await takeDown(names, progress)
      if (withCache) await rm(cacheFolder(process.env), { recursive: true, force: true })
      return wasThere || withCache
    },
    attach: (machine, words) => {
      openLab(names)
      return attachToMachine(hostCgroups(), names, machine, words)
    },
  }
})
