/** Keys and certificates from files, checked before they are used: what is wrong is said with the file's name. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { HttpError } from './errors.ts'

/** PEM texts. `key` and `cert` belong together; `ca` replaces the system's authorities. */
export type TlsOptions = {
  readonly key?: string
  readonly cert?: string
  readonly ca?: string
}

export type TlsFiles = {
  readonly keyFile?: string | undefined
  readonly certFile?: string | undefined
  readonly caFile?: string | undefined
}

/**
 * Reads and checks TLS files: each is PEM of its kind, the key fits the (first) certificate.
 *
 * @throws HttpError `http/tls-file` naming the file and what is wrong with it
 */
export async function readTlsFiles({ keyFile, certFile, caFile }: TlsFiles): Promise<TlsOptions> {
  if ((keyFile === undefined) !== (certFile === undefined)) {
    const given = keyFile ?? certFile
    throw new HttpError('http/tls-file', `${given} is only half of a pair: a key and a certificate belong together`, {
      hint: keyFile === undefined ? 'name the key file, too' : 'name the certificate file, too',
    })
  }
  const ca = caFile === undefined ? undefined : await readPem(caFile)
  if (ca !== undefined && caFile !== undefined) certificateOf(ca, caFile)
  if (keyFile === undefined || certFile === undefined) return ca === undefined ? {} : { ca }
  const [key, cert] = await Promise.all([readPem(keyFile), readPem(certFile)])
  if (!certificateOf(cert, certFile).checkPrivateKey(privateKeyOf(key, keyFile))) {
    throw new HttpError('http/tls-file', `the key ${keyFile} does not belong to the certificate ${certFile}`, {
      hint: 'a certificate file starts with the certificate of the key; authorities follow it',
    })
  }
  return ca === undefined ? { key, cert } : { key, cert, ca }
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new HttpError('http/tls-file', `${file} cannot be read`, {
      hint: 'check the path and that this user may read it',
      cause,
    })
  }
}

function certificateOf(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new HttpError('http/tls-file', `${file} holds no certificate`, {
      hint: 'expected PEM text: -----BEGIN CERTIFICATE-----',
      cause,
    })
  }
}

function privateKeyOf(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new HttpError('http/tls-file', `${file} holds no private key that can be used`, {
      hint: 'expected PEM text without a passphrase: -----BEGIN PRIVATE KEY-----',
      cause,
    })
  }
}
