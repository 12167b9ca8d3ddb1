/** Keeps the data plane of udp open: opens it again when it ends, with the table it had. */
import { type Clock, isClusterError, type Random } from '@cluster/prelude'
import type { Peer } from './backends/backend.ts'
import { FlannelError } from './errors.ts'
import type { FlannelEvents } from './events.ts'
import type { OpenUdpTunnel, UdpTunnel, UdpTunnelFigures } from './udp-tunnel.ts'

export type UdpTunnelKeeper = AsyncDisposable & {
  /** The device now; `undefined` while there is none. */
  readonly device: () => string | undefined
  readonly setPeers: (peers: readonly Peer[]) => void
  readonly counters: () => UdpTunnelFigures | undefined
  /** Another address to listen on: the tunnel is closed and opened there. */
  readonly rebind: (address: string) => void
  /** Until the signal fires. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

export type UdpTunnelKeeperOptions = {
  readonly open: OpenUdpTunnel
  /** First address of our subnet. */
  readonly address: string
  readonly bind: { readonly address: string; readonly port: number }
  readonly isSenderChecked: boolean
  /** The device is there, or another one. */
  readonly onChange: () => void
  readonly clock: Clock
  readonly random: Random
  readonly events: FlannelEvents
}

const backOff = { firstMs: 200, longestMs: 10_000 }

/**
 * An open tunnel and what keeps it open.
 *
 * @throws FlannelError `flannel/unusable-backend` when it cannot be opened the first time
 */
export async function openUdpTunnelKeeper(options: UdpTunnelKeeperOptions): Promise<UdpTunnelKeeper> {
  const { open, address, isSenderChecked, onChange, clock, random, events } = options
  let { bind } = options
  let peers: readonly Peer[] = []
  let tunnel: UdpTunnel | undefined = await openFirst()
  let failures = 0
  let closing = new AbortController()

  async function openFirst(): Promise<UdpTunnel> {
    try {
      return await open({ name: 'flannel%d', address, bind, isSenderChecked })
    } catch (cause) {
      throw new FlannelError('flannel/unusable-backend', 'the udp tunnel could not be opened', {
        cause,
        hint:
          (isClusterError(cause) ? cause.hint : undefined) ??
          `flanneld needs CAP_NET_ADMIN, /dev/net/tun, and UDP port ${bind.port} of ${bind.address} for itself`,
      })
    }
  }

  async function reopen(signal: AbortSignal): Promise<void> {
    const longestMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.min(failures, 20))
    await clock.sleep(longestMs * (0.5 + random.next() / 2), signal)
    failures += 1
    try {
      if (!signal.aborted) tunnel = await open({ name: 'flannel%d', address, bind, isSenderChecked })
      tunnel?.setPeers(peers)
      onChange()
    } catch (error) {
      events.tunnelEnded(error, { retryInMs: longestMs })
    }
  }

  async function closed(old: UdpTunnel, signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, closing.signal])
    const stopped = new Promise<undefined>((resolve) => {
      if (stop.aborted) resolve(undefined)
      else stop.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    const error = await Promise.race([old.failed, stopped])
    tunnel = undefined
    if (error !== undefined) events.tunnelEnded(error, { retryInMs: backOff.firstMs })
    await old[Symbol.asyncDispose]()
  }

  return {
    device: () => tunnel?.device,
    setPeers(next) {
      if (next === peers) return
      peers = next
      tunnel?.setPeers(next)
    },
    counters: () => tunnel?.counters(),
    rebind(next) {
      if (next === bind.address) return
      bind = { ...bind, address: next }
      closing.abort()
      closing = new AbortController()
    },
    async run(signal) {
      while (!signal.aborted) {
        if (tunnel === undefined) {
          await reopen(signal)
        } else {
          const openedMs = clock.monotonicMs()
          await closed(tunnel, signal)
          if (clock.monotonicMs() - openedMs > backOff.longestMs) failures = 0
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await tunnel?.[Symbol.asyncDispose]()
      tunnel = undefined
    },
  }
}
