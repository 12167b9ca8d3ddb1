/** Where a flanneld and the commands that ask it meet. */
import { dirname } from 'node:path'
import type { NetworkFile } from './config.ts'

/**
 * The socket beside the subnet file, so that two daemons on one machine, which have a file each, have a socket each:
 * `/run/flannel/subnet.env` → `/run/flannel/subnet.sock`. Several networks of one daemon: `flanneld.sock` in the folder.
 */
export function socketPathOf(networks: readonly NetworkFile[]): string {
  const [first] = networks
  const file = first?.subnetFile ?? '/run/flannel/subnet.env'
  return first?.name === undefined ? `${file.replace(/\.env$/, '')}.sock` : `${dirname(file)}/flanneld.sock`
}
