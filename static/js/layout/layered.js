/**
 * Coordinates for graphs that elk would take seconds for, or that fall apart into many pieces: ranks by longest path, order
 * by barycentres, places by isotonic regression; long graphs are folded into columns, wide ranks into lines. Each group is
 * laid out apart and is one box to what is around it. Knows boxes and arrows, no cards.
 *
 * @typedef {{x: number, y: number, w: number, h: number}} Box
 * @typedef {{id: string, w: number, h: number, group: string}} Item  in the order in which they came to be
 * @typedef {[string, string]} Arrow
 */

const GAP = 40; // px between boxes of a rank
const RANK = 44; // px between ranks
const COLUMN = 90; // px between columns of a long graph
const RIM = { x: 18, top: 30, bottom: 18 }; // of a group's frame
const SHAPE = 1.6; // wanted width to height
const LONG = 1.5; // so much longer than wanted, a graph is folded
const SWEEPS = 6;

/**
 * @param {Item[]} items @param {Arrow[]} arrows @param {Map<string, {parent: string}>} groups
 * @returns {{boxes: Map<string, Box>, frames: Map<string, Box>, w: number, h: number}}
 */
export function layered(items, arrows, groups) {
  const home = new Map(items.map((item) => [item.id, groups.has(item.group) ? item.group : '']));
  /** @type {Map<string, Item[]>} */ const inside = new Map([['', []]]);
  for (const item of items) {
    const path = home.get(item.id) ?? '';
    for (let at = path; at && !inside.has(at); at = groups.get(at)?.parent ?? '') inside.set(at, []);
    inside.get(path)?.push(item);
  }
  const lifted = lift(arrows, home, groups);
  /** @type {Map<string, {w: number, h: number, places: Map<string, {x: number, y: number}>}>} */ const done = new Map();
  const deep = [...inside.keys()].sort((a, b) => depth(groups, b) - depth(groups, a));
  for (const path of deep) {
    const list = [...(inside.get(path) ?? [])];
    const rim = path ? RIM : { x: 0, top: 0, bottom: 0 };
    const placed = level(list, lifted.get(path) ?? []);
    done.set(path, { w: placed.w + 2 * rim.x, h: placed.h + rim.top + rim.bottom, places: new Map([...placed.places].map(([id, at]) => [id, { x: at.x + rim.x, y: at.y + rim.top }])) });
    if (!path) break;
    const outer = groups.get(path)?.parent ?? '';
    const { w, h } = /** @type {{w: number, h: number}} */ (done.get(path));
    inside.get(inside.has(outer) ? outer : '')?.push({ id: `frame:${path}`, w, h, group: outer });
  }
  return read(items, done);
}

/** @param {Map<string, {parent: string}>} groups @param {string} path */
function depth(groups, path) {
  let n = 0;
  for (let at = path; at; at = groups.get(at)?.parent ?? '') n += 1;
  return n;
}

/** Every arrow at the level where its ends part: between items, or the frames around them. @param {Arrow[]} arrows @param {Map<string, string>} home @param {Map<string, {parent: string}>} groups */
function lift(arrows, home, groups) {
  /** From the outside to the item. @param {string} id */
  const way = (id) => {
    const chain = [id];
    for (let at = home.get(id) ?? ''; at; at = groups.get(at)?.parent ?? '') chain.push(`frame:${at}`);
    return chain.reverse();
  };
  /** @type {Map<string, Arrow[]>} */ const levels = new Map();
  for (const [from, to] of arrows) {
    if (!home.has(from) || !home.has(to)) continue;
    const [a, b] = [way(from), way(to)];
    let i = 0;
    while (a[i] === b[i] && i < a.length) i += 1;
    if (i >= a.length || i >= b.length) continue;
    const path = i ? a[i - 1].slice(6) : '';
    levels.set(path, levels.get(path) ?? []);
    levels.get(path)?.push([a[i], b[i]]);
  }
  return levels;
}

