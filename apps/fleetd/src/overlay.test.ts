import { createManualClock, createModelKv } from '@cluster/kv'
import { silentLogger } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { addressesOf, networkConfigOf, writeConfigIfAbsent } from './overlay.ts'

const options = { overlay: 'vxlan', overlayNetwork: '10.5.0.0/16' } as const
const key = '/coreos.com/network/config'

it('writes the configuration of a new network, and leaves one that is there', async () => {
  const kv = createModelKv({ clock: createManualClock() })
  const { signal } = new AbortController()
  await writeConfigIfAbsent(options, kv, silentLogger, signal)
  expect((await kv.get(key))?.value).toBe(networkConfigOf(options))
  const said: string[] = []
  const log = { ...silentLogger, info: (message: string) => said.push(message) }
  await writeConfigIfAbsent({ ...options, overlay: 'host-gw' }, kv, log, signal)
  expect((await kv.get(key))?.value).toBe('{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}')
  expect(said).toEqual(['the network configuration in the store counts, not the options'])
})

it('knows the addresses of a store', () => {
  expect(addressesOf(['http://10.0.0.1:2379', 'https://store.example:2379', 'http://[::1]:1'])).toEqual(['10.0.0.1'])
})
