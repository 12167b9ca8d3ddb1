/** The two servers that are measured: Debian's etcd 3.4 with its v2 API, and ours; same flags, same disk. */
import { etcdCommand, kvdCommand, startServer } from '@cluster/conformance/server-process'
import type { Target } from './load.ts'

export type PeerName = 'etcd' | 'kvd'

export type Peer = {
  readonly name: PeerName
  readonly pid: number
  readonly target: Target
  /** SIGTERM and its end. */
  readonly stop: () => Promise<void>
}

export type PeerCommand = { readonly name: PeerName; readonly command: readonly string[] }

/** How each is started; `root` is the project. */
export const peerCommands = (root: string): readonly PeerCommand[] => [
  { name: 'etcd', command: etcdCommand },
  { name: 'kvd', command: kvdCommand(root) },
]

/** The key that the probe of the measurements asks for. */
export const probeKey = '/bench-probe'

/** Starts a server on a data directory below `folder`, new or left by an earlier start; it takes writes. */
export async function startPeer({ name, command }: PeerCommand, folder: string): Promise<Peer> {
  const { pid, host, port, clientUrl, stop } = await startServer({ command, folder })
  await (await fetch(`${clientUrl}/v2/keys${probeKey}`, { method: 'PUT' })).text()
  return { name, pid, target: { host, port }, stop }
}
