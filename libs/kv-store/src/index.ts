/**
 * State machines behind the store. `@cluster/kv-store/v2` is the etcd v2 tree; here is what its versions share: byte
 * strings.
 * @packageDocumentation
 */
export { type ByteString, byteStringOf, textOf } from './byte-string.ts'
