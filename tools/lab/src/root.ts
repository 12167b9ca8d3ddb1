/**
 * The root file system that all machines boot from: made once by debootstrap, kept in a cache outside the repository,
 * never booted writable (machines lay a volatile overlay over it).
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { runCommand, runOrThrow } from './command.ts'
import { LabError } from './errors.ts'
import type { LabEnvironment } from './names.ts'
import type { Progress } from './progress.ts'

/** Beyond minbase: systemd itself, its bus, the network's tools, the packet filter, and what the host's node links to. */
const packages = ['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'nftables', 'procps', 'libstdc++6', 'libatomic1']

/** Units that make no sense in a machine that lives for minutes; the first one would leave it "degraded". */
const maskedUnits = [
  'systemd-machine-id-commit.service',
  'systemd-firstboot.service',
  'systemd-pstore.service',
  'console-getty.service',
  'getty@tty1.service',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
]

const files: Readonly<Record<string, string>> = {
  'etc/systemd/journald.conf.d/lab.conf': '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\n',
  'etc/fleet/.keep': '',
  'opt/cluster/.keep': '',
  'var/lib/fleet/.keep': '',
  'usr/local/lib/systemd/system/.keep': '',
}

export type RootRecipe = { readonly suite: string; readonly key: string }

/** What the root would be made of, and a key that changes with it. */
export function rootRecipe(suite: string): RootRecipe {
  const contents = JSON.stringify({ suite, packages, maskedUnits, files, arch: process.arch })
  return { suite, key: `root-${suite}-${createHash('sha256').update(contents).digest('hex').slice(0, 12)}` }
}

/** Where roots are kept: `CLUSTER_LAB_CACHE`, else `cluster-lab` in the user's cache folder. */
export const cacheFolder = (environment: LabEnvironment): string =>
  environment['CLUSTER_LAB_CACHE'] || `${environment['XDG_CACHE_HOME'] || `${homedir()}/.cache`}/cluster-lab`

/**
 * The folder of the root, made now if it does not exist yet (about a minute, some 250 MB).
 *
 * @throws LabError `lab/root` with the last lines of debootstrap
 */
export async function ensureRoot(
  environment: LabEnvironment,
  progress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const recipe = rootRecipe(await debianSuite())
  const cache = cacheFolder(environment)
  const root = `${cache}/${recipe.key}`
  if (existsSync(root)) return root
  mkdirSync(cache, { recursive: true })
  await removeLeftovers(cache)
  const partial = `${cache}/.partial-${process.pid}-${recipe.key}`
  const startMs = performance.now()
  const seconds = (): string => `${Math.round((performance.now() - startMs) / 1000)} s`
  try {
    const mirror = environment['CLUSTER_LAB_MIRROR'] || (await hostMirror(recipe.suite))
    const stepOf = readDebootstrap()
    const result = await runCommand(
      'debootstrap',
      [
        '--variant=minbase',
        `--include=${packages.join(',')}`,
        recipe.suite,
        partial,
        ...(mirror === undefined ? [] : [mirror]),
      ],
      {
        env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`, LC_ALL: 'C' },
        signal,
        onLine: (line) => progress.step(`root file system (once): ${stepOf(line)}, ${seconds()}`),
      },
    )
    if (result.code !== 0) {
      throw new LabError(
        'lab/root',
        `debootstrap ended with code ${result.code}:\n  ${result.stdout.trim().split('\n').slice(-8).join('\n  ')}`,
        { hint: 'check that this host reaches its Debian mirror, or name one in CLUSTER_LAB_MIRROR' },
      )
    }
    furnish(partial)
    rename(partial, root)
  } finally {
    await unmountBelow(partial)
    rmSync(partial, { recursive: true, force: true })
  }
  progress.done(`root file system made in ${seconds()}: ${root}`)
  return root
}

/** What debootstrap mounts inside the root stays mounted when it is killed. */
async function unmountBelow(folder: string): Promise<void> {
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((place) => place.startsWith(`${folder}/`))
  for (const place of mounted.reverse()) await runOrThrow('umount', [place])
}

function furnish(root: string): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(`${root}/${name}`), { recursive: true })
    writeFileSync(`${root}/${name}`, text)
  }
  for (const unit of maskedUnits) {
    const link = `${root}/etc/systemd/system/${unit}`
    rmSync(link, { force: true })
    symlinkSync('/dev/null', link)
  }
  for (const folder of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/locale', 'usr/share/man']) {
    rmSync(`${root}/${folder}`, { recursive: true, force: true })
  }
}

/** Another lab may have finished the same root first: then its root is taken. */
function rename(partial: string, root: string): void {
  try {
    renameSync(partial, root)
  } catch (error) {
    if (!existsSync(root)) throw error
  }
}

/** Half-made roots of runs that were killed. */
async function removeLeftovers(cache: string): Promise<void> {
  for (const name of readdirSync(cache)) {
    const pid = /^\.partial-(\d+)-/.exec(name)?.[1]
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    await unmountBelow(`${cache}/${name}`)
    rmSync(`${cache}/${name}`, { recursive: true, force: true })
  }
}

/** Turns debootstrap's lines into one short phrase. */
function readDebootstrap(): (line: string) => string {
  let phrase = 'starting'
  return (line) => {
    const [, verb, what] = /^I: (Retrieving|Validating|Extracting|Unpacking|Configuring) (\S+)/.exec(line) ?? []
    if (verb !== undefined && what !== undefined) phrase = `${verb.toLowerCase()} ${what.replace(/\.+$/, '')}`
    return phrase
  }
}

/** The host's own release, so that the host's node finds the libraries it was linked with; else Debian 12. */
async function debianSuite(): Promise<string> {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const field = (name: string): string | undefined => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(release)?.[1]
  return (field('ID') === 'debian' ? field('VERSION_CODENAME') : undefined) ?? 'bookworm'
}

/** The mirror that the host's own apt uses for the release, or undefined: debootstrap knows one itself. */
async function hostMirror(suite: string): Promise<string | undefined> {
  const targets = await runCommand('apt-get', ['indextargets', '--format', '$(SITE) $(RELEASE) $(COMPONENT)']).catch(
    () => undefined,
  )
  return targets?.stdout
    .split('\n')
    .map((line) => line.split(' '))
    .find(([site, release, component]) => release === suite && component === 'main' && site?.startsWith('http'))?.[0]
}
