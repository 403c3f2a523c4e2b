// What the echo sends. A body is made once for each choice of size, kind and content; each message
// made of it differs in its number only.

const WORDS = "the quick brown fox jumps over the lazy dog while the drover counts sheep ";
const RANDOM = 65536;

export function makeBody(length, kind, content) {
  return kind === "text" ? new TextBody(length, content) : new BinaryBody(length, content);
}

class TextBody {
  constructor(length, content) {
    const filler = content === "words" ? WORDS : randomText(Math.min(length, RANDOM));
    this.length = length;
    this.rest = filler.repeat(Math.ceil(length / filler.length)).slice(0, length - 10);
  }

  message(number) {
    return String(number).padStart(10, "0") + this.rest;
  }

  isMessage(data, number) {
    return data === this.message(number);
  }
}

class BinaryBody {
  constructor(length, content) {
    const filler = content === "words" ? new TextEncoder().encode(WORDS) : randomBytes(Math.min(length, RANDOM));
    this.length = length;
    this.bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += filler.length) this.bytes.set(filler.subarray(0, length - at), at);
  }

  message(number) {
    const message = this.bytes.slice();
    new DataView(message.buffer).setUint32(0, number);
    return message;
  }

  isMessage(data, number) {
    if (data.byteLength !== this.length) return false;
    const sent = this.message(number);
    return new Uint8Array(data).every((byte, at) => byte === sent[at]);
  }
}

function randomBytes(length) {
  return crypto.getRandomValues(new Uint8Array(length));
}

function randomText(length) {
  return Array.from(randomBytes(length), (byte) => String.fromCharCode(33 + (byte % 94))).join("");
}
