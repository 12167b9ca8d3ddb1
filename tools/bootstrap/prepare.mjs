/**
 * What a fresh clone needs before its programs run: packages, Debian's programs, a build.
 * Plain JavaScript without dependencies, since it runs before there are any. Quick when nothing is to be done.
 */
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Programs that the lab calls, with the Debian package of each. */
const labPrograms = {
  'systemd-nspawn': 'systemd-container',
  debootstrap: 'debootstrap',
  ip: 'iproute2',
  nsenter: 'util-linux',
  mount: 'mount',
  fallocate: 'util-linux',
  bridge: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
  ping: 'iputils-ping',
  setpriv: 'util-linux',
}

/** What runs beside our own store, to be compared with it or to stand in for it. */
const peerPrograms = { etcd: 'etcd-server' }

/** A reason to stop that a person can act on; printed without a stack. */
export class Refusal extends Error {}

/** Runs a main function; a refusal or a failed step becomes a message and exit code 1. */
export async function runMain(main) {
  try {
    requireNode()
    process.exitCode = (await main()) ?? 0
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new Refusal(`this is Node ${process.versions.node}; 20.19 or newer is needed: install Node 20 LTS or later`)
}

/**
 * Runs a program to its end. On a terminal its output is the program's own; elsewhere it is held back and shown only
 * when it fails, while a line every ten seconds says that it is still at work.
 */
export function step(title, file, args, { env = process.env, onLine } = {}) {
  const startMs = performance.now()
  const seconds = () => `${Math.round((performance.now() - startMs) / 1000)} s`
  process.stderr.write(`${title} …\n`)
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: repository, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let rest = ''
    let last = ''
    const take = (chunk) => {
      output = (output + chunk).slice(-64 * 1024)
      const lines = (rest + chunk).split(/[\r\n]+/)
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line.trim() !== '') last = line.trim()
        onLine?.(line)
      }
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    const pulse = setInterval(
      () => process.stderr.write(`  ${seconds()}: ${last === '' ? 'at work' : last.slice(0, 100)}\n`),
      10_000,
    )
    child.on('error', (error) => {
      clearInterval(pulse)
      reject(new Refusal(`${title}: ${file} could not be started (${error.message})`))
    })
    child.on('close', (code) => {
      clearInterval(pulse)
      if (code === 0) {
        process.stderr.write(`  done in ${seconds()}\n`)
        resolve(output)
        return
      }
      reject(new Refusal(`${output.trimEnd()}\n${title}: ${file} ended with code ${code ?? 'of a signal'}`))
    })
  })
}

/** Installs the npm packages that the lock file names, unless they are there already. */
export async function ensurePackages() {
  const lock = `${repository}/package-lock.json`
  const installed = `${repository}/node_modules/.package-lock.json`
  // npm writes its hidden lock file last, so it is there and newer only when the install was complete.
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  const stamp = `${repository}/node_modules/.installed-lock.json`
  if (existsSync(installed) && existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(lock, 'utf8')) return
  await step('Installing packages (npm ci)', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(stamp, readFileSync(lock))
}

/** Builds everything, or the named projects and what they depend on; unchanged projects come from nx's cache. */
export async function build(projects = []) {
  const target = projects.length === 0 ? [] : ['-p', projects.join(',')]
  await step('Building', process.execPath, ['node_modules/.bin/nx', 'run-many', '-t', 'build', ...target], {
    env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' },
  })
}

/** What keeps this host from running the lab, one line each; empty when nothing does. Programs that apt has are not counted for root. */
export function labObstacles({ withEtcd = false } = {}) {
  if (process.platform !== 'linux')
    return [`the lab boots systemd machines and needs Linux; this is ${process.platform}`]
  const obstacles = []
  if (process.geteuid() !== 0) obstacles.push('the lab needs root: run this with sudo, or as root')
  const missing = missingLabPackages(withEtcd)
  if (missing.length > 0 && (process.geteuid() !== 0 || !hasProgram('apt-get'))) {
    obstacles.push(
      hasProgram('apt-get')
        ? `missing Debian packages: apt-get install -y --no-install-recommends ${missing.join(' ')}`
        : `missing programs, and this is no Debian: install what Debian calls ${missing.join(', ')}`,
    )
  }
  if (obstacles.length === 0) {
    const rights = spawnSync('unshare', ['--net', '--mount', 'true'], { encoding: 'utf8' })
    if (rights.status !== 0) {
      obstacles.push(
        `this root may not make namespaces (${rights.stderr?.trim() || 'unshare failed'}): start the container privileged, or use a virtual machine`,
      )
    }
  }
  return obstacles
}

/** Installs the Debian packages that the lab calls. Call it when `labObstacles` names none. */
export async function ensureLabPrograms({ withEtcd = false } = {}) {
  await installPackages(missingLabPackages(withEtcd))
}

/** The browser that the pure libraries are tried in, from Debian when this is root; without it that test skips itself. */
export async function ensureBrowser() {
  if (hasProgram('chromium') || !hasProgram('apt-get') || process.geteuid() !== 0) return
  await installPackages(['chromium']).catch((error) => {
    process.stderr.write(`${error.message}\n  going on without a browser\n`)
  })
}

async function installPackages(missing) {
  if (missing.length === 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const install = ['install', '-y', '--no-install-recommends', ...missing]
  const title = `Installing Debian packages: ${missing.join(', ')}`
  await step('Reading package lists (apt-get update)', 'apt-get', ['update', '-q'], { env }).catch((error) => {
    // One unreachable source among several is no reason to stop: the install says whether it matters.
    process.stderr.write(`${error.message}\n  going on with the package lists that are there\n`)
  })
  await step(title, 'apt-get', install, { env })
}

function missingLabPackages(withEtcd) {
  const programs = Object.entries({ ...labPrograms, ...(withEtcd ? peerPrograms : {}) })
  return [...new Set(programs.flatMap(([program, name]) => (hasProgram(program) ? [] : [name])))]
}

export function hasProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(`${folder}/${name}`, constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })
}

/** The projects that the lab boots machines with. */
export const labProjects = ['@cluster/fleetd', '@cluster/fleetctl', '@cluster/kvd', '@cluster/flanneld', '@cluster/lab']

/** Whether a command line or the environment asks for Debian's etcd in place of our store. */
export const asksForEtcd = (args) => args.includes('--etcd') || process.env.CLUSTER_LAB_STORE === 'etcd'

/** Everything that a command in the lab needs; refuses with all obstacles at once. */
export async function prepareLab({ withEtcd = false } = {}) {
  const obstacles = labObstacles({ withEtcd })
  if (obstacles.length > 0) {
    throw new Refusal(`This needs a Debian machine and root:\n${obstacles.map((line) => `  - ${line}`).join('\n')}`)
  }
  await ensurePackages()
  await ensureLabPrograms({ withEtcd })
  await build(labProjects)
}

/** Hands over to a built program, signals and terminal included; gives its exit code. */
export function handOver(file, args) {
  const child = spawn(process.execPath, [`${repository}/${file}`, ...args], { stdio: 'inherit' })
  // On a terminal the program gets Ctrl-C itself; a signal to this process alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}
