/** The guide to the overlay as a program: its marked blocks, and a machine of an overlay lab on which they run. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type CommandResult, runCommand } from '../src/command.ts'
import { addressOf, type HostNumber, type Namespace, type OverlayLab, overlayStoreUrl } from '../src/overlay/index.ts'
import { repositoryFolder } from '../src/repository.ts'
import { programs } from './open-lab.ts'

export const guidePath = `${repositoryFolder}/docs/overlay.md`

/** Marked blocks of the guide: `procedure:join` → its text. */
export function guideBlocks(): ReadonlyMap<string, string> {
  const blocks = new Map<string, string>()
  for (const [, mark = '', text = ''] of readFileSync(guidePath, 'utf8').matchAll(/^```\w+ (\S+:\S+)\n(.*?)^```$/gms)) {
    blocks.set(mark, text)
  }
  return blocks
}

/** The block of that name. */
export function procedure(name: string): string {
  const block = guideBlocks().get(`procedure:${name}`)
  if (block === undefined) throw new Error(`docs/overlay.md has no block procedure:${name}`)
  return block
}

export type GuideMachine = AsyncDisposable & {
  readonly network: Namespace
  readonly container: Namespace
  /** Runs a script with bash that must succeed, and gives what it printed. */
  readonly done: (script: string, variables?: Readonly<Record<string, string>>) => Promise<string>
  /** The same, whatever its exit code. */
  readonly run: (script: string, variables?: Readonly<Record<string, string>>) => Promise<CommandResult>
  /** `procedure:bridge`, and the container behind that bridge. */
  readonly bridge: () => Promise<void>
  /** A variable of /run/flannel/subnet.env. */
  readonly variable: (name: string) => Promise<string>
  /** `10.5.34.2` */
  readonly containerAddress: () => Promise<string>
  /** What flanneld has logged. */
  readonly journal: () => string
}

/**
 * As much of systemctl as the guide uses: it reads the settings as `EnvironmentFile=` does and waits for readiness as
 * Type=notify does. The subshell waits for its child, so that the file `pid` is gone when the process is. What is no
 * unit of ours is written down.
 */
const systemctl = `#!/usr/bin/env bash
set -euo pipefail
start() {
  ( set -a
    . "$CONFIG"
    set +a
    flanneld >> "$MACHINE/journal" 2>&1 &
    echo $! > "$MACHINE/pid"
    set +e
    wait $!
    echo $? > "$MACHINE/exit"
    rm "$MACHINE/pid"
  ) < /dev/null > /dev/null 2>&1 &
  until [ -e "$MACHINE/pid" ]; do sleep 0.02; done
  until curl -s --unix-socket /run/flannel/subnet.sock http://flanneld/readyz | grep -q 'is ready$'; do
    if [ ! -e "$MACHINE/pid" ]; then echo "flanneld.service failed, exit $(cat "$MACHINE/exit")" >&2; exit 1; fi
    sleep 0.02
  done
}
stop() {
  if [ -e "$MACHINE/pid" ]; then kill "$(cat "$MACHINE/pid")" || true; fi
  while [ -e "$MACHINE/pid" ]; do sleep 0.02; done
}
[ "$2" = flanneld ] || { echo "systemctl $*" >> "$MACHINE/others"; exit 0; }
case "$1" in
  stop) stop ;;
  start) start ;;
  restart) stop; start ;;
  *) echo "systemctl $1: not on this machine" >&2; exit 2 ;;
esac
`

/** Programs that the guide calls and that are not to act here: they write down what they were told. */
const writtenDown = (program: string): string => `#!/bin/sh
echo "${program} $*" >> "$MACHINE/others"
`

/** A machine of the lab with `flanneld`, `kvctl` and `systemctl` on its path and a /run of its own. */
export async function openGuideMachine(lab: OverlayLab, number: HostNumber): Promise<GuideMachine> {
  const { network, container } = lab.host(number)
  const folder = `${lab.folder}/machine${number}`
  const bin = `${folder}/bin`
  mkdirSync(bin, { recursive: true })
  symlinkSync(programs.flanneld, `${bin}/flanneld`)
  symlinkSync(programs.kvctl, `${bin}/kvctl`)
  writeFileSync(`${bin}/systemctl`, systemctl, { mode: 0o755 })
  for (const name of ['podman', 'networkctl']) writeFileSync(`${bin}/${name}`, writtenDown(name), { mode: 0o755 })
  for (const name of ['journal', 'others']) writeFileSync(`${folder}/${name}`, '')
  const environment = {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    MACHINE: folder,
    STORE: overlayStoreUrl,
    ADDRESS: addressOf(number),
    CONFIG: `${folder}/flanneld.env`,
    ETCDCTL_ENDPOINTS: overlayStoreUrl,
    FLANNELD_ETCD_ENDPOINTS: overlayStoreUrl,
  }
  const own = 'mount -t tmpfs tmpfs /run; mount -t sysfs sysfs /sys; echo held; exec cat'
  const [file, args] = network.inside(['unshare', '--mount', 'sh', '-ec', own])
  const holder = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = new Promise<void>((resolve) => holder.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve())
    holder.once('error', reject)
    holder.once('close', () => reject(new Error('a machine without a /run of its own')))
  })
  const run: GuideMachine['run'] = (script, variables = {}) => {
    // Without --norc a bash whose input is no terminal may take itself for a remote shell.
    const bash = ['bash', '--norc', '-euo', 'pipefail', '-c', script]
    const enter = [`--net=/proc/${network.pid}/ns/net`, `--mount=/proc/${holder.pid}/ns/mnt`, '--wd=/']
    const env = { ...environment, ...variables }
    return runCommand('nsenter', [...enter, ...bash], { env, timeoutMs: 60_000 })
  }
  const journal = (): string => readFileSync(`${folder}/journal`, 'utf8')
  const done: GuideMachine['done'] = async (script, variables) => {
    const { code, stdout, stderr } = await run(script, variables)
    if (code === 0) return stdout
    const log = journal().trimEnd().split('\n').slice(-12).join('\n')
    throw new Error(`machine ${number} ended with code ${code}:\n${script}\n${stdout}${stderr}\nits flanneld:\n${log}`)
  }
  const variable: GuideMachine['variable'] = async (name) =>
    (await done(`. /run/flannel/subnet.env; echo "$${name}"`)).trim()
  const containerAddress = async (): Promise<string> => (await variable('FLANNEL_SUBNET')).replace(/\.\d+\/\d+$/, '.2')
  return {
    network,
    container,
    run,
    done,
    journal,
    variable,
    containerAddress,
    async bridge() {
      await done(`ip link delete c0 2> /dev/null || true\n${procedure('bridge')}`)
      const [subnet, mtu] = [await variable('FLANNEL_SUBNET'), await variable('FLANNEL_MTU')]
      await network.ip([
        `link add c0 mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${container.pid}`,
        'link set c0 master overlay0 up',
      ])
      await container.ip([
        'link set lo up',
        `addr add ${await containerAddress()}/${subnet.split('/')[1]} dev eth0`,
        'link set eth0 up',
        `route add default via ${subnet.split('/')[0]}`,
      ])
    },
    async [Symbol.asyncDispose]() {
      await run('systemctl stop flanneld')
      holder.stdin.end()
      await closed
    },
  }
}
