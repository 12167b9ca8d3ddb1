/** Commands as bytes, as they stand in the log: docs/formats/keyspace.md. Setting a value is the hot path. */
import type { ByteString } from '../byte-string.ts'
import { KvStoreError } from '../errors.ts'
import { type Latin1Codec, pureLatin1 } from '../latin1.ts'
import type { Command, Compare } from './command.ts'
import { ByteReader, varintBytesMax, writeVarint } from './varint.ts'

const formatVersion = 1

const kindBytes = {
  set: 1,
  create: 2,
  'create-in-order': 3,
  update: 4,
  'compare-and-swap': 5,
  delete: 6,
  'compare-and-delete': 7,
  get: 8,
  sync: 9,
} as const satisfies Record<Command['kind'], number>

/** Bits of the third byte; each kind uses those that it has. */
const bit = {
  isDirectory: 1,
  isRefresh: 2,
  isRecursive: 4,
  isSorted: 8,
  hasDeadline: 16,
  hasCompareValue: 32,
  hasCompareIndex: 64,
  /** The index to compare with is above 2⁵³: eight bytes. */
  isCompareIndexBig: 128,
} as const

/** An upper bound of what `encodeCommand` writes, in bytes. */
export function encodedSizeMax(command: Command): number {
  if (command.kind === 'sync') return 3 + 8
  let size = 3 + varintBytesMax + command.path.length
  if ('value' in command) size += varintBytesMax + command.value.length + 8
  if ('compare' in command) size += 2 * varintBytesMax + (command.compare.value?.length ?? 0)
  return size
}

/**
 * Writes a command; returns the place after it. There must be room for `encodedSizeMax` bytes.
 *
 * @param codec what `Buffer` does natively, where there is one
 */
export function encodeCommand(command: Command, into: Uint8Array, at: number, codec: Latin1Codec = pureLatin1): number {
  into[at] = formatVersion
  into[at + 1] = kindBytes[command.kind]
  const flagsAt = at + 2
  switch (command.kind) {
    case 'set': {
      into[flagsAt] =
        (command.isDirectory ? bit.isDirectory : 0) |
        (command.isRefresh ? bit.isRefresh : 0) |
        deadlineBit(command.deadlineMs)
      const end = writeDeadline(into, command.deadlineMs, flagsAt + 1)
      return writeBytes(into, command.value, writeBytes(into, command.path, end, codec), codec)
    }
    case 'create':
    case 'create-in-order': {
      into[flagsAt] = (command.isDirectory ? bit.isDirectory : 0) | deadlineBit(command.deadlineMs)
      const end = writeDeadline(into, command.deadlineMs, flagsAt + 1)
      return writeBytes(into, command.value, writeBytes(into, command.path, end, codec), codec)
    }
    case 'update': {
      into[flagsAt] = (command.isRefresh ? bit.isRefresh : 0) | deadlineBit(command.deadlineMs)
      const end = writeDeadline(into, command.deadlineMs, flagsAt + 1)
      return writeBytes(into, command.value, writeBytes(into, command.path, end, codec), codec)
    }
    case 'compare-and-swap': {
      into[flagsAt] =
        (command.isRefresh ? bit.isRefresh : 0) | deadlineBit(command.deadlineMs) | compareBits(command.compare)
      const end = writeDeadline(into, command.deadlineMs, flagsAt + 1)
      const afterValue = writeBytes(into, command.value, writeBytes(into, command.path, end, codec), codec)
      return writeCompare(into, command.compare, afterValue, codec)
    }
    case 'delete':
      into[flagsAt] = (command.isDirectory ? bit.isDirectory : 0) | (command.isRecursive ? bit.isRecursive : 0)
      return writeBytes(into, command.path, flagsAt + 1, codec)
    case 'compare-and-delete':
      into[flagsAt] = compareBits(command.compare)
      return writeCompare(into, command.compare, writeBytes(into, command.path, flagsAt + 1, codec), codec)
    case 'get':
      into[flagsAt] = (command.isRecursive ? bit.isRecursive : 0) | (command.isSorted ? bit.isSorted : 0)
      return writeBytes(into, command.path, flagsAt + 1, codec)
    case 'sync':
      into[flagsAt] = 0
      return writeFloat(into, command.timeMs, flagsAt + 1)
    default:
      return command satisfies never
  }
}

/**
 * Reads what `encodeCommand` wrote; the bytes are nothing but one command.
 *
 * @throws KvStoreError `kv-store/unknown-version`, `kv-store/invalid-command`
 */
