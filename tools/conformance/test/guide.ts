/** The operating guide as a program: its marked blocks, and a host on which they run. */
import { type ExecFileException, execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePort } from '../src/server-process.ts'

const root = resolve(import.meta.dirname, '../../..')
const guidePath = join(root, 'docs/operating.md')
export const kvdDist = join(root, 'apps/kvd/dist')

/** Marked blocks of the guide: `procedure:backup` → its text. */
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
  if (block === undefined) throw new Error(`docs/operating.md has no block procedure:${name}`)
  return block
}

type Ran = { readonly exit: number; readonly stdout: string; readonly stderr: string }

export type Host = AsyncDisposable & {
  readonly folder: string
  readonly url: string
  readonly dataDirectory: string
  readonly environment: Readonly<Record<string, string>>
  /** What the store has logged. */
  readonly journal: () => string
  /** Runs a script with bash, to its end; the first command that fails ends it. */
  readonly run: (script: string, variables?: Readonly<Record<string, string>>) => Promise<Ran>
  /** The same behind another program: `unshare -m`. */
  readonly runBehind: (
    command: readonly string[],
    script: string,
    variables: Readonly<Record<string, string>>,
  ) => Promise<Ran>
}

/**
 * As much of systemctl as the guide uses. It keeps the settings of the service manager and of the unit's environment file,
 * and waits for readiness as Type=notify does. The subshell waits for its child, so that the file `pid` is gone when the
 * process is.
 */
const systemctl = `#!/usr/bin/env bash
set -euo pipefail
start() {
  ( set -a
    . "$HOST/environment-file"
    . "$HOST/manager-environment"
    set +a
    "$PROGRAMS/kvd.cjs" >> "$HOST/journal" 2>&1 &
    echo $! > "$HOST/pid"
    set +e
    wait $!
    echo $? > "$HOST/exit"
    rm "$HOST/pid"
  ) < /dev/null > /dev/null 2>&1 &
  until [ -e "$HOST/pid" ]; do sleep 0.02; done
  # The journal says it in the words that etcd's users wait for.
  local lines=$1
  until tail -n "+$lines" "$HOST/journal" | grep -q 'listening for client requests on'; do
    if [ ! -e "$HOST/pid" ]; then echo "kvd.service failed, exit $(cat "$HOST/exit")" >&2; exit 1; fi
    sleep 0.02
  done
}
stop() {
  if [ -e "$HOST/pid" ]; then kill "$(cat "$HOST/pid")" || true; fi
  while [ -e "$HOST/pid" ]; do sleep 0.02; done
}
case "$1" in
  set-environment) echo "$2" >> "$HOST/manager-environment" ;;
  unset-environment) sed -i "/^$2=/d" "$HOST/manager-environment" ;;
  stop) stop ;;
  start) start "$(($(wc -l < "$HOST/journal") + 1))" ;;
  restart) stop; start "$(($(wc -l < "$HOST/journal") + 1))" ;;
  *) echo "systemctl $1: not in this host" >&2; exit 2 ;;
esac
`

/** A host with `kvd`, `kvctl` and `systemctl` on its path and a data directory that does not exist yet. */
export async function createHost(): Promise<Host> {
  const folder = mkdtempSync(join(tmpdir(), 'cluster-guide-'))
  // Others may look, so that scripts which run as somebody else find the programs.
  chmodSync(folder, 0o755)
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  symlinkSync(kvdDist, join(folder, 'programs'))
  symlinkSync(join(kvdDist, 'kvd.cjs'), join(bin, 'kvd'))
  symlinkSync(join(root, 'apps/kvctl/dist/kvctl.cjs'), join(bin, 'kvctl'))
  writeFileSync(join(bin, 'systemctl'), systemctl, { mode: 0o755 })
  writeFileSync(join(folder, 'manager-environment'), '')
  writeFileSync(join(folder, 'journal'), '')
  const url = `http://127.0.0.1:${await freePort()}`
  const dataDirectory = join(folder, 'data')
  const settings = {
    ETCD_NAME: 'n1',
    ETCD_DATA_DIR: dataDirectory,
    ETCD_LISTEN_CLIENT_URLS: url,
    ETCD_ADVERTISE_CLIENT_URLS: url,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(folder, 'environment-file'), lines.join(''))
  const environment = {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOST: folder,
    PROGRAMS: join(folder, 'programs'),
    ENVIRONMENT_FILE: join(folder, 'environment-file'),
    DATA: dataDirectory,
    BACKUP: join(folder, 'backup'),
    URL: url,
    ETCDCTL_ENDPOINTS: url,
  }
  const runBehind: Host['runBehind'] = ([program = 'bash', ...first], script, variables) =>
    new Promise((settle) => {
      // Without --norc a bash whose input is no terminal may take itself for a remote shell.
      const args = [...first, ...(program === 'bash' ? [] : ['bash']), '--norc', '-euo', 'pipefail', '-c', script]
      const options = { cwd: folder, env: { ...environment, ...variables }, timeout: 110_000 }
      execFile(program, args, options, (error: ExecFileException | null, stdout, stderr) => {
        const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
        settle({ exit, stdout, stderr })
      })
    })
  return {
    folder,
    url,
    dataDirectory,
    environment,
    journal: () => readFileSync(join(folder, 'journal'), 'utf8'),
    run: (script, variables = {}) => runBehind(['bash'], script, variables),
    runBehind,
    [Symbol.asyncDispose]: async () => {
      await runBehind(['bash'], 'systemctl stop kvd', {})
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
