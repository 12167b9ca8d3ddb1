/**
 * The network of a lab: a namespace of its own with one bridge, so that nothing touches the host's own links.
 * The namespace is held by a file of the lab's runtime folder, not by `ip netns`, which leaves its folder mounted.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { runCommand, runOrThrow } from './command.ts'
import { isMounted } from './mounts.ts'
import { bridgeName, hostAddress, type LabNames, linkName } from './names.ts'

/** Makes the namespace and in it the bridge with the lab's own address. */
export async function createNetwork(names: LabNames): Promise<void> {
  writeFileSync(names.networkFile, '')
  await runOrThrow('unshare', [`--net=${names.networkFile}`, 'true'])
  const batch = [
    'link set lo up',
    // Without an address of its own a bridge takes the lowest of its ports: killing that machine would change it, and
    // the others could not reach the store until their neighbour entries had aged (three seconds, seen).
    `link add ${bridgeName} address 02:00:00:00:00:01 type bridge`,
    `address add ${hostAddress}/24 dev ${bridgeName}`,
    `link set ${bridgeName} up`,
  ]
  await runInNetwork(names, 'ip', ['-batch', '-'], `${batch.join('\n')}\n`)
}

/** Runs a program of the host inside the lab's network. */
export const runInNetwork = (names: LabNames, file: string, args: readonly string[], input?: string): Promise<string> =>
  runOrThrow('nsenter', [`--net=${names.networkFile}`, file, ...args], { input })

/** Takes a machine's link out of the bridge: no packet comes or goes, and nobody is told. */
export const cutLink = async (names: LabNames, machine: string): Promise<void> => {
  await runInNetwork(names, 'ip', ['link', 'set', linkName(names, machine), 'nomaster'])
}

/** Puts the link back. */
export const restoreLink = async (names: LabNames, machine: string): Promise<void> => {
  await runInNetwork(names, 'ip', ['link', 'set', linkName(names, machine), 'master', bridgeName])
}

/**
 * Takes the store off the network: its address goes, so packets to it and from it are lost, and nobody is told.
 * Machines still reach each other, and the host the store.
 */
export async function cutStoreLink(names: LabNames): Promise<void> {
  await runInNetwork(names, 'ip', ['address', 'flush', 'dev', bridgeName])
}

/** Puts the store back, or does nothing where it is. */
export async function restoreStoreLink(names: LabNames): Promise<void> {
  await runInNetwork(names, 'ip', ['address', 'replace', `${hostAddress}/24`, 'dev', bridgeName])
}

/** Whether machines can reach the store. */
export async function isStoreLinked(names: LabNames): Promise<boolean> {
  const args = [`--net=${names.networkFile}`, 'ip', '-o', '-4', 'address', 'show', 'dev', bridgeName]
  const result = await runCommand('nsenter', args)
  return result.code === 0 && result.stdout.includes(`${hostAddress}/24`)
}

/** Whether the machine's link is in the bridge; false for a machine without a link. */
export async function isLinked(names: LabNames, machine: string): Promise<boolean> {
  const result = await runCommand('nsenter', [
    `--net=${names.networkFile}`,
    'ip',
    '-o',
    'link',
    'show',
    'dev',
    linkName(names, machine),
  ])
  return result.code === 0 && result.stdout.includes(`master ${bridgeName}`)
}

/** Lets the namespace go; with its last process gone the kernel removes all links in it. */
export async function removeNetwork(names: LabNames): Promise<void> {
  while (isMounted(names.networkFile)) await runOrThrow('umount', [names.networkFile])
  if (existsSync(names.networkFile)) rmSync(names.networkFile)
}
