/** Reads a response of JSON lines as it arrives and hands over what came in, once per animation frame. Knows no kinds. */

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {(items: any[]) => void} take
 * @param {{signal?: AbortSignal, frame?: (then: () => void) => void}} [options]
 */
export async function drain(body, take, { signal, frame = eachFrame } = {}) {
  /** @type {any[]} */ let waiting = [];
  let asked = false;
  const hand = () => {
    asked = false;
    if (!waiting.length || signal?.aborted) return;
    const items = waiting;
    waiting = [];
    take(items);
  };
  for await (const line of lines(body, signal)) {
    waiting.push(JSON.parse(line));
    if (!asked) {
      asked = true;
      frame(hand);
    }
  }
  hand();
}

/** A hidden page has no frames, but its run goes on. @param {() => void} then */
function eachFrame(then) {
  if (document.hidden) setTimeout(then, 50);
  else requestAnimationFrame(then);
}

/** @param {ReadableStream<Uint8Array>} body @param {AbortSignal} [signal] */
async function* lines(body, signal) {
  const reader = body.getReader();
  signal?.addEventListener('abort', () => reader.cancel().catch(() => {}), { once: true });
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    let from = 0;
    for (let to = rest.indexOf('\n'); to >= 0; to = rest.indexOf('\n', from)) {
      if (to > from) yield rest.slice(from, to);
      from = to + 1;
    }
    rest = rest.slice(from);
    if (done) break;
  }
  if (rest.trim()) yield rest;
}
