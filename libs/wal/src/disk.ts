/**
 * The disk as the log needs it: synchronous calls, each of them one system call, so that every single one can fail, be
 * slow or be the last in a test. Errors carry the errno's name in `code`, as those of node:fs do.
 */

/** An open file. Positions and lengths are bytes. */
export interface DiskFile {
  readonly path: string
  /** Fills `target` from `position` on, as far as the file goes. Returns how many bytes were read. */
  read(target: Uint8Array, position: number): number
  /** Writes at `position`, which may enlarge the file. Returns how many bytes were taken: fewer is a short write. */
  write(bytes: Uint8Array, position: number): number
  /** What was written is durable when this returns (fdatasync: with the size, without the times). */
  sync(): void
  close(): void
}

export type DiskEntry = {
  readonly kind: 'file' | 'directory' | 'other'
  readonly sizeBytes: number
  /** Permission bits (0o600). */
  readonly mode: number
}

/** Who may open what how: `create` makes a new file (0600) and fails with `EEXIST`, `write` also reads. */
export type OpenMode = 'read' | 'write' | 'create'

export interface Disk {
  open(path: string, mode: OpenMode): DiskFile
  /** Replaces what stands at `to`. */
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Makes one directory (0700); its parent must exist. `EEXIST` when there is something. */
  mkdir(path: string): void
  /** Names that were created, renamed or removed in this directory are durable when this returns. */
  syncDirectory(path: string): void
  /** Names in the directory, in order. */
  list(path: string): readonly string[]
  /** Undefined when nothing stands there. */
  stat(path: string): DiskEntry | undefined
  /** Bytes that an ordinary user may still take of the file system that holds `path`. */
  freeBytes(path: string): number
  /**
   * Holds the directory for this process until released or until the process ends, however it ends.
   *
   * @throws WalError `wal/in-use`, naming who holds it
   */
  lock(directory: string): DiskLock
}

export interface DiskLock {
  release(): void
}

/** An open file whose calls do not hold the thread. Same rules as `DiskFile`. */
export interface AsyncDiskFile {
  read(target: Uint8Array, position: number): Promise<number>
  write(bytes: Uint8Array, position: number): Promise<number>
  sync(): Promise<void>
  close(): Promise<void>
}

/** The part of a disk that snapshots need, without holding the thread. Same rules as `Disk`. */
export interface AsyncDisk {
  open(path: string, mode: OpenMode): Promise<AsyncDiskFile>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  mkdir(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
  list(path: string): Promise<readonly string[]>
  stat(path: string): Promise<DiskEntry | undefined>
}

/** A synchronous disk behind promises: what tests give to `openSnapshots`. */
export function toAsyncDisk(disk: Disk): AsyncDisk {
  return {
    open: async (path, mode) => {
      const file = disk.open(path, mode)
      return {
        read: async (target, position) => file.read(target, position),
        write: async (bytes, position) => file.write(bytes, position),
        sync: async () => file.sync(),
        close: async () => file.close(),
      }
    },
    rename: async (from, to) => disk.rename(from, to),
    unlink: async (path) => disk.unlink(path),
    mkdir: async (path) => disk.mkdir(path),
    syncDirectory: async (path) => disk.syncDirectory(path),
    list: async (path) => disk.list(path),
    stat: async (path) => disk.stat(path),
  }
}
