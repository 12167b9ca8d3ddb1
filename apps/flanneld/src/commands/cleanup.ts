/** `flanneld cleanup`: takes away all that was made on this machine. */
import { outputForm, printJson } from '@cluster/cli'
import { cleanup as cleanUp } from '@cluster/flannel'
import { silentLogger } from '@cluster/prelude'
import { isDaemonRunning } from '../ask-daemon.ts'
import type { Run } from '../command.ts'
import { FlanneldError } from '../errors.ts'
import { openMachineKernel } from '../machine-kernel.ts'
import { openStore } from '../open-store.ts'
import { fileOf } from '../subnet-file.ts'

export const cleanup: Run = async ({ io, networks, store, signal }, { flags }) => {
  const releaseLease = flags.boolean('release-lease')
  const publicIp = flags.text('public-ip')
  if (releaseLease && publicIp === '') {
    io.stderr.write('--release-lease needs the address by which the lease is known: --public-ip\n')
    return 2
  }
  if (await isDaemonRunning(networks, signal)) {
    throw new FlanneldError('flanneld/usage', 'flanneld is running and would make all of it again', {
      hint: 'stop it first: systemctl stop flanneld',
    })
  }
  await using kv = await openStore(store, silentLogger)
  const reports = []
  for (const network of networks) {
    const { name } = network
    await using kernel = await openMachineKernel({ filter: 'auto' })
    const options = {
      kv,
      kernel,
      prefix: store.prefix,
      subnetFile: fileOf(network),
      releaseLease,
      ...(name === undefined ? {} : { name }),
      ...(publicIp === '' ? {} : { publicIp }),
    }
    reports.push(await cleanUp(options, signal))
  }
  const [removed, failures] = [reports.flatMap((one) => one.removed), reports.flatMap((one) => one.failures)]
  if (outputForm(flags.text('output')) === 'json') printJson(io, { removed, failures })
  else for (const line of removed) io.stdout.write(`${line}\n`)
  for (const failure of failures) io.stderr.write(`not removed: ${failure}\n`)
  if (removed.length === 0 && failures.length === 0) io.stderr.write('nothing of flanneld was there\n')
  return failures.length === 0 ? 0 : 1
}
