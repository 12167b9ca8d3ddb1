/**
 * Holds a directory for one process with files alone: Node has no flock.
 *
 * In the folder `lock` every holder has a numbered file that names it; the holder of the highest number holds the
 * directory. A file appears by `link`, which is atomic, fails when the name is taken, and shows its content from the first
 * moment. Whoever finds the highest one released or its process gone makes the next number; only one can. The highest
 * number is never removed, so the number only grows, and one who was slow (it looked, slept while others came and went,
 * and then found an old number free again) sees a higher one after it made its own, and takes it back.
 *
 * Whether a holder lives is told by a named pipe that it keeps open for reading: opening it for writing without waiting
 * fails with `ENXIO` once the kernel has closed it, also for a process in another container and however it ended. Where
 * there is no `mkfifo` command, the process number, the boot and the start time of the process tell.
 *
 * A full disk must not keep a store from being opened to make room in it, or from being closed: then the holder's file is
 * a symbolic link that leads nowhere and names process and pipe, which needs no block.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { DiskLock } from './disk.ts'
import { errnoOf, isNoSpace, WalError } from './errors.ts'
import { lockDirectory } from './layout.ts'

const { O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** What a lock file says, as JSON. */
type Holder = {
  readonly pid: number
  readonly bootId: string
  /** Clock ticks after the boot at which the process began. */
  readonly startTime: string
  /** The pid namespace: numbers of another one say nothing here. */
  readonly namespace: string
  /** Name of the pipe in the same folder; empty where none could be made. */
  readonly pipe: string
  readonly isReleased: boolean
}

/** More processes than this coming and going while one of them tries means that something else is wrong. */
const attemptsMax = 100

/**
 * Holds `directory`, which must exist.
 *
 * @throws WalError `wal/in-use`, naming the process that has it
 */
export function lockDirectoryOf(directory: string): DiskLock {
  const folder = lockDirectory(directory)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
  const token = `${process.pid}-${randomBytes(8).toString('hex')}`
  const pipe = openPipe(folder, `${token}.pipe`)
  const self: Holder = { ...describeProcess(), pipe: pipe?.name ?? '', isReleased: false }
  const draft = join(folder, `${token}.draft`)
  try {
    const number = takeNumber(directory, folder, claimOf(draft, self))
    removeOld(folder, number)
    return { release: () => release(folder, number, draft, self, pipe) }
  } catch (error) {
    pipe?.close()
    throw error
  } finally {
    remove(draft)
  }
}

/** Makes the holder's file at a path, whole from the first moment. Throws `EEXIST` when the name is taken. */
type Claim = (path: string) => void

function claimOf(draft: string, self: Holder): Claim {
  try {
    writeFile(draft, self)
    return (path) => linkSync(draft, path)
  } catch (error) {
    // Without a pipe a link could not say enough of its holder.
    if (!isNoSpace(error) || self.pipe === '') throw error
    return (path) => symlinkSync(`${self.pid}:${self.pipe}`, path)
  }
}

function takeNumber(directory: string, folder: string, claim: Claim): number {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const highest = numbersIn(folder).at(-1) ?? 0
    const holder = highest === 0 ? undefined : readHolder(join(folder, fileName(highest)))
    if (holder === 'vanished') continue // a higher one has come
    if (holder !== undefined && isAlive(folder, holder)) throw inUse(directory, folder, holder)
    const own = join(folder, fileName(highest + 1))
    try {
      claim(own)
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') continue // somebody was faster: look who
      throw error
    }
    if (numbersIn(folder).at(-1) === highest + 1) return highest + 1
    remove(own)
  }
  throw new WalError('wal/in-use', `${directory} could not be locked in ${attemptsMax} attempts: others keep coming`, {
    hint: `see which processes use ${folder}`,
  })
}

const inUse = (directory: string, folder: string, holder: Holder): WalError =>
  new WalError('wal/in-use', `${directory} is in use by process ${holder.pid}${whereElse(holder)}`, {
    hint: `stop that process, or use another directory; if it surely runs nowhere, remove ${folder}`,
  })

const whereElse = (holder: Holder): string =>
  holder.namespace === describeProcess().namespace ? '' : ' of another container'

function release(folder: string, number: number, draft: string, self: Holder, pipe: Pipe | undefined): void {
  const own = join(folder, fileName(number))
  const released: Holder = { ...self, isReleased: true }
  try {
    // Replaced, never removed: the highest number has to stay.
    writeFile(draft, released)
    renameSync(draft, own)
  } catch (error) {
    if (!isNoSpace(error)) throw error
    remove(draft)
    // The pipe that nobody reads tells as much. Without one the file is written over: whoever reads half of it reads nobody.
    if (pipe === undefined) overwrite(own, released)
  } finally {
    pipe?.close()
  }
}

