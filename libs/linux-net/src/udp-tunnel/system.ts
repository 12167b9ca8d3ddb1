/**
 * The system calls of the tunnel, by foreign function calls into the C library that the process has loaded already: Node
 * itself can neither open a TUN device nor receive several datagrams at once. Pointers are plain numbers (an address of
 * user space fits a double): a call with one measured 0.6 µs, with a buffer 1.1.
 * Constants and layouts: Linux on 64-bit machines that count from the low end.
 */
import { constants } from 'node:os'
import { LinuxNetError, type LinuxNetErrorCode } from '../errors.ts'

export const { EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE, EOPNOTSUPP } = constants.errno

/** The bytes of a `struct mmsghdr`, and where its fields are. */
export const messageBytes = 64
export const messageField = {
  name: 0,
  nameBytes: 8,
  vectors: 16,
  vectorCount: 24,
  control: 32,
  controlBytes: 40,
  flags: 48,
  /** Of `mmsghdr`: what was moved. */
  moved: 56,
} as const
/** The bytes of a `struct iovec`: pointer, then length. */
export const vectorBytes = 16
/** The bytes of a `struct sockaddr_in`: family, port, address. */
export const socketAddressBytes = 16
export const familyIpv4 = 2
/** A control message with one number: length, level, type, number, filled up. */
export const controlBytes = 24
export const levelUdp = 17
export const udpSegment = 103
export const udpGro = 104
export const messageTruncated = 0x20
export const pollIn = 1
export const pollOut = 4
export const pollFailed = 0x38
/** The bytes of a `struct pollfd`: descriptor, events asked for, events found. */
export const pollBytes = 8

/** What the data plane needs of the kernel. Pointers and lengths are numbers; -1 is a failure, told by `errno`. */
export type System = {
  readonly errno: () => number
  readonly addressOf: (bytes: Uint8Array) => number
  readonly read: (descriptor: number, pointer: number, bytes: number) => number
  readonly writev: (descriptor: number, vectors: number, count: number) => number
  readonly poll: (entries: number, count: number, timeoutMs: number) => number
  readonly recvmmsg: (descriptor: number, messages: number, count: number, flags: number, timeout: number) => number
  readonly sendmmsg: (descriptor: number, messages: number, count: number, flags: number) => number
}

/** All of it: what is needed once to open things, and what moves packets. */
export type TunnelSystem = System & {
  /** A descriptor that is readable when somebody wrote eight bytes to it. */
  readonly createWake: () => number
  readonly openDevice: (name: string, isBundling: boolean) => Device
  readonly openSocket: (address: number, port: number, isBundling: boolean) => { descriptor: number; port: number }
  readonly close: (descriptor: number) => void
}

export type Device = {
  readonly descriptor: number
  readonly name: string
  /** Whether the kernel gives and takes bundles of UDP packets (Linux 6.2). */
  readonly isUdpBundled: boolean
}

const architectures = ['x64', 'arm64', 'riscv64', 'loong64']

const openReadWrite = 0x2
const openNonBlocking = 0x800
const openCloseOnExec = 0x80000
const setInterface = 0x400454ca
const setOffload = 0x400454d0
/** IFF_TUN, IFF_NO_PI, IFF_VNET_HDR. */
const deviceFlags = 0x1 | 0x1000 | 0x4000
/** TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO_ECN. */
const offloadTcp = 0x1 | 0x2 | 0x8
/** TUN_F_USO4, TUN_F_USO6: the kernel takes them together only. */
const offloadUdp = 0x20 | 0x40
const socketDatagram = 2
const levelSocket = 1
const sendBufferForced = 32
const receiveBufferForced = 33
const socketBufferBytes = 4 * 2 ** 20

/**
 * Loads the C library's functions.
 * Errors: `linux-net/ffi-unavailable` where this host cannot.
 */