export function decodeCommand(bytes: Uint8Array, codec: Latin1Codec = pureLatin1): Command {
  const version = bytes[0] ?? 0
  if (version > formatVersion) {
    throw new KvStoreError('kv-store/unknown-version', `a command has format ${version}, known is ${formatVersion}`, {
      hint: 'it was written by a newer version of the program: start that one',
    })
  }
  if (version !== formatVersion || bytes.length < 3) throw invalid(bytes)
  const reader = new ByteReader(bytes, 3)
  const command = readCommand(bytes[1] ?? 0, bytes[2] ?? 0, reader, codec)
  if (command === undefined || reader.isBroken || reader.left > 0) throw invalid(bytes)
  return command
}

function readCommand(kind: number, flags: number, reader: ByteReader, codec: Latin1Codec): Command | undefined {
  const isDirectory = (flags & bit.isDirectory) !== 0
  const isRefresh = (flags & bit.isRefresh) !== 0
  const isRecursive = (flags & bit.isRecursive) !== 0
  if (kind === kindBytes.sync) return { kind: 'sync', timeMs: reader.float() }
  const deadlineMs = (flags & bit.hasDeadline) === 0 ? undefined : reader.float()
  const path = readBytes(reader, codec)
  switch (kind) {
    case kindBytes.set:
      return { kind: 'set', path, value: readBytes(reader, codec), isDirectory, deadlineMs, isRefresh }
    case kindBytes.create:
      return { kind: 'create', path, value: readBytes(reader, codec), isDirectory, deadlineMs }
    case kindBytes['create-in-order']:
      return { kind: 'create-in-order', path, value: readBytes(reader, codec), isDirectory, deadlineMs }
    case kindBytes.update:
      return { kind: 'update', path, value: readBytes(reader, codec), deadlineMs, isRefresh }
    case kindBytes['compare-and-swap']: {
      const value = readBytes(reader, codec)
      const compare = readCompare(flags, reader, codec)
      return { kind: 'compare-and-swap', path, value, compare, deadlineMs, isRefresh }
    }
    case kindBytes.delete:
      return { kind: 'delete', path, isDirectory, isRecursive }
    case kindBytes['compare-and-delete']:
      return { kind: 'compare-and-delete', path, compare: readCompare(flags, reader, codec) }
    case kindBytes.get:
      return { kind: 'get', path, isRecursive, isSorted: (flags & bit.isSorted) !== 0 }
    default:
      return undefined
  }
}

const deadlineBit = (deadlineMs: number | undefined): number => (deadlineMs === undefined ? 0 : bit.hasDeadline)

function compareBits({ value, index }: Compare): number {
  const valueBit = value === undefined ? 0 : bit.hasCompareValue
  if (index === undefined) return valueBit
  return valueBit | (typeof index === 'bigint' ? bit.hasCompareIndex | bit.isCompareIndexBig : bit.hasCompareIndex)
}

function writeBytes(into: Uint8Array, text: ByteString, at: number, codec: Latin1Codec): number {
  const start = writeVarint(into, text.length, at)
  codec.latin1Write(into, text, start)
  return start + text.length
}

function readBytes(reader: ByteReader, codec: Latin1Codec): ByteString {
  const length = reader.varint()
  const start = reader.skip(length)
  return reader.isBroken ? '' : codec.latin1Slice(reader.bytes, start, start + length)
}

const floats = new DataView(new ArrayBuffer(8))

/** Byte by byte: a view per command would cost more than the rest of it. */
function writeFloat(into: Uint8Array, value: number, at: number): number {
  floats.setFloat64(0, value, true)
  for (let i = 0; i < 8; i++) into[at + i] = floats.getUint8(i)
  return at + 8
}

const writeDeadline = (into: Uint8Array, deadlineMs: number | undefined, at: number): number =>
  deadlineMs === undefined ? at : writeFloat(into, deadlineMs, at)

function writeCompare(into: Uint8Array, { value, index }: Compare, at: number, codec: Latin1Codec): number {
  const end = value === undefined ? at : writeBytes(into, value, at, codec)
  if (index === undefined) return end
  if (typeof index === 'number') return writeVarint(into, index, end)
  for (let i = 0; i < 8; i++) into[end + i] = Number((index >> BigInt(8 * i)) & 0xffn)
  return end + 8
}

function readCompare(flags: number, reader: ByteReader, codec: Latin1Codec): Compare {
  const value = (flags & bit.hasCompareValue) === 0 ? undefined : readBytes(reader, codec)
  if ((flags & bit.hasCompareIndex) === 0) return { value, index: undefined }
  if ((flags & bit.isCompareIndexBig) === 0) return { value, index: reader.varint() }
  let index = 0n
  for (let i = 0; i < 8; i++) index |= BigInt(reader.byte()) << BigInt(8 * i)
  return { value, index }
}

const invalid = (bytes: Uint8Array): KvStoreError =>
  new KvStoreError('kv-store/invalid-command', `${bytes.length} bytes of an entry are no command`, {
    hint: 'the log is damaged or was written by another program: restore a backup',
  })
