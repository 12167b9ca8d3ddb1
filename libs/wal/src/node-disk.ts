/** Disks over node:fs: one with synchronous calls for the log, one with promises for snapshots. */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import type { AsyncDisk, Disk, DiskEntry, DiskFile, OpenMode } from './disk.ts'
import { lockDirectoryOf } from './node-lock.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR } = constants

const flags: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY,
  write: O_RDWR | O_NOFOLLOW,
  create: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
}
const fileMode = 0o600
const directoryMode = 0o700

/** The machine's disk through synchronous calls: for a thread of its own. */
export function createNodeDisk(): Disk {
  return {
    open: (path, mode) => openNodeFile(path, openSync(path, flags[mode], fileMode)),
    rename: (from, to) => renameSync(from, to),
    unlink: (path) => unlinkSync(path),
    mkdir: (path) => mkdirSync(path, { mode: directoryMode }),
    syncDirectory: (path) => {
      const directory = openSync(path, O_RDONLY)
      try {
        fsyncSync(directory)
      } finally {
        closeSync(directory)
      }
    },
    list: (path) => readdirSync(path).sort(),
    stat: (path) => {
      const stats = statSync(path, { throwIfNoEntry: false })
      return stats === undefined ? undefined : toEntry(stats)
    },
    freeBytes: (path) => {
      const { bavail, bsize } = statfsSync(path)
      return bavail * bsize
    },
    lock: lockDirectoryOf,
  }
}

function openNodeFile(path: string, descriptor: number): DiskFile {
  return {
    path,
    read: (target, position) => readSync(descriptor, target, 0, target.length, position),
    write: (bytes, position) => writeSync(descriptor, bytes, 0, bytes.length, position),
    sync: () => fdatasyncSync(descriptor),
    close: () => closeSync(descriptor),
  }
}

/** The machine's disk through promises, on the pool of node:fs. */
export function createNodeAsyncDisk(): AsyncDisk {
  return {
    open: async (path, mode) => {
      const handle = await open(path, flags[mode], fileMode)
      return {
        read: async (target, position) => (await handle.read(target, 0, target.length, position)).bytesRead,
        write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
        sync: () => handle.datasync(),
        close: () => handle.close(),
      }
    },
    rename: (from, to) => rename(from, to),
    unlink: (path) => unlink(path),
    mkdir: async (path) => {
      await mkdir(path, { mode: directoryMode })
    },
    syncDirectory: async (path) => {
      const directory: FileHandle = await open(path, O_RDONLY)
      try {
        await directory.sync()
      } finally {
        await directory.close()
      }
    },
    list: async (path) => (await readdir(path)).sort(),
    stat: async (path) => {
      try {
        return toEntry(await stat(path))
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      }
    },
  }
}

const toEntry = (stats: Stats): DiskEntry => ({
  kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
  sizeBytes: stats.size,
  mode: stats.mode & 0o777,
})