export async function loadSystem(): Promise<TunnelSystem> {
  if (!architectures.includes(process.arch)) {
    throw unavailable(
      `the udp tunnel knows the kernel's structures on ${architectures.join(', ')}, not ${process.arch}`,
    )
  }
  const koffi = await import('koffi').catch((cause: unknown) => {
    throw unavailable('the library for calls into C (koffi) does not load', cause)
  })
  const library = koffi.load(null)
  const open: (path: string, flags: number) => number = library.func('int open(const char *path, int flags)')
  const close: (descriptor: number) => number = library.func('int close(int descriptor)')
  const control: (descriptor: number, request: number, argument: number) => number = library.func(
    'int ioctl(int descriptor, uint64_t request, uint64_t argument)',
  )
  const eventfd: (value: number, flags: number) => number = library.func('int eventfd(unsigned int value, int flags)')
  const socket: (family: number, type: number, protocol: number) => number = library.func(
    'int socket(int family, int type, int protocol)',
  )
  const bind: (descriptor: number, address: number, bytes: number) => number = library.func(
    'int bind(int descriptor, uint64_t address, unsigned int bytes)',
  )
  const nameOf: (descriptor: number, address: number, bytes: number) => number = library.func(
    'int getsockname(int descriptor, uint64_t address, uint64_t bytes)',
  )
  const setOption: (descriptor: number, level: number, option: number, value: number, bytes: number) => number =
    library.func('int setsockopt(int descriptor, int level, int option, uint64_t value, unsigned int bytes)')
  const addressOf = (bytes: Uint8Array): number => Number(koffi.address(bytes))

  const failure = (code: LinuxNetErrorCode, what: string, hint: string): LinuxNetError => {
    const number = koffi.errno()
    const name = Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`
    return new LinuxNetError(code, `${what}: ${name}`, { hint })
  }
  // Belongs to the functions below, so it lives as long as they may be called.
  const number = new Int32Array(1)
  const numberAddress = Number(koffi.address(number))
  const addressOfNumber = (value: number): number => {
    number[0] = value
    return numberAddress
  }

  return {
    errno: () => koffi.errno(),
    addressOf,
    read: library.func('int64_t read(int descriptor, uint64_t bytes, uint64_t count)'),
    writev: library.func('int64_t writev(int descriptor, uint64_t vectors, int count)'),
    poll: library.func('int poll(uint64_t entries, uint64_t count, int timeout)'),
    recvmmsg: library.func(
      'int recvmmsg(int descriptor, uint64_t messages, unsigned int n, int flags, uint64_t timeout)',
    ),
    sendmmsg: library.func('int sendmmsg(int descriptor, uint64_t messages, unsigned int n, int flags)'),
    close: (descriptor) => void close(descriptor),
    createWake: () => {
      const descriptor = eventfd(0, openNonBlocking | openCloseOnExec)
      if (descriptor < 0) throw failure('linux-net/tun-unavailable', 'eventfd', 'raise the limit of open files')
      return descriptor
    },
    openDevice: (name, isBundling) => {
      const descriptor = open('/dev/net/tun', openReadWrite | openNonBlocking | openCloseOnExec)
      const hint = 'load the module tun, give the process CAP_NET_ADMIN and access to /dev/net/tun'
      if (descriptor < 0) throw failure('linux-net/tun-unavailable', 'cannot open /dev/net/tun', hint)
      const request = new Uint8Array(40)
      new TextEncoder().encodeInto(name.slice(0, 15), request)
      new DataView(request.buffer).setUint16(16, deviceFlags, true)
      if (control(descriptor, setInterface, addressOf(request)) < 0) {
        const error = failure('linux-net/tun-unavailable', `cannot make the TUN device ${name}`, hint)
        close(descriptor)
        throw error
      }
      const end = request.indexOf(0)
      let isUdpBundled = false
      if (isBundling) {
        isUdpBundled = control(descriptor, setOffload, offloadTcp | offloadUdp) === 0
        if (!isUdpBundled) control(descriptor, setOffload, offloadTcp)
      }
      return { descriptor, name: new TextDecoder().decode(request.subarray(0, Math.min(end, 16))), isUdpBundled }
    },
    openSocket: (address, port, isBundling) => {
      const hint = 'choose another port for all machines of the network, or stop what listens there'
      const descriptor = socket(familyIpv4, socketDatagram | openNonBlocking | openCloseOnExec, 0)
      if (descriptor < 0) throw failure('linux-net/udp-socket', 'cannot open a UDP socket', hint)
      // A larger queue bridges the moments in which another thread has the processor; refused, the smaller one serves.
      for (const option of [sendBufferForced, receiveBufferForced]) {
        setOption(descriptor, levelSocket, option, addressOfNumber(socketBufferBytes), 4)
      }
      if (isBundling) setOption(descriptor, levelUdp, udpGro, addressOfNumber(1), 4)
      const bytes = new Uint8Array(socketAddressBytes)
      const view = new DataView(bytes.buffer)
      writeSocketAddress(view, 0, address, port)
      if (bind(descriptor, addressOf(bytes), socketAddressBytes) < 0) {
        const error = failure('linux-net/udp-socket', `cannot listen on UDP port ${port}`, hint)
        close(descriptor)
        throw error
      }
      nameOf(descriptor, addressOf(bytes), addressOfNumber(socketAddressBytes))
      return { descriptor, port: view.getUint16(2) }
    },
  }
}

/** Writes a `struct sockaddr_in`. */
export function writeSocketAddress(view: DataView, at: number, address: number, port: number): void {
  view.setUint16(at, familyIpv4, true)
  view.setUint16(at + 2, port)
  view.setUint32(at + 4, address)
}

const unavailable = (message: string, cause?: unknown): LinuxNetError =>
  new LinuxNetError('linux-net/ffi-unavailable', message, {
    hint: 'use another backend (vxlan, host-gw) on this machine; they need no calls into C',
    cause,
  })