/** One level: boxes and arrows between them. @param {Item[]} items @param {Arrow[]} arrows */
function level(items, arrows) {
  const n = items.length;
  const at = new Map(items.map((item, i) => [item.id, i]));
  /** @type {number[][]} */ const up = items.map(() => []);
  /** @type {number[][]} */ const down = items.map(() => []);
  for (const [from, to] of arrows) {
    const [a, b] = [at.get(from), at.get(to)];
    if (a === undefined || b === undefined) continue;
    down[a].push(b);
    up[b].push(a);
  }
  const rank = ranks(n, up, down);
  /** @type {number[][]} */ const layers = [];
  for (let i = 0; i < n; i++) (layers[rank[i]] ??= []).push(i);
  const area = items.reduce((sum, { w, h }) => sum + (w + GAP) * (h + RANK), 0);
  const widest = Math.max(items.reduce((most, { w }) => Math.max(most, w), 0), Math.sqrt(area * SHAPE) * 1.2);
  const lines = layers.flatMap((layer) => broken(layer, items, widest));
  sort(lines, up, down);
  const x = across(lines, items, up, down);
  return fold(lines, items, x);
}

/** Length of the longest way from a start; what nothing leads to stands right above what reads it. @param {number} n @param {number[][]} up @param {number[][]} down */
function ranks(n, up, down) {
  const rank = new Int32Array(n);
  const missing = up.map((list) => list.length);
  const order = [];
  for (let i = 0; i < n; i++) if (!missing[i]) order.push(i);
  for (let k = 0; k < order.length; k++) {
    for (const next of down[order[k]]) {
      rank[next] = Math.max(rank[next], rank[order[k]] + 1);
      if (!--missing[next]) order.push(next);
    }
  }
  for (const i of order) if (!up[i].length && down[i].length) rank[i] = down[i].reduce((least, next) => Math.min(least, rank[next]), Infinity) - 1;
  return rank;
}

/** A rank too wide for the page goes on in the next line. @param {number[]} layer @param {Item[]} items @param {number} widest */
function broken(layer, items, widest) {
  /** @type {number[][]} */ const lines = [[]];
  let used = 0;
  for (const i of layer) {
    if (used + items[i].w > widest && used) {
      lines.push([]);
      used = 0;
    }
    lines[lines.length - 1].push(i);
    used += items[i].w + GAP;
  }
  return lines;
}

/** Fewer crossings: everything towards the middle of its neighbours, down and up in turn. @param {number[][]} lines @param {number[][]} up @param {number[][]} down */
function sort(lines, up, down) {
  /** @type {number[]} */ const place = [];
  const number = (/** @type {number[]} */ line) => line.forEach((i, k) => void (place[i] = (k + 0.5) / line.length));
  lines.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const [near, order] = sweep % 2 ? [down, [...lines].reverse()] : [up, lines];
    for (const line of order) {
      const wanted = new Map(line.map((i) => [i, near[i].length ? near[i].reduce((sum, other) => sum + place[other], 0) / near[i].length : place[i]]));
      line.sort((a, b) => /** @type {number} */ (wanted.get(a)) - /** @type {number} */ (wanted.get(b)) || place[a] - place[b]);
      number(line);
    }
  }
}

/** Middles: each as near to its neighbours' as the order allows. @param {number[][]} lines @param {Item[]} items @param {number[][]} up @param {number[][]} down */
function across(lines, items, up, down) {
  const x = new Float64Array(items.length);
  for (const line of lines) {
    const total = line.reduce((sum, i) => sum + items[i].w + GAP, -GAP);
    let from = -total / 2;
    for (const i of line) {
      x[i] = from + items[i].w / 2;
      from += items[i].w + GAP;
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const line of sweep % 2 ? [...lines].reverse() : lines) {
      const wanted = line.map((i) => {
        const near = sweep === SWEEPS - 1 ? [...up[i], ...down[i]] : sweep % 2 ? down[i] : up[i];
        return near.length ? near.reduce((sum, other) => sum + x[other], 0) / near.length : x[i];
      });
      spread(wanted, line.map((i) => items[i].w)).forEach((value, k) => void (x[line[k]] = value));
    }
  }
  return x;
}

