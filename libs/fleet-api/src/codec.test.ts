import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeExplanation,
  decodeMachinePage,
  decodeStatePage,
  decodeUnit,
  encodeExplanation,
  encodeMachine,
  encodePage,
  encodeUnit,
  encodeUnitState,
} from './codec.ts'
import { parseEndpoint } from './endpoint.ts'
import { renderGoJson } from './go-json.ts'
import { decodeWarning, encodeWarning } from './warning.ts'

const text = fc.string({ minLength: 1 })

describe('what is encoded is decoded', () => {
  it('a unit', () => {
    const option = fc.record({ section: fc.string(), name: fc.string(), value: fc.string() })
    const unit = fc.record(
      { name: text, options: fc.array(option), targetState: text, currentState: text, machineId: text },
      { requiredKeys: ['name', 'options'] },
    )
    fc.assert(
      fc.property(unit, (value) => {
        expect(decodeUnit(JSON.parse(renderGoJson(encodeUnit(value))))).toEqual({ ok: true, value })
      }),
    )
  })

  it('states, machines and explanations', () => {
    const state = {
      name: 'a.service',
      machineId: 'm',
      hash: 'aa',
      loadState: 'loaded',
      activeState: 'active',
      subState: 'x',
    }
    expect(decodeStatePage(encodePage('states', [encodeUnitState(state)], 'T'))).toEqual({
      ok: true,
      value: { items: [state], nextPageToken: 'T' },
    })
    const machine = { id: 'm', metadata: { b: '1', a: '2' }, primaryIp: '10.0.0.1' }
    expect(decodeMachinePage(encodePage('machines', [encodeMachine(machine)], undefined))).toEqual({
      ok: true,
      value: { items: [machine], nextPageToken: undefined },
    })
    const explanation = {
      unit: 'a.service',
      situation: 'placed',
      machineId: 'm',
      lines: ['a', 'b'],
      machines: [{ machineId: 'm', fits: true, rule: 'fits', text: 'fits' }],
    }
    expect(decodeExplanation(encodeExplanation(explanation))).toEqual({ ok: true, value: explanation })
  })
})

describe('texts are as recorded', () => {
  it.each([
    [
      encodeUnit({ name: 'a', options: [{ section: '', name: 'N', value: '<&>' }] }),
      '{"name":"a","options":[{"name":"N","value":"\\u003c\\u0026\\u003e"}]}',
    ],
    [encodePage('units', [], undefined), '{}'],
    [
      encodeMachine({ id: 'm', metadata: { b: '1', a: '2' }, primaryIp: '' }),
      '{"id":"m","metadata":{"a":"2","b":"1"}}',
    ],
    ['\b\f\\b\u2028', '"\\u0008\\u000c\\\\b\\u2028"'],
  ])('%j', (value, expected) => expect(renderGoJson(value)).toBe(expected))

  it('JSON of any text means that text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => JSON.parse(renderGoJson(value)) === value))
  })
})

it('a warning survives its header, whatever it says', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      (value) => decodeWarning(encodeWarning(value)) === value,
    ),
  )
  expect(decodeWarning('110 - "stale"')).toBeUndefined()
})

describe('an endpoint', () => {
  it.each([
    ['unix:///var/run/fleet.sock', { kind: 'unix', socketPath: '/var/run/fleet.sock' }],
    ['file:///x', { kind: 'unix', socketPath: '/x' }],
    ['http://10.0.0.1:49153/', { kind: 'http', baseUrl: 'http://10.0.0.1:49153' }],
    ['https://a/b/', { kind: 'https', baseUrl: 'https://a/b' }],
  ])('%s is understood', (input, expected) => expect(parseEndpoint(input)).toMatchObject(expected))

  it.each([
    ['unix://var/run', 'unable to connect to host "var" with scheme "unix"'],
    ['/run/fleet.sock', 'URL scheme undefined'],
    ['ftp://x', 'URL scheme "ftp" is not supported'],
    ['http://', '"http://" is not a URL'],
    ['unix:', '"unix:" names no path of a socket'],
  ])('%s is refused: %s', (input, message) => expect(() => parseEndpoint(input)).toThrow(message))
})
