/** Who is at the other end of a socket. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { HttpPeer } from './handler.ts'

/** The peer of a connected socket, with the certificate that TLS has verified, if any. */
export function peerOf(socket: Socket): HttpPeer {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined || remotePort === undefined) return { kind: 'unix' }
  const peer = { kind: 'tcp', address: remoteAddress, port: remotePort } as const
  if (!(socket instanceof TLSSocket) || !socket.authorized) return peer
  const certificate = socket.getPeerCertificate()
  // Without a certificate node answers with an empty object, whatever its type says.
  if (certificate?.subject === undefined) return peer
  const commonName = [certificate.subject.CN].flat()[0] ?? ''
  return { ...peer, certificate: { commonName, fingerprint256: certificate.fingerprint256 } }
}