/** The nearest to what is wanted at which nothing overlaps: isotonic regression by pooling. @param {number[]} wanted  middles @param {number[]} widths @returns {number[]} */
export function spread(wanted, widths) {
  /** @type {{sum: number, n: number}[]} */ const pools = [];
  /** @type {number[]} */ const offset = [];
  wanted.forEach((value, k) => {
    offset.push(k ? offset[k - 1] + (widths[k - 1] + widths[k]) / 2 + GAP : 0);
    pools.push({ sum: value - offset[k], n: 1 });
    for (let [a, b] = pools.slice(-2); b && a.sum / a.n > b.sum / b.n; [a, b] = pools.slice(-2)) {
      pools.pop();
      a.sum += b.sum;
      a.n += b.n;
    }
  });
  return pools.flatMap(({ sum, n }) => Array.from({ length: n }, () => sum / n)).map((value, k) => value + offset[k]);
}

/** Heights, and columns when that makes too long a strip. @param {number[][]} lines @param {Item[]} items @param {Float64Array} x */
function fold(lines, items, x) {
  const tall = lines.map((line) => line.reduce((most, i) => Math.max(most, items[i].h), 0));
  const left = (/** @type {number[]} */ line) => line.reduce((least, i) => Math.min(least, x[i] - items[i].w / 2), Infinity);
  const right = (/** @type {number[]} */ line) => line.reduce((most, i) => Math.max(most, x[i] + items[i].w / 2), -Infinity);
  const width = lines.reduce((most, line) => Math.max(most, right(line)), -Infinity) - lines.reduce((least, line) => Math.min(least, left(line)), Infinity);
  const height = tall.reduce((sum, h) => sum + h + RANK, -RANK);
  const columns = height > (width / SHAPE) * LONG * SHAPE && lines.length > 12 ? Math.max(1, Math.round(Math.sqrt((height * SHAPE) / (width + COLUMN)))) : 1;
  /** @type {Map<string, {x: number, y: number}>} */ const places = new Map();
  let [from, most, lowest] = [0, height / columns, 0];
  for (let k = 0; k < lines.length;) {
    let [end, used] = [k, 0];
    while (end < lines.length && (end === k || used + tall[end] <= most + 1)) used += tall[end++] + RANK;
    const part = lines.slice(k, end);
    const start = part.reduce((least, line) => Math.min(least, left(line)), Infinity);
    let y = 0;
    part.forEach((line, j) => {
      for (const i of line) places.set(items[i].id, { x: from + x[i] - items[i].w / 2 - start, y: y + (tall[k + j] - items[i].h) / 2 });
      y += tall[k + j] + RANK;
    });
    lowest = Math.max(lowest, y - RANK);
    from += part.reduce((far, line) => Math.max(far, right(line)), -Infinity) - start + COLUMN;
    k = end;
  }
  return { places, w: Math.max(0, from - COLUMN), h: lowest };
}

/** From places inside of frames to places on the page. @param {Item[]} items @param {Map<string, {w: number, h: number, places: Map<string, {x: number, y: number}>}>} done */
function read(items, done) {
  const sizes = new Map(items.map((item) => [item.id, item]));
  /** @type {Map<string, Box>} */ const boxes = new Map();
  /** @type {Map<string, Box>} */ const frames = new Map();
  /** @param {string} path @param {number} x @param {number} y */
  const visit = (path, x, y) => {
    for (const [id, at] of done.get(path)?.places ?? []) {
      const inner = id.startsWith('frame:') ? id.slice(6) : null;
      const { w, h } = /** @type {{w: number, h: number}} */ (inner === null ? sizes.get(id) : done.get(inner));
      (inner === null ? boxes : frames).set(inner ?? id, { x: x + at.x, y: y + at.y, w, h });
      if (inner !== null) visit(inner, x + at.x, y + at.y);
    }
  };
  visit('', 0, 0);
  const { w, h } = /** @type {{w: number, h: number}} */ (done.get(''));
  return { boxes, frames, w, h };
}
