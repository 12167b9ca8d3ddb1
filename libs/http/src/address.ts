/** Where to listen: an address and port, a unix socket, or a socket that systemd has opened already. */
import { err, ok, type Result } from '@cluster/prelude'

export type ListenAddress =
  /** Port 0: any free one. `host` without brackets. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** `mode` of the socket file; default 0o660. */
  | { readonly kind: 'unix'; readonly path: string; readonly mode?: number }
  /** An open, listening socket of this process. */
  | { readonly kind: 'fd'; readonly fd: number }

export type InvalidAddress = { readonly kind: 'invalid-address'; readonly input: string; readonly reason: string }

/** Reads `unix:///run/a.sock`, `/run/a.sock`, `fd://3`, `tcp://HOST:PORT`, `HOST:PORT`, `[::1]:PORT`. */
export function parseListenAddress(input: string): Result<ListenAddress, InvalidAddress> {
  const invalid = (reason: string) => err({ kind: 'invalid-address', input, reason } as const)
  const [, scheme = '', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(input) ?? []
  if (scheme === 'unix' || (scheme === '' && rest.startsWith('/'))) {
    if (!rest.startsWith('/')) return invalid('the path of a unix socket is absolute: unix:///run/NAME.sock')
    // What the kernel's sun_path holds, without the closing NUL.
    if (new TextEncoder().encode(rest).length > 107) return invalid('the path of a unix socket has at most 107 bytes')
    return ok({ kind: 'unix', path: rest })
  }
  if (scheme === 'fd') {
    return /^\d{1,6}$/.test(rest) ? ok({ kind: 'fd', fd: Number(rest) }) : invalid('expected fd://NUMBER')
  }
  if (scheme !== '' && scheme !== 'tcp') return invalid(`unknown scheme ${scheme}; known are tcp, unix and fd`)
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(rest) ?? []
  const host = bracketed ?? plain
  if (host === undefined || port === undefined) return invalid('expected HOST:PORT, [ADDRESS]:PORT or unix:///PATH')
  if (Number(port) > 65_535) return invalid(`port ${port} is above 65535`)
  return ok({ kind: 'tcp', host: host === '' ? '0.0.0.0' : host, port: Number(port) })
}

/** The address in the form that `parseListenAddress` reads. */
export function renderListenAddress(address: ListenAddress): string {
  switch (address.kind) {
    case 'tcp':
      return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
    case 'unix':
      return `unix://${address.path}`
    case 'fd':
      return `fd://${address.fd}`
    default:
      return address satisfies never
  }
}

/** Whether only this machine can ask there: a unix socket or a loopback address. An inherited socket counts as not. */
export function isLocalOnly(address: ListenAddress): boolean {
  if (address.kind === 'unix') return true
  if (address.kind === 'fd') return false
  return address.host === 'localhost' || address.host === '::1' || /^127(\.\d{1,3}){3}$/.test(address.host)
}

/**
 * The sockets that systemd handed to this process (`LISTEN_FDS`, see sd_listen_fds(3)): descriptors from 3 on, by
 * name where they have one. None when the variables are meant for another process.
 */
export function inheritedSockets(
  environment: Readonly<Record<string, string | undefined>>,
  processId: number,
): readonly (ListenAddress & { readonly kind: 'fd'; readonly name?: string })[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = environment
  if (pid !== String(processId) || count === undefined || !/^\d{1,4}$/.test(count)) return []
  const byPosition = names === undefined ? [] : names.split(':')
  return Array.from({ length: Number(count) }, (_, at) => {
    const name = byPosition[at]
    return name === undefined ? { kind: 'fd', fd: 3 + at } : { kind: 'fd', fd: 3 + at, name }
  })
}
