import { describe, expect, it } from 'vitest'
import { chooseListeners, chooseStoreListener, describeMachine } from './compose.ts'

const choose = (listen: readonly string[], insecureAllowNetwork = false, environment: Record<string, string> = {}) =>
  chooseListeners({ listen, insecureAllowNetwork }, { environment, pid: 7 })

describe('where the API listens', () => {
  it('is a unix socket unless told otherwise', () => {
    expect(choose([])).toEqual([{ kind: 'unix', path: '/run/fleet.sock', mode: 0o660 }])
  })

  it('are the sockets of systemd, and what is configured beside them', () => {
    const environment = { LISTEN_PID: '7', LISTEN_FDS: '2' }
    expect(choose([], false, environment).map(({ kind }) => kind)).toEqual(['fd', 'fd'])
    expect(choose(['127.0.0.1:1'], false, environment)).toHaveLength(3)
    expect(choose([], false, { LISTEN_PID: '8', LISTEN_FDS: '2' }).map(({ kind }) => kind)).toEqual(['unix'])
  })

  it('is not the network, unless that is asked for by name', () => {
    expect(() => choose(['0.0.0.0:49153'])).toThrow('can be reached from the network')
    expect(choose(['0.0.0.0:49153'], true)).toHaveLength(1)
    expect(choose(['127.0.0.1:49153', 'unix:///run/x.sock'])).toHaveLength(2)
  })

  it('is refused when it is no address', () => {
    expect(() => choose(['nonsense'])).toThrow('"nonsense"')
  })
})

it.each([
  ['', undefined],
  ['127.0.0.1:2379', { kind: 'tcp', host: '127.0.0.1', port: 2379 }],
  ['http://localhost:2379/', { kind: 'tcp', host: 'localhost', port: 2379 }],
])('the embedded store told to serve at %j listens at %j', (storeListen, address) => {
  expect(chooseStoreListener({ storeListen, insecureAllowNetwork: false })).toEqual(address)
})

it('the embedded store is not served to the network, unless that is asked for by name', () => {
  const storeListen = '0.0.0.0:2379'
  expect(() => chooseStoreListener({ storeListen, insecureAllowNetwork: false })).toThrow('from the network')
  expect(chooseStoreListener({ storeListen, insecureAllowNetwork: true })).toMatchObject({ host: '0.0.0.0' })
  expect(() => chooseStoreListener({ storeListen: 'https://a:1', insecureAllowNetwork: true })).toThrow('store_listen')
})

it('a configured address is published as it is', async () => {
  const described = await describeMachine({ publicIp: '10.1.2.3', metadata: new Map([['az', 'a']]) })
  expect(described).toEqual({ publicIp: '10.1.2.3', metadata: { az: 'a' } })
})
