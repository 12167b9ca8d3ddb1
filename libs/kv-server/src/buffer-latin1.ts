/** Byte strings in and out of memory by what `Buffer` does natively. */
import { type Latin1Codec, pureLatin1 } from '@cluster/kv-store'

/** Below this many bytes the call costs more than the loop. */
const nativeFrom = 24

/** Faster than the pure codec from some 24 bytes on. */
export const bufferLatin1: Latin1Codec = {
  latin1Slice: (bytes, start, end) =>
    end - start < nativeFrom ? pureLatin1.latin1Slice(bytes, start, end) : viewOf(bytes).toString('latin1', start, end),
  latin1Write: (bytes, text, at) => {
    if (text.length < nativeFrom) pureLatin1.latin1Write(bytes, text, at)
    else viewOf(bytes).write(text, at, 'latin1')
  },
}

let lastBytes: Uint8Array | undefined
let lastView: Buffer = Buffer.alloc(0)

/** Mostly it is the same memory again and again: a ring, a page. */
function viewOf(bytes: Uint8Array): Buffer {
  if (bytes !== lastBytes) {
    lastView = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    lastBytes = bytes
  }
  return lastView
}
