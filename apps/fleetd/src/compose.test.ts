import { describe, expect, it } from 'vitest'
import { chooseListeners, describeMachine } from './compose.ts'

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

it('a configured address is published as it is', async () => {
  const described = await describeMachine({ publicIp: '10.1.2.3', metadata: new Map([['az', 'a']]) })
  expect(described).toEqual({ publicIp: '10.1.2.3', metadata: { az: 'a' } })
})
