import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeJobObject,
  decodeLease,
  decodeMachine,
  decodeUnitState,
  decodeUnitText,
  encodeJobObject,
  encodeLease,
  encodeMachine,
  encodeUnitState,
  encodeUnitText,
} from './codec.ts'

const hash = '8385c9176f09a5ee3bbb88d45c6fc3f0b69d1f52'

describe('values are written byte for byte as fleet writes them', () => {
  it.each([
    [
      'a text',
      encodeUnitText('[Service]\nExecStart=/bin/sh -c "a && b"\n'),
      '{"Raw":"[Service]\\nExecStart=/bin/sh -c \\"a \\u0026\\u0026 b\\"\\n"}',
    ],
    [
      'an object',
      encodeJobObject({ name: 'a.service', hash }),
      '{"Name":"a.service","UnitHash":[131,133,201,23,111,9,165,238,59,187,136,212,92,111,195,240,182,157,31,82]}',
    ],
    [
      'a machine',
      encodeMachine({
        id: 'm',
        publicIp: '10.0.0.1',
        metadata: { disk: 'ssd', az: 'a' },
        engineDisabled: false,
        version: '1.0.0',
      }),
      '{"ID":"m","PublicIP":"10.0.0.1","Metadata":{"az":"a","disk":"ssd"},"Capabilities":{"DISABLE_ENGINE":false,"GRPC":false},"Version":"1.0.0"}',
    ],
    [
      'a state',
      encodeUnitState({ loadState: 'loaded', activeState: 'active', subState: 'running', machine: 'm', hash }),
      `{"loadState":"loaded","activeState":"active","subState":"running","machineState":{"ID":"m","PublicIP":"","Metadata":null,"Capabilities":null,"Version":""},"unitHash":"${hash}"}`,
    ],
    ['a lease', encodeLease({ machine: 'm', version: 1 }), '{"MachineID":"m","Version":1}'],
  ])('%s', (_what, written, expected) => expect(written).toBe(expected))
})

describe('values are read with tolerance', () => {
  it('names match in any case, unknown fields are passed over', () => {
    expect(decodeMachine('{"id":"m","PUBLICIP":"1.2.3.4","TotalResources":{"Cores":1},"metadata":null}')).toEqual({
      ok: true,
      value: { id: 'm', publicIp: '1.2.3.4', metadata: {}, engineDisabled: false, version: '' },
    })
  })

  it('a lease that is no JSON is the ID of an engine without a version', () => {
    expect(decodeLease('0123456789abcdef')).toEqual({ machine: '0123456789abcdef', version: 0 })
    expect(decodeLease('{"MachineID":"x","Version":7,"X":1}')).toEqual({ machine: 'x', version: 7 })
  })

  it('a state without a machine has none', () => {
    const read = decodeUnitState('{"loadState":"loaded","machineState":null}')
    expect(read.ok && read.value.machine).toBe('')
  })

  it.each(['', '{', '[]', 'null', '7', '{"Name":"a"}', '{"Name":"a","UnitHash":[1]}', '{"Name":"a","UnitHash":[256]}'])(
    'the object %j is damaged',
    (value) => expect(decodeJobObject(value).ok).toBe(false),
  )

  it('no value makes a reader fail', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (value) => {
        for (const decode of [decodeJobObject, decodeMachine, decodeUnitState, decodeUnitText]) decode(value)
        expect(typeof decodeLease(value).machine).toBe('string')
      }),
    )
  })

  it('what is written is read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9a-f]{40}$/), (text, digits) => {
        expect(decodeUnitText(encodeUnitText(text))).toEqual({ ok: true, value: text })
        expect(decodeJobObject(encodeJobObject({ name: `${text}.service`, hash: digits }))).toEqual({
          ok: true,
          value: { name: `${text}.service`, hash: digits },
        })
      }),
    )
  })
})
