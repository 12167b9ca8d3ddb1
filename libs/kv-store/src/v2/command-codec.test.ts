import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writes } from '../../test/commands.ts'
import type { Command } from './command.ts'
import { decodeCommand, encodeCommand, encodedSizeMax } from './command-codec.ts'

const syncs: fc.Arbitrary<Command> = fc.double({ noNaN: true }).map((timeMs) => ({ kind: 'sync', timeMs }))
const commands = fc.oneof({ weight: 9, arbitrary: writes }, { weight: 1, arbitrary: syncs })

const encode = (command: Command, at: number): Uint8Array => {
  const room = new Uint8Array(at + encodedSizeMax(command))
  return room.subarray(at, encodeCommand(command, room, at))
}

const codeOf = (act: () => unknown): unknown => {
  try {
    act()
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
  return undefined
}

describe('a command as bytes', () => {
  it('comes back as it was, and takes no more room than was said', () => {
    fc.assert(
      fc.property(commands, fc.nat(40), (command, at) => {
        expect(decodeCommand(encode(command, at))).toEqual(command)
      }),
      { numRuns: 1000 },
    )
  })

  it('is laid out as docs/formats/keyspace.md says', () => {
    const set: Command = {
      kind: 'set',
      path: '/1/a',
      value: 'xy',
      isDirectory: false,
      deadlineMs: 1.5,
      isRefresh: false,
    }
    expect(Buffer.from(encode(set, 0)).toString('hex')).toBe('010110000000000000f83f042f312f61027879')
    const swap: Command = {
      kind: 'compare-and-swap',
      path: '/1/a',
      value: '',
      compare: { value: 'x', index: 300 },
      deadlineMs: undefined,
      isRefresh: true,
    }
    expect(Buffer.from(encode(swap, 0)).toString('hex')).toBe('010562042f312f61000178ac02')
  })

  it('that ends early, or goes on, is refused', () => {
    fc.assert(
      fc.property(commands, fc.nat(), (command, at) => {
        const bytes = encode(command, 0)
        const short = bytes.subarray(0, at % bytes.length)
        expect(codeOf(() => decodeCommand(short))).toBe('kv-store/invalid-command')
        expect(codeOf(() => decodeCommand(Uint8Array.of(...bytes, 0)))).toBe('kv-store/invalid-command')
      }),
    )
  })

  it('of a newer version is named as such', () => {
    expect(codeOf(() => decodeCommand(Uint8Array.of(2, 1, 0)))).toBe('kv-store/unknown-version')
  })

  it('is a command or refused, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const code = codeOf(() => decodeCommand(Uint8Array.of(1, ...bytes)))
        expect([undefined, 'kv-store/invalid-command']).toContain(code)
      }),
    )
  })
})