/**
 * Removes what holders before this one left behind; the last two files stay, for slow readers. Only pipes that such a file
 * names: one without a reader may belong to a process that is about to open it.
 */
function removeOld(folder: string, number: number): void {
  for (const old of numbersIn(folder)) {
    if (old >= number) return
    const path = join(folder, fileName(old))
    const holder = readHolder(path)
    if (holder !== undefined && holder !== 'vanished' && holder.pipe !== '') remove(join(folder, holder.pipe))
    if (old <= number - 3) remove(path)
  }
}

function isAlive(folder: string, holder: Holder): boolean {
  const self = describeProcess()
  if (holder.isReleased || holder.bootId !== self.bootId) return false
  if (holder.pipe !== '') return pipeIsRead(join(folder, holder.pipe))
  // Without a pipe, a process of another pid namespace cannot be looked at: better refused than shared.
  return holder.namespace !== self.namespace || startTimeOf(holder.pid) === holder.startTime
}

type Pipe = { readonly name: string; readonly close: () => void }

/** Undefined where no pipe can be made. */
function openPipe(folder: string, name: string): Pipe | undefined {
  const path = join(folder, name)
  try {
    execFileSync('mkfifo', ['-m', '600', path], { stdio: 'ignore' })
    const descriptor = openSync(path, O_RDONLY | O_NONBLOCK)
    return {
      name,
      close: () => {
        closeSync(descriptor)
        remove(path)
      },
    }
  } catch {
    return undefined // no such command, or a file system without pipes: process numbers tell instead
  }
}

/** Whether somebody has the pipe open for reading. */
function pipeIsRead(path: string): boolean {
  try {
    closeSync(openSync(path, O_WRONLY | O_NONBLOCK))
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENXIO' || errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

function describeProcess(): Pick<Holder, 'pid' | 'bootId' | 'startTime' | 'namespace'> {
  return {
    pid: process.pid,
    bootId: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    startTime: startTimeOf(process.pid),
    namespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
  }
}

/** Field 22 of /proc/<pid>/stat, counted after the parenthesis of the name, which may hold anything. proc(5) */
function startTimeOf(pid: number): string {
  const stat = orEmpty(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function orEmpty(read: () => string): string {
  try {
    return read()
  } catch {
    return '' // no such process, or no /proc
  }
}

const fileName = (number: number): string => number.toString().padStart(16, '0')

const numbersIn = (folder: string): readonly number[] =>
  readdirSync(folder)
    .filter((name) => /^\d{16}$/.test(name))
    .map(Number)
    .sort((one, other) => one - other)

function readHolder(path: string): Holder | undefined | 'vanished' {
  try {
    return parseHolder(readFileSync(path, 'utf8'))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return parseLink(orEmpty(() => readlinkSync(path)))
    throw error
  }
}

/** The holder that a symbolic link names: `PID:PIPE`. Of whichever boot or container it is, its pipe tells. */
function parseLink(target: string): Holder | 'vanished' {
  const [, pid, pipe] = /^(\d+):([^/]+)$/.exec(target) ?? []
  if (pid === undefined || pipe === undefined) return 'vanished'
  return { ...describeProcess(), pid: Number(pid), pipe, isReleased: false }
}

/** Undefined for what is no lock file of ours (a power cut can leave it empty): nobody holds it. */
function parseHolder(text: string): Holder | undefined {
  try {
    const found: unknown = JSON.parse(text)
    if (typeof found !== 'object' || found === null) return undefined
    const fields = new Map<string, unknown>(Object.entries(found))
    const textOf = (name: string): string => String(fields.get(name) ?? '')
    return {
      pid: Number(fields.get('pid')),
      bootId: textOf('bootId'),
      startTime: textOf('startTime'),
      namespace: textOf('namespace'),
      pipe: textOf('pipe').replaceAll('/', ''),
      isReleased: fields.get('isReleased') === true,
    }
  } catch {
    return undefined
  }
}

function writeFile(path: string, holder: Holder): void {
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(holder)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function overwrite(path: string, holder: Holder): void {
  const descriptor = openSync(path, O_WRONLY)
  try {
    writeSync(descriptor, `${JSON.stringify(holder)}\n`, 0)
  } finally {
    closeSync(descriptor)
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
